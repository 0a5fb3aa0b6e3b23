"""The wire with servers that lie, break off, redirect or refuse: each gives a typed error, never a wrong result."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone

import pytest

from algosync.cluster.address import parse
from algosync.cluster.connection import Cluster, connect
from algosync.cluster.wire import JsonReply
from algosync.core.credential import credential
from algosync.core.error import (
    AlgosyncError,
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    TestFailed,
    Throttled,
    TransferError,
    Unexpected,
    Unreachable,
)
from algosync.net import Net, Retry

KEY = "simKEY/+=KEY"


def whole_request(connection: socket.socket) -> bytes:
    """Read headers and body, which may arrive separately."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65536)):
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0 and (piece := connection.recv(missing)):
        received += piece
        missing -= len(piece)
    return received


@contextmanager
def server(reply: bytes, requests: list[bytes] | None = None) -> Iterator[Cluster]:
    """Send the same bytes to every client, and close."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):  # the client may close the connection before it has all of the reply
                    received = whole_request(connection)
                    if requests is not None:
                        requests.append(received)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield connect(
            parse(f"http://127.0.0.1:{listener.getsockname()[1]}", "test"),
            credential(KEY, "test"),
            Net(retry=Retry(pause=lambda _: None)),
        )
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close"]
    if not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in headers):
        lines.insert(1, f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def wrapped(code: int, message: str = "no") -> bytes:
    return json.dumps({"error": {"id": "req-1", "code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (http("401 Unauthorized", b'{"error":{"message":"authorization required"}}'), Denied),
        (http("403 Forbidden", wrapped(2001)), Denied),
        (http("400 Bad Request", wrapped(2002)), Denied),
        (http("404 Not Found", b'{"error":"No such algorithm"}'), NotFound),
        (http("400 Bad Request", wrapped(1002)), Conflict),
        (http("400 Bad Request", b'{"id":"x","code":1007,"message":"published"}'), Conflict),
        (http("409 Conflict", b""), Conflict),
        (http("429 Too Many", b"slow down"), Throttled),
        (http("503 Unavailable", b"<html>"), Throttled),
        (http("500 Oops", b"Internal Server Error"), Unexpected),
        (http("500 Oops", wrapped(0, "404 not found")), Unexpected),
        (http("307 Moved", b"", "Location: https://evil.example.com/"), Unexpected),
        (http("200 OK", b"<html>login</html>"), Unexpected),
        (http("200 OK", b""), Unexpected),
        (http("200 OK", b"[]"), Unexpected),
        (http("200 OK", b"[" * 100_000), Unexpected),
        (http("200 OK", b'{"error":{"message":"no"}}'), ClusterError),
        (http("200 OK", b'{"details":', "Content-Length: 4000"), Unreachable),
        (b"nonsense\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Unreachable),
        (b"", Unreachable),
    ],
)
def test_each_invalid_reply_has_its_error(reply: bytes, error: type[ClusterError]) -> None:
    with server(reply) as cluster, pytest.raises(ClusterError) as caught:
        cluster.algorithms.read("me", "Hello")
    assert type(caught.value) is error
    assert "GET /v1/algorithms/me/Hello" in caught.value.message
    assert KEY not in caught.value.message


def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(Unreachable):
        connect(
            parse(address, "test"),
            credential(KEY, "test"),
            Net(retry=Retry(pause=lambda _: None)),
        ).algorithms.read("me", "Hello")


def test_code_and_request_id_are_kept_and_control_characters_removed() -> None:
    body = b'{"error":{"id":"req-\\u001b[2J","code":2001,"message":"\\u001b]0;owned\\u0007 no"}}'
    with server(http("403 Forbidden", body)) as cluster, pytest.raises(Denied) as caught:
        cluster.algorithms.read("me", "Hello")
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (403, 2001, "req-\\x1b[2J")
    assert caught.value.message.endswith("403 \\x1b]0;owned\\x07 no")


def test_the_key_is_in_one_header_and_no_compression_is_requested() -> None:
    seen: list[bytes] = []
    with server(http("200 OK", b"{}"), seen) as cluster:
        cluster.algorithms.read("me", "Hello")
    head = seen[0].decode()
    assert head.count(KEY) == 1
    assert f"Authorization: Simple {KEY}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head


def download(cluster: Cluster) -> bytes:
    with cluster.data.open("me", "models", "a b#?.bin") as file:
        return b"".join(file.blocks)


def test_a_download_is_complete_and_its_name_unchanged() -> None:
    seen: list[bytes] = []
    with server(http("200 OK", b"12345", "X-Data-Type: file"), seen) as cluster:
        assert download(cluster) == b"12345"
    assert seen[0].startswith(b"GET /v1/data/me/models/a%20b%23%3F.bin HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (http("200 OK", b"123", "Content-Length: 5"), Unreachable),
        (http("200 OK", b"12345", "X-Data-Type: directory"), NotFound),
        (http("203 Changed", b"12345"), Unexpected),
        (http("206 Partial Content", b"12345", "Content-Range: bytes 0-4/9"), Unexpected),
        (http("404 Not Found", b'{"error":{"message":"path not found"}}'), NotFound),
        (http("302 Found", b"", "Location: http://127.0.0.1:1/"), Unexpected),
    ],
)
def test_an_incomplete_download_is_refused(reply: bytes, error: type[ClusterError]) -> None:
    with server(reply) as cluster, pytest.raises(ClusterError) as caught:
        download(cluster)
    assert type(caught.value) is error


@pytest.mark.parametrize("name", [".", "..", ""])
def test_names_that_no_url_can_hold_are_refused(name: str) -> None:
    with server(b"") as cluster, pytest.raises(ValueError, match="cannot be named"):
        cluster.data.put("me", "models", name, [], 0)


PAGES: list[tuple[str, object]] = [
    ("the same marker for ever", {"files": [], "marker": "again"}),
    ("no object", []),
    ("a file without a size", {"files": [{"filename": "a", "last_modified": "2021-01-01T00:00:00.000Z"}]}),
    ("a file that is none", {"files": ["a"]}),
    ("files that are none", {"files": {"a": 1}}),
]


@pytest.mark.parametrize(("what", "page"), PAGES, ids=[what for what, _ in PAGES])
def test_a_listing_that_lies_or_never_ends_is_refused(what: str, page: object) -> None:
    with server(http("200 OK", json.dumps(page).encode())) as cluster, pytest.raises(Unexpected):
        cluster.data.files("me", "models")


@pytest.mark.parametrize(
    ("date", "trusted"),
    [
        ("Date: Thu, 04 Mar 2021 05:06:11 GMT", True),
        ("Date: Thu, 04 Mar 2021 05:06:10 GMT", False),
        ("Date: Wed, 03 Mar 2021 05:06:08 GMT", False),
        ("Date: soon", False),
        ("X-Nothing: x", False),
    ],
)
def test_a_stamp_is_trusted_when_the_servers_own_clock_says_it_is_old_enough(date: str, trusted: bool) -> None:
    page = {"files": [{"filename": "a", "size": 3, "last_modified": "2021-03-04T05:06:07.000Z"}]}
    with server(http("200 OK", json.dumps(page).encode(), date)) as cluster:
        stat = cluster.data.files("me", "models")["a"]
    assert stat.size == 3
    assert stat.stamp == ("3@2021-03-04T05:06:07.000Z" if trusted else None)
    assert (stat.mark, stat.written) == ("3@2021-03-04T05:06:07.000Z", datetime(2021, 3, 4, 5, 6, 7, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    ("acl", "readers"),
    [
        ({"read": []}, ()),
        ({"read": ["algo://.my/*"]}, ("algo://.my/*",)),
        ({"read": ["user://jane", "user://*"]}, ("user://jane", "user://*")),
        (None, None),
        ({}, None),
        (["user://*"], None),
        ({"read": "user://*"}, None),
        ({"read": ["user://*", 1]}, None),
        ({"read": ["\ud800"]}, None),
        ({"read": ["x" * 501]}, None),
        ({"read": ["x"] * 101}, None),
    ],
)
def test_an_acl_of_an_unknown_form_is_not_told(acl: object, readers: object) -> None:
    requests: list[bytes] = []
    page = {"files": [{"filename": "a", "size": 3, "last_modified": "2021-03-04T05:06:07.000Z"}], "acl": acl}
    with server(http("200 OK", json.dumps(page).encode()), requests) as cluster:
        found = cluster.data.listing("me", "models")
    assert (found.readers, found.files["a"].size) == (readers, 3)
    assert requests[0].startswith(b"GET /v1/data/me/models?acl=true HTTP")


def test_the_acl_comes_with_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    file = {"size": 3, "last_modified": "2021-03-04T05:06:07.000Z"}
    pages = [
        {"files": [{**file, "filename": "a"}], "marker": "next", "acl": {"read": []}},
        {"files": [{**file, "filename": "b"}], "acl": {"read": ["user://*"]}},
    ]
    queries: list[object] = []
    with server(b"") as cluster:

        def reply(*_: object, query: object) -> JsonReply:
            queries.append(query)
            return JsonReply(200, pages[len(queries) - 1], None)

        monkeypatch.setattr(cluster.wire, "json", reply)
        found = cluster.data.listing("me", "models")
    assert found.readers == ()
    assert found.files.keys() == {"a", "b"}
    assert queries == [{"acl": "true"}, {"marker": "next"}]


def test_the_owner_of_the_key_comes_first() -> None:
    with server(http("200 OK", b'{"folders":[{"name":"jane"},{"name":"org"}]}')) as cluster:
        assert cluster.data.owners() == ("jane", "org")
    with server(http("200 OK", b"{}")) as cluster, pytest.raises(Unexpected):
        cluster.data.owners()


@pytest.mark.parametrize("member", ["stacktrace", "stack_trace"])
def test_an_algorithms_failure_keeps_its_message_and_trace(member: str) -> None:
    body = json.dumps({"error": {"message": "boom", "error_type": "AlgorithmError", member: "line 1\nline 2"}}).encode()
    with server(http("200 OK", body)) as cluster, pytest.raises(TestFailed) as caught:
        cluster.algorithms.call("me", "Hello", "0.1.0", "1", 60)
    assert (caught.value.message, caught.value.error_type, caught.value.trace) == ("boom", "AlgorithmError", "line 1\nline 2")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "", "stacktrace": 'File "src/a.py", line 2\nAssertionError\n'}, "AssertionError"),
        ({"message": None, "stack_trace": "MemoryError"}, "MemoryError"),
        ({"message": " ", "stacktrace": ""}, "the algorithm failed"),
        ({"stacktrace": 7}, "the algorithm failed"),
    ],
)
def test_a_failure_without_message_uses_the_trace(error: dict[str, object], message: str) -> None:
    with server(http("200 OK", json.dumps({"error": error}).encode())) as cluster, pytest.raises(TestFailed) as caught:
        cluster.algorithms.call("me", "Hello", "0.1.0", "1", 60)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (http("404 Not Found", b'{"error":{"message":"no version hash"}}'), NotFound),
        (http("401 Unauthorized", b""), Denied),
        (http("302 Found", b"", "Location: http://127.0.0.1:1/"), Unexpected),
        (http("200 OK", b"<html>"), Unexpected),
        (http("200 OK", b"{}"), Unexpected),
        (http("200 OK", b'{"result": 1}'), Unexpected),
        (b"", Unreachable),
    ],
)
def test_calls_through_the_official_client_fail_as_typed_errors(reply: bytes, error: type[AlgosyncError]) -> None:
    with server(reply) as cluster, pytest.raises(AlgosyncError) as caught:
        cluster.algorithms.call("me", "Hello", "0.1.0", "1", 60)
    assert type(caught.value) is error


def test_the_official_client_sends_our_key_in_any_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its own HTTP code would prefer netrc to the key, and use proxies and CA files from the environment (PLATFORM.md §1.1)."""
    folder = tmp_path_factory.mktemp("home")
    (folder / ".netrc").write_text("default login mallory password hunter2\n")
    (folder / ".netrc").chmod(0o600)
    for name, value in {
        "HOME": str(folder),
        "NETRC": str(folder / ".netrc"),
        "HTTP_PROXY": "http://127.0.0.1:1",
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "ALGORITHMIA_API_KEY": "other",
        "ALGORITHMIA_API": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    seen: list[bytes] = []
    answer = b'{"result": 1, "metadata": {"content_type": "json", "duration": 0.1}}'
    with server(http("200 OK", answer), seen) as cluster:
        cluster.algorithms.call("me", "Hello", "abc", '{"n": 1.50}', 7)
    head, _, body = seen[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /v1/algo/me/Hello/abc?timeout=7&stdout=True HTTP/1.1\r\n")
    assert f"Authorization: Simple {KEY}" in head
    assert "mallory" not in head
    assert "Content-Type: application/json" in head
    assert body == '{"n": 1.50}'


def test_an_owner_name_that_the_official_client_rejects() -> None:
    seen: list[bytes] = []
    answer = b'{"result": 1, "metadata": {"content_type": "json", "duration": 0.1}}'
    with server(http("200 OK", answer), seen) as cluster:
        cluster.algorithms.call("my-org.x", "Hello", "0.1.0", "1", 7)
        cluster.algorithms.create("my-org.x", "Hello", {"label": "Hello"}, {"license": "apl"})
    call, create = (request.decode().partition("\r\n\r\n") for request in seen)
    assert call[0].startswith("POST /v1/algo/my-org.x/Hello/0.1.0?timeout=7&stdout=True HTTP/1.1\r\n")
    assert create[0].startswith("POST /v1/algorithms/my-org.x HTTP/1.1\r\n")
    assert json.loads(create[2]) == {"name": "Hello", "details": {"label": "Hello"}, "settings": {"license": "apl"}}


def test_a_relay_whose_source_ends_early_is_an_error() -> None:
    from algosync.cluster.transfer import File, digest_file

    with server(http("200 OK", b"12345")) as cluster:
        digest, size = digest_file(File(cluster.data, ("me", "models", "a")), lambda _: None, cluster.retry)
    assert (digest[:12], size) == ("5994471abb01", 5)
    with server(http("200 OK", b"123", "Content-Length: 5")) as cluster, pytest.raises((TransferError, Unreachable)):
        digest_file(File(cluster.data, ("me", "models", "a")), lambda _: None, cluster.retry)


def test_an_upload_that_is_accepted_before_all_of_it_was_sent_is_an_error() -> None:
    """The digest is that of what was sent, so it would be that of a part."""
    closed = threading.Event()

    def blocks() -> Iterator[bytes]:
        yield b"x" * 1000
        assert closed.wait(60)
        for _ in range(100):  # the connection breaks at one of them
            yield b"x" * 100_000

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                received = b""
                while not received.endswith(b"x" * 1000):
                    received += connection.recv(65536)
                connection.sendall(http("200 OK", b"{}", "Content-Length: 2"))
            closed.set()

        threading.Thread(target=serve, daemon=True).start()
        address = parse(f"http://127.0.0.1:{listener.getsockname()[1]}", "test")
        cluster = connect(address, credential(KEY, "test"), Net(retry=Retry(pause=lambda _: None)))
        with pytest.raises(Unexpected, match="before all bytes were sent"):
            cluster.data.put("me", "models", "a", blocks(), 10_001_000)
