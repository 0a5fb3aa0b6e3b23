"""The exact bytes that each kind of fault sends, over TCP and over TLS."""

import contextlib
import gzip
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import until
from faulty_cluster import CONTENT, FILE, FaultyCluster, RawAnswer, faulty_cluster, parsed, read

OK = "HTTP/1.1 200 OK"
HEAD = {"x-data-type": "file", "content-length": "5120", "content-type": "application/octet-stream"}
UNSIZED = {"x-data-type": "file", "content-type": "application/octet-stream"}


@pytest.fixture(scope="module", params=["tcp", "tls"])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, environments: Path
) -> Iterator[FaultyCluster]:
    options = ["--tls"] if request.param == "tls" else []
    with faulty_cluster(tmp_path_factory.mktemp("faulty") / "root", environments, *options) as running:
        yield running


def seen(answer: RawAnswer) -> tuple[str, dict[str, str], bytes, str]:
    return answer.start, answer.headers, answer.body, answer.end


@pytest.mark.parametrize(
    ("then", "headers", "body", "end"),
    [
        ({"truncate": 1000}, HEAD, CONTENT[:1000], "FIN"),
        ({"truncate": 0}, HEAD, b"", "FIN"),
        ({"truncate": 9999}, HEAD, CONTENT[:-1], "FIN"),
        ({"length": "missing"}, {**UNSIZED, "connection": "close"}, CONTENT, "FIN"),
        ({"gzip": "stored"}, {**HEAD, "content-encoding": "gzip"}, CONTENT, "open"),
        ({"length": 7}, {**HEAD, "content-length": "5127"}, CONTENT, "FIN"),
        ({"length": -7}, {**HEAD, "content-length": "5113"}, CONTENT, "FIN"),
        ({"chunked_cut": 10}, {**UNSIZED, "transfer-encoding": "chunked"}, b"1400\r\n" + CONTENT[:10], "FIN"),
        ({"chunked_cut": 5120}, {**UNSIZED, "transfer-encoding": "chunked"}, b"1400\r\n" + CONTENT, "FIN"),
        ({"corrupt": 3}, HEAD, CONTENT[:3] + b"\x02" + CONTENT[4:], "open"),
        ({"corrupt": 9999}, HEAD, CONTENT[:-1] + b"\xfe", "open"),
        (
            {"headers": 3},
            {**HEAD, "connection": "close", "x-junk-0": "junk", "x-junk-1": "junk", "x-junk-2": "junk"},
            CONTENT,
            "FIN",
        ),
        ({"delay": 0}, HEAD, CONTENT, "open"),
        ({"drip": 1e6}, HEAD, CONTENT, "open"),
        ({"drip_header": 1e6}, {**HEAD, "connection": "close"}, CONTENT, "FIN"),
        ({"reset": "body"}, HEAD, CONTENT[:2560], "RST"),
        ({"close": "body"}, HEAD, CONTENT[:2560], "FIN"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_answer_is_damaged(
    cluster: FaultyCluster, then: dict[str, object], headers: dict[str, str], body: bytes, end: str
) -> None:
    cluster.inject("GET *", then)
    assert seen(cluster.ask()) == (OK, headers, body, end)
    kind = next(iter(then))
    assert cluster.last() == {"caller": "local", "method": "GET", "path": FILE, "status": 200, "bytes": 5120, "fault": kind}
    assert seen(cluster.ask()) == (OK, HEAD, CONTENT, "open")


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_the_connection_ends_without_an_answer(cluster: FaultyCluster, kind: str) -> None:
    """Before: the request is not performed. After: it is performed, and the answer is lost."""
    end = {"reset": "RST", "close": "FIN"}[kind]
    for moment, name, there in [("before", "a", 404), ("request", "b", 404), ("after", "c", 200)]:
        path = f"/v1/data/.my/box/{kind}-{name}"
        cluster.inject("PUT *", {kind: moment})
        answer = cluster.ask("PUT", path, b"12345678")
        assert (answer.raw, answer.end) == (b"", end)
        assert cluster.site.request("HEAD", path).status == there


@pytest.mark.parametrize(("then", "end"), [({"reset": "headers"}, "RST"), ({"close": "headers"}, "FIN")], ids=str)
def test_the_connection_ends_within_the_head(cluster: FaultyCluster, then: object, end: str) -> None:
    whole = cluster.ask().raw
    head = whole[: whole.index(b"\r\n\r\n") + 4]
    cluster.inject("GET *", then)
    answer = cluster.ask()
    # The dates differ, but have the same length.
    assert (answer.raw, answer.end) == (head[: len(head) // 2], end)


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_the_connection_ends_within_the_request(cluster: FaultyCluster, kind: str) -> None:
    """The client sends only half of the body."""
    cluster.inject("PUT *", {kind: "request"})
    answer = cluster.ask("PUT", f"/v1/data/.my/box/half-{kind}", b"12345", length=10)
    assert (answer.raw, answer.end) == (b"", {"reset": "RST", "close": "FIN"}[kind])
    assert cluster.site.request("HEAD", f"/v1/data/.my/box/half-{kind}").status == 404


def test_unrequested_gzip(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"gzip": "whole"})
    answer = cluster.ask()
    assert (answer.start, answer.headers["content-encoding"], answer.end) == (OK, "gzip", "open")
    assert gzip.decompress(answer.body) == CONTENT
    cluster.inject("GET *", {"gzip": "truncated"})
    half = cluster.ask()
    assert (half.headers["content-encoding"], half.end) == ("gzip", "open")
    assert half.body == answer.body[: len(answer.body) // 2]
    assert CONTENT.startswith(zlib.decompressobj(31).decompress(half.body))


@pytest.mark.parametrize(
    ("then", "start", "headers", "body"),
    [
        ({"status": 503}, "HTTP/1.1 503 Service Unavailable", {"content-length": "0"}, b""),
        (
            {"status": 429, "retry_after": "Wed, 21 Oct 2099 07:28:00 GMT", "body": "<p>é", "headers": {"X-Odd": "a \x1b[1m\xe9"}},
            "HTTP/1.1 429 Too Many Requests",
            {
                "content-type": "text/html",
                "x-odd": "a \x1b[1m\xe9",
                "retry-after": "Wed, 21 Oct 2099 07:28:00 GMT",
                "content-length": "5",
            },
            "<p>é".encode(),
        ),
        (
            {"status": 400, "body": "{}", "headers": {"Content-Type": "text/json"}},
            "HTTP/1.1 400 Bad Request",
            {"content-type": "text/json", "content-length": "2"},
            b"{}",
        ),
        (
            {"redirect": "https://elsewhere.example/v1?a=b"},
            "HTTP/1.1 307 Temporary Redirect",
            {"location": "https://elsewhere.example/v1?a=b", "content-length": "0"},
            b"",
        ),
        (
            {"redirect": "/x", "status": 301},
            "HTTP/1.1 301 Moved Permanently",
            {"location": "/x", "content-length": "0"},
            b"",
        ),
        ({"body": "<html>"}, OK, {"content-type": "text/html", "content-length": "6"}, b"<html>"),
        ({"body": "x", "type": "text/x"}, OK, {"content-type": "text/x", "content-length": "1"}, b"x"),
        ({"empty": True}, OK, {"content-length": "0"}, b""),
        ({"shape": {"a": [None]}}, OK, {"content-type": "application/json", "content-length": "13"}, b'{"a": [null]}'),
        ({"shape": None}, OK, {"content-type": "application/json", "content-length": "4"}, b"null"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_another_answer_without_performing_the_request(
    cluster: FaultyCluster, then: object, start: str, headers: dict[str, str], body: bytes
) -> None:
    path = "/v1/data/.my/box/instead"
    cluster.inject("PUT *", then)
    assert seen(cluster.ask("PUT", path, b"x" * 300_000)) == (start, headers, body, "open")
    last = cluster.last()
    assert (last["caller"], last["status"], last["bytes"]) == (None, int(start.split()[1]), len(body))
    assert cluster.site.request("HEAD", path).status == 404


def test_a_lost_success(cluster: FaultyCluster) -> None:
    path = "/v1/data/.my/box/lost"
    cluster.inject("PUT *", {"status": 502, "after": True})
    assert seen(cluster.ask("PUT", path, b"x")) == ("HTTP/1.1 502 Bad Gateway", {"content-length": "0"}, b"", "open")
    assert cluster.last()["status"] == 200
    assert cluster.site.request("GET", path).body == b"x"


def test_an_answer_without_a_body_lacks_the_end_of_its_head(cluster: FaultyCluster) -> None:
    whole = cluster.ask("HEAD").raw
    assert whole.endswith(b"\r\n\r\n")
    for then, end in [({"truncate": 5}, "FIN"), ({"reset": "body"}, "RST"), ({"close": "body"}, "FIN")]:
        cluster.inject("HEAD *", then)
        answer = cluster.ask("HEAD")
        assert (answer.end, len(answer.raw), answer.raw[-2:]) == (end, len(whole) - 2, b"\r\n")
    cluster.inject("HEAD *", {"length": 7})
    with contextlib.closing(cluster.connect()) as connection:
        cluster.send(connection, "HEAD", FILE)
        assert parsed(*read(connection, whole=False)).headers == {**HEAD, "content-length": "5127"}


def test_a_stalled_answer_stays_open_and_blocks_no_other_request(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"stall": 2000})
    with contextlib.closing(cluster.connect()) as connection:
        cluster.send(connection, "GET", FILE)
        received = b""
        while not received.endswith(b"\r\n\r\n" + CONTENT[:2000]):
            received += connection.recv(65536)
        answer = parsed(received, "")
        assert (answer.headers, answer.body) == (HEAD, CONTENT[:2000])
        assert cluster.ask().body == CONTENT
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_an_endless_answer_never_ends_and_blocks_no_other_request(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"endless": True})
    with contextlib.closing(cluster.connect()) as connection:
        cluster.send(connection, "GET", FILE)
        size = 0
        while size < 20_000_000:
            size += len(connection.recv(1_000_000))
        assert cluster.ask().body == CONTENT
        assert connection.recv(1_000_000)


@pytest.mark.parametrize(
    ("then", "least"), [({"drip": 51_200}, 0.09), ({"drip_header": 1000}, 0.1), ({"delay": 0.1}, 0.1)], ids=str
)
def test_slow_answers(cluster: FaultyCluster, then: object, least: float) -> None:
    cluster.inject("GET *", then)
    began = time.monotonic()
    assert cluster.ask().body == CONTENT
    assert time.monotonic() - began >= least


def test_a_hundred_thousand_headers(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"headers": 100_000})
    answer = cluster.ask()
    assert (len(answer.headers), answer.body, answer.end) == (100_004, CONTENT, "FIN")


def test_a_long_body_is_cut_exactly(cluster: FaultyCluster) -> None:
    """The body is longer than the kernel's buffers. All bytes before the cut arrive."""
    content = bytes(8_000_000)
    path = "/v1/data/.my/box/long"
    assert cluster.site.request("PUT", path, content).status == 200
    cluster.inject("GET *", {"truncate": 7_000_001})
    answer = cluster.ask("GET", path)
    assert (len(answer.body), answer.headers["content-length"], answer.end) == (7_000_001, "8000000", "FIN")


def test_earlier_requests_on_the_connection_are_unaffected(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"reset": "after"}, nth=3)
    with contextlib.closing(cluster.connect()) as connection:
        for _ in range(2):
            cluster.send(connection, "GET", FILE)
            assert parsed(*read(connection)).body == CONTENT
        cluster.send(connection, "GET", FILE)
        assert read(connection) == (b"", "RST")


def test_a_delayed_request_is_not_performed_if_its_client_leaves(cluster: FaultyCluster) -> None:
    path = "/v1/data/.my/box/late"
    cluster.inject("PUT *", {"delay": 60})
    with contextlib.closing(cluster.connect()) as connection:
        cluster.send(connection, "PUT", path, b"x")
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    until(lambda: cluster.last()["path"] == path)
    assert (cluster.last()["status"], cluster.last()["fault"]) == (0, "delay")
    assert cluster.site.request("HEAD", path).status == 404


@pytest.mark.parametrize("then", [{"close": "before"}, {"truncate": 1000}, {"stall": 1000}], ids=str)
def test_nothing_is_sent_between_a_fault_and_the_end(cluster: FaultyCluster, then: dict[str, object]) -> None:
    """Not even `100 Continue` to a client that expects it. `faulty_cluster` asserts that the server's stderr is empty."""
    cluster.inject("GET *", then)
    with contextlib.closing(cluster.connect()) as connection:
        head = f"GET {FILE} HTTP/1.1\r\nHost: {cluster.site.host}\r\nAuthorization: Simple {cluster.site.key}\r\n"
        connection.sendall(f"{head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        if "stall" in then:
            received = b""
            while not received.endswith(CONTENT[:1000]):
                received += connection.recv(65536)
            connection.sendall(b"12345" + bytes(1_000_000))
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        else:
            received, end = read(connection)
            assert (received.partition(b"\r\n\r\n")[2], end) == (CONTENT[:1000] if "truncate" in then else b"", "FIN")
    assert cluster.ask().body == CONTENT


def test_a_connection_that_the_client_resets_first_is_closed(cluster: FaultyCluster) -> None:
    path = f"{FILE}?first"
    cluster.set([{"match": f"GET {path}", "then": {"close": "before"}, "times": "always"}])
    for _ in range(20):
        connection = cluster.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        cluster.send(connection, "GET", path)
        connection.close()
    assert cluster.ask().body == CONTENT
    until(lambda: not open_connections(cluster))


def open_connections(cluster: FaultyCluster) -> list[str]:
    """The states of the server's open connections, without its listening socket."""
    port = int(cluster.site.host.rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    own = [row for row in rows if int(row[1].rpartition(":")[2], 16) == port]
    return [row[3] for row in own if row[3] not in {"0A", "06"}]


def test_the_helper_recognises_a_reset() -> None:
    """`read` returns RST for a reset by the kernel."""
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        accepted = listener.accept()[0]
        client.sendall(b"unread")
        accepted.recv(1)
        accepted.close()
        assert read(client) == (b"", "RST")


def test_an_interim_answer_comes_before_the_answer(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"interim": 103})
    answer = cluster.ask()
    assert answer.raw.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert (answer.raw.endswith(CONTENT), answer.end) == (True, "FIN")


def test_an_answer_of_http_1_0_has_no_length(cluster: FaultyCluster) -> None:
    cluster.inject("GET *", {"version": "1.0"})
    answer = cluster.ask()
    assert (answer.start, answer.headers, answer.body, answer.end) == ("HTTP/1.0 200 OK", UNSIZED, CONTENT, "FIN")
