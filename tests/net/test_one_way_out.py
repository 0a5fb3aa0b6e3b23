"""The content of requests, and which replies are accepted."""

from __future__ import annotations

import gzip
import socket
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from rawserver import OK, Script, answers, head, host, listening, once

from algosync.core.error import ClusterError, Unexpected, Unreachable
from algosync.net import Host, Net, Proxies, Response, SettingNames


def record_requests(requests: list[bytes], reply: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        while request := head(connection):
            requests.append(request)
            connection.sendall(reply)

    return script


def test_no_compression_is_requested_and_nothing_is_decompressed() -> None:
    """A truncated gzip body could look complete."""
    packed = gzip.compress(b"x" * 100_000)
    reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    requests: list[bytes] = []
    with listening(record_requests(requests, reply + packed)) as raw:
        answer = host(raw.url).answer("GET", "/", {})
    assert (answer.body, answer.headers["Content-Encoding"]) == (packed, "gzip")
    assert b"\r\nAccept-Encoding: identity\r\n" in requests[0]
    with listening(once(reply + packed[:-1])) as raw, pytest.raises(Unreachable):
        host(raw.url).answer("GET", "/", {})


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 99,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 99,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 100 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Cut: ye",
        b"HTTP/1.1 200 OK\r\nX-Cut: ye",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200",
    ],
)
def test_a_truncated_reply_is_never_accepted(reply: bytes) -> None:
    """Whatever exception the library raises, ours has one type. Read as a whole, in blocks, and by count."""
    with listening(once(reply)) as raw:
        target = host(raw.url)
        with pytest.raises(Unreachable):
            target.answer("GET", "/", {})
        if b"\r\n\r\n" not in reply:
            return  # a download must state its length, which the wire checks
        with pytest.raises(Unreachable), closing(target.open("GET", "/", {})) as response:
            list(response.blocks())
        with pytest.raises(Unreachable), closing(target.open("GET", "/", {})) as response:
            b"".join(iter(lambda: response.read(7), b""))


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_an_empty_reply_with_a_stated_length_is_accepted(reply: bytes) -> None:
    with listening(once(reply)) as raw:
        assert host(raw.url).answer("DELETE", "/", {}).body == b""


def test_a_complete_chunked_reply_keeps_its_connection() -> None:
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;ext=x\r\n}\r\n0\r\nTrailer: x\r\n\r\n"
    with listening(answers(reply)) as raw:
        target = host(raw.url)
        assert [target.answer("GET", "/", {}).body for _ in range(3)] == [b"{}"] * 3
        assert len(raw.connections) == 1


def test_reading_by_count_and_in_blocks_gives_the_same_bytes() -> None:
    body = bytes(range(256)) * 9000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with listening(answers(reply)) as raw:
        target = host(raw.url)
        for count in (1 << 20, 4097, None):
            with closing(target.open("GET", "/", {})) as response:
                assert b"".join(iter(partial(response.read, count), b"")) == body
        with closing(target.open("GET", "/", {})) as response:
            blocks = list(response.blocks())
        assert b"".join(blocks) == body
        # How large the pieces are is up to the kernel. Only the last block may be smaller than what is worth to be passed on.
        assert max(map(len, blocks)) <= 1 << 20
        assert min(map(len, blocks[:-1])) >= 1 << 16


def test_small_pieces_are_joined() -> None:
    body = b"x" * 300_000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body
    with listening(once(reply)) as raw, closing(host(raw.url).open("GET", "/", {})) as response:
        _trickle(response)
        blocks = list(response.blocks())
    assert b"".join(blocks) == body
    assert len(blocks) == 1


def _trickle(response: Response) -> None:
    """Let each read return at most 1,000 bytes."""
    read = response._raw.read1
    vars(response._raw)["read1"] = lambda count: read(min(count, 1000))


def test_an_unfinished_reply_does_not_affect_the_next() -> None:
    with listening(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000, OK)) as raw:
        target = host(raw.url)
        with closing(target.open("GET", "/", {})) as response:
            response.read(10)
        assert len(target.answer("GET", "/", {}).body) == 200_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["host", "scheme", "port", "itself", "nowhere"])
def test_no_redirect_is_followed(status: int, to: str) -> None:
    """A redirect would send the key, and for 307 and 308 the body, to any server that the first one names."""
    others: list[bytes] = []
    requests: list[bytes] = []
    location = ""

    def moved(connection: socket.socket) -> None:
        while request := head(connection):
            requests.append(request)
            line = f"Location: {location}\r\n" if location else ""
            connection.sendall(f"HTTP/1.1 {status} Moved\r\n{line}Content-Length: 0\r\n\r\n".encode())

    with listening(record_requests(others, OK)) as other, listening(moved) as raw:
        location = {
            "host": f"http://localhost:{other.port}/x",
            "scheme": f"https://127.0.0.1:{other.port}/x",
            "port": f"http://127.0.0.1:{other.port}/x",
            "itself": f"{raw.url}/again",
            "nowhere": "",
        }[to]
        with pytest.raises(Unexpected) as caught:
            host(raw.url).answer("POST", "/v1/algorithms/me", {"Authorization": "Simple k", "X-Own": "1"})
    assert (len(requests), others) == (1, [])
    target = location.partition("//")[2].partition("/")[0] or "nowhere"
    assert caught.value.message.startswith(f"POST /v1/algorithms/me: {status}, a redirect to {target};")
    assert caught.value.status == status


def test_the_machine_adds_nothing_to_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """netrc would replace the Authorization header, and http_proxy would receive the key in clear. Cookies are not kept."""
    (tmp_path / ".netrc").write_text("default login mallory password hunter2\n")
    (tmp_path / ".netrc").chmod(0o600)
    others: list[bytes] = []
    requests: list[bytes] = []
    with (
        listening(record_requests(others, OK)) as proxy,
        listening(record_requests(requests, OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n"))) as raw,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        for target in (host(raw.url), Host(raw.url, SettingNames(), Net(Proxies.read({"HTTP_PROXY": proxy.url})), None)):
            for _ in range(2):
                target.answer("GET", "/a%2Fb?c=%2F", {"Authorization": "Simple k/+="})
    assert others == []
    lines = [sorted(request.decode().split("\r\n")) for request in requests]
    wanted = ["", "", "Accept-Encoding: identity", "Authorization: Simple k/+=", "GET /a%2Fb?c=%2F HTTP/1.1"]
    wanted += [f"Host: 127.0.0.1:{raw.port}", "User-Agent: algosync"]
    assert lines == [wanted] * 4


def test_a_failed_status_raises() -> None:
    for status in (100 + 99, 300, 304, 400, 404, 500, 599, 999):
        reply = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
        with listening(once(reply)) as raw, pytest.raises(ClusterError):
            host(raw.url).answer("GET", "/", {})


def test_connections_are_shared_only_with_the_same_host() -> None:
    with listening(answers(OK)) as raw, listening(answers(OK)) as other:
        api = host(raw.url)
        git = SettingNames("DESTINATION_GIT_ADDRESS")
        same, apart = api.at(raw.url, git), api.at(other.url, git)
        for target in (api, same, apart):
            target.answer("GET", "/", {})
        assert (len(raw.connections), len(other.connections)) == (1, 1)
    with pytest.raises(Unreachable) as caught:
        apart.answer("GET", "/", {})
    assert caught.value.hint == "look at DESTINATION_GIT_ADDRESS"
