"""Replies over a connection that an earlier request has opened. They are read in another way, with the same result."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import cast

import pytest
import urllib3
from fakeclock import HANG, FakeTime
from harness import certificate
from rawserver import OK, answers, arrived, head, host, listening
from test_statuses_and_framing import BODY, COMPLETE, INCOMPLETE, LENGTH, by_path

from algosync.core.error import AlgosyncError, ClusterError, Denied, Interrupted, TimedOut, Unexpected, Unreachable
from algosync.net import CompleteReply, Host, Response
from algosync.net.quick_exchange import Headers, plain_reply, request_head
from algosync.net.request import Request

PLAIN = b"HTTP/1.1 200 OK\r\nDate: now\r\nX-Data-Type: directory\r\n" + LENGTH + b"\r\n" + BODY


def after_a_first(send: Callable[[socket.socket], object], *, again: bool = False) -> Callable[[socket.socket], None]:
    """Answer the first request of each connection plainly, and let `send` answer the second one, or all further ones if `again`."""

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(OK)
        while head(connection):
            send(connection)
            if not again:
                return

    return script


@pytest.fixture
def slow_requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of requests that urllib3 sends, and not we."""
    found: list[str] = []
    real = urllib3.PoolManager.urlopen

    def urlopen(self: urllib3.PoolManager, method: str, url: str, *args: object, **options: object) -> object:
        found.append("/" + url.split("/", 3)[3])
        return real(self, method, url, *args, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(urllib3.PoolManager, "urlopen", urlopen)
    return found


def test_all_reads_but_the_first_need_neither_urllib3_nor_a_new_connection(slow_requests: list[str]) -> None:
    with listening(answers(PLAIN)) as raw:
        target = host(raw.url)
        replies = [target.answer("GET", f"/{number}?a=b", {"X": "y z"}) for number in range(100)]
        assert {(reply.status, reply.body, reply.headers["x-data-type"]) for reply in replies} == {(200, BODY, "directory")}
        assert (slow_requests, len(raw.connections)) == (["/0?a=b"], 1)


def test_a_read_over_a_kept_connection_is_the_same_request() -> None:
    requests: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while request := head(connection):
            requests.append(request)
            connection.sendall(OK)

    with listening(script) as raw:
        target = host(raw.url)
        for _ in range(2):
            target.answer("GET", "/a/b?c=%20", {"Authorization": "Simple key", "User-Agent": "git/algosync"})
    first, second = (sorted(request.lower().split(b"\r\n")) for request in requests)
    assert first == second


@pytest.mark.parametrize("name", COMPLETE)
def test_every_framing_is_read_to_its_end(name: str) -> None:
    with listening(after_a_first(lambda connection: connection.sendall(COMPLETE[name]))) as raw:
        target = host(raw.url)
        assert [target.answer("GET", "/", {}).body for _ in range(2)] == [b"{}", BODY]
        assert len(raw.connections) == 1


@pytest.mark.parametrize("name", INCOMPLETE)
def test_an_unclear_end_is_a_broken_connection(name: str) -> None:
    with listening(after_a_first(lambda connection: connection.sendall(INCOMPLETE[name]))) as raw:
        target = host(raw.url)
        target.answer("GET", "/", {})
        with pytest.raises(Unreachable) as caught:
            target.answer("GET", "/", {})
        assert caught.value.sent


@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.parametrize("reply", [PLAIN, COMPLETE["chunks"], COMPLETE["no reason"]])
def test_a_reply_in_pieces_is_the_same_reply(reply: bytes, size: int) -> None:
    def send(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(reply), size):
            connection.sendall(reply[place : place + size])

    with listening(after_a_first(send, again=True)) as raw:
        target = host(raw.url)
        assert [target.answer("GET", "/", {}).body for _ in range(3)] == [b"{}", BODY, BODY]


def test_every_status_has_the_error_that_it_has_on_a_new_connection() -> None:
    def outcome(target: Host, status: int) -> tuple[object, ...]:
        try:
            reply = target.answer("GET", f"/{status}", {})
        except ClusterError as error:
            return type(error), error.message, error.status, error.code, error.hint, error.retry_after, error.body
        return reply.status, reply.body, sorted((name.lower(), value) for name, value in reply.headers.items())

    with listening(by_path) as raw:
        kept = host(raw.url)
        for status in (*range(100, 120), *range(200, 210), 226, *range(300, 310), *range(400, 432), *range(500, 512)):
            kept.answer("GET", "/200", {})
            assert outcome(kept, status) == outcome(host(raw.url), status), status


@pytest.mark.parametrize("unasked", [b"x", OK, b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"])
def test_bytes_that_nobody_asked_for_are_no_answer(unasked: bytes) -> None:
    was_read, sent = threading.Event(), threading.Event()

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(PLAIN)
        assert was_read.wait(HANG)
        was_read.clear()
        connection.sendall(unasked)
        arrived(connection)
        sent.set()
        connection.recv(1)

    with listening(script) as raw:
        target = host(raw.url)
        for number in range(1, 4):
            assert target.answer("GET", "/", {}).body == BODY
            assert len(raw.connections) == number
            was_read.set()
            assert sent.wait(HANG)
            sent.clear()


@pytest.mark.parametrize("size", [8, 9000, 70000])
@pytest.mark.parametrize("quick", [True, False])
def test_a_second_reply_that_tls_has_decrypted_already_is_no_answer(quick: bool, size: int, tmp_path: Path) -> None:
    """The bytes after a body are in the same record as its end, so the socket itself has nothing to read."""

    def send(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        connection.sendall(b"x" * size + PLAIN)

    def read(target: Host) -> bytes:
        if quick:
            return target.answer("GET", "/", {}).body
        with closing(target.open("GET", "/", {})) as response:
            return response.read_all()

    with listening(after_a_first(send, again=True), certificate(tmp_path / "server.pem", tmp_path / "cluster")) as raw:
        target = host(raw.secure, ca=tmp_path / "cluster/tls/ca.pem")
        assert [read(target) for _ in range(4)] == [b"{}", b"x" * size] * 2
        assert len(raw.connections) == 2


def tunnels(connection: socket.socket) -> None:
    """Carry out a CONNECT request."""
    port = int(head(connection).split()[1].rpartition(b":")[2])
    with socket.create_connection(("127.0.0.1", port)) as server:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=passed_on, args=(server, connection), daemon=True).start()
        passed_on(connection, server)


def passed_on(sender: socket.socket, receiver: socket.socket) -> None:
    with suppress(OSError):
        while piece := sender.recv(1 << 16):
            receiver.sendall(piece)
        receiver.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("stops", [True, False])
def test_a_stalled_reply_ends_behind_a_proxy_that_is_reached_with_tls(stops: bool, tmp_path: Path) -> None:
    begins = threading.Event()

    def send(connection: socket.socket) -> None:
        begins.set()
        connection.recv(1)

    fake, pem = FakeTime(), certificate(tmp_path / "server.pem", tmp_path / "cluster")
    with listening(after_a_first(send), pem) as raw, listening(tunnels, pem) as proxy:
        ca = tmp_path / "cluster/tls/ca.pem"
        thread, raised = asked(host(raw.secure, timeout=200, watch=fake.watch, proxy=proxy.secure, ca=ca))
        assert begins.wait(HANG)
        fake.watch.stop() if stops else fake.advance(201)
        thread.join(HANG)
        assert [type(error) for error in raised] == [Interrupted if stops else TimedOut]


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    closed = threading.Event()

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(PLAIN)
        connection.shutdown(socket.SHUT_WR)
        arrived(connection)
        closed.set()

    with listening(script) as raw:
        target = host(raw.url)
        for _ in range(3):
            assert target.answer("GET", "/", {}).body == BODY
            assert closed.wait(HANG)
            closed.clear()
        assert len(raw.connections) == 3


def asked(target: Host) -> tuple[threading.Thread, list[AlgosyncError]]:
    """A second request in a thread of its own, and what it raises."""
    raised: list[AlgosyncError] = []

    def run() -> None:
        try:
            target.answer("GET", "/", {})
        except AlgosyncError as error:
            raised.append(error)

    target.answer("GET", "/", {})
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


HALVES = {"nothing": b"", "headers": PLAIN[:30], "a body": PLAIN[:-3], "chunks": COMPLETE["chunks"][:-9]}


@pytest.mark.parametrize("begun", HALVES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stalled_reply_ends_at_its_deadline_and_when_the_run_stops(begun: str, scheme: str, tmp_path: Path) -> None:
    pem = certificate(tmp_path / "server.pem", tmp_path / "cluster") if scheme == "https" else None
    for stops in (False, True):
        begins = threading.Event()

        def send(connection: socket.socket) -> None:
            connection.sendall(HALVES[begun])
            begins.set()  # noqa: B023  # it is called in this round
            connection.recv(1)

        fake = FakeTime()
        with listening(after_a_first(send), pem) as raw:
            target = host(raw.secure if pem else raw.url, timeout=200, watch=fake.watch, ca=pem and tmp_path / "cluster/tls/ca.pem")
            thread, raised = asked(target)
            assert begins.wait(HANG)
            if stops:
                fake.watch.stop()
            else:
                fake.advance(199)
                assert not raised
                fake.advance(2)
            thread.join(HANG)
            assert [type(error) for error in raised] == [Interrupted if stops else TimedOut]


def test_a_reply_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host._quick, "__defaults__", (None, 1000))
    monkeypatch.setattr(Response.read_all, "__defaults__", (1000,))
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001
    with listening(after_a_first(lambda connection: connection.sendall(big))) as raw:
        target = host(raw.url)
        target.answer("GET", "/", {})
        with pytest.raises(Unexpected, match="longer than 1000 bytes"):
            target.answer("GET", "/", {})


CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def sent_body(connection: socket.socket, request: bytes) -> bytes:
    """The body of a request, as long as its head says."""
    body, left = b"", int(request.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < left and (piece := connection.recv(left - len(body))):
        body += piece
    return body


@pytest.mark.parametrize("content", [b"", b"x", b"y" * (64 << 10), b"z" * ((64 << 10) + 1)])
def test_a_small_write_over_a_kept_connection_is_the_same_request(content: bytes, slow_requests: list[str]) -> None:
    requests: list[bytes] = []
    bodies: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while request := head(connection):
            requests.append(request)
            bodies.append(sent_body(connection, request))
            connection.sendall(CREATED)

    with listening(script) as raw:
        target = host(raw.url)
        replies = [target.answer("PUT", "/a", {"Content-Type": "text/plain"}, content) for _ in range(2)]
    assert [(reply.status, reply.body) for reply in replies] == [(201, b"")] * 2
    assert bodies == [content] * 2
    first, second = (sorted(request.lower().split(b"\r\n")) for request in requests)
    assert first == second
    assert len(slow_requests) == (1 if len(content) <= 64 << 10 else 2)


def test_a_small_write_that_is_refused_tells_why() -> None:
    with listening(after_a_first(lambda connection: connection.sendall(REFUSED))) as raw:
        target = host(raw.url)
        target.answer("GET", "/", {})
        with pytest.raises(Denied):
            target.answer("PUT", "/a", {}, b"x" * 1000)


REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"


class ClosedForWriting:
    """A socket whose peer has replied and reads no further. What TLS raises then depends on what the system has told it."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def sendall(self, _: bytes) -> None:
        raise self._error

    def recv(self, _: int) -> bytes:
        return REFUSAL


@pytest.mark.parametrize("error", [BrokenPipeError(), ConnectionResetError(), ssl.SSLEOFError(8, "EOF occurred")])
def test_a_reply_that_came_before_the_request_was_sent_is_read(error: OSError) -> None:
    found = plain_reply(cast("socket.socket", ClosedForWriting(error)), b"PUT / HTTP/1.1\r\n\r\n", 1000)
    assert found == REFUSAL, "not 200 or 201, so http.client reads it"


def test_a_small_write_without_an_answer_may_have_happened() -> None:
    with listening(after_a_first(lambda connection: connection.close())) as raw:
        target = host(raw.url)
        target.answer("GET", "/", {})
        with pytest.raises(Unreachable) as caught:
            target.answer("PUT", "/a", {}, b"x")
    assert caught.value.sent


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/a b", {}),
        ("/a\r\nX: y", {}),
        ("/\xe4", {}),
        ("/", {"X": "a\r\nY: b"}),
        ("/", {"X\r\nY": "a"}),
        ("/", {"X": "a\0"}),
        ("/", {"X": ""}),
    ],
)
def test_a_request_that_is_not_plain_is_left_to_urllib3(path: str, headers: dict[str, str]) -> None:
    assert request_head(Request("GET", "/a", {"X": "a b"}), "host") == b"GET /a HTTP/1.1\r\nHost: host\r\nX: a b\r\n\r\n"
    assert request_head(Request("GET", path, headers), "host") is None


def test_headers_have_any_case_and_repeated_ones_are_joined() -> None:
    headers = Headers(b"HTTP/1.1 200 OK\r\nA-b: 1\r\nX:\t2 \r\na-B:3\r\nEmpty:\r\n\r\n")
    assert dict(headers) == {"a-b": "1, 3", "x": "2", "empty": ""}
    assert (headers["A-B"], headers.get("x"), headers.get("Y"), headers.get("Y", "0"), "X" in headers, "Z" in headers) == (
        "1, 3",
        "2",
        None,
        "0",
        True,
        False,
    )


def test_a_small_file_has_the_time_of_a_transfer() -> None:
    """At more than the minimum rate, 16 KiB a second, it may take longer than the time of a request."""
    fake, piece = FakeTime(), b"x" * (64 << 10)

    def send(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (16 * len(piece)))
        for _ in range(16):
            (lease,) = fake.watch._leases
            before = lease.deadline
            fake.advance(3)
            connection.sendall(piece)
            hang = time.monotonic() + HANG
            while lease.deadline == before:
                assert time.monotonic() < hang
                time.sleep(0.001)

    with listening(after_a_first(send)) as raw:
        target = host(raw.url, timeout=20, watch=fake.watch)
        target.answer("GET", "/", {})
        found = target.fetch("/", {})
    assert isinstance(found, CompleteReply)
    assert (found.body, fake.now) == (16 * piece, 48)
