"""How much is done for a small request over a kept connection: counts, which do not depend on the machine."""

from __future__ import annotations

import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fakeclock import HANG
from rawserver import OK, host, listening

from algosync.net import quick_exchange
from algosync.net.quick_exchange import KeptConnections
from algosync.net.request import Request

NUMBER = 50
CONTENT = b"x" * (20 << 10)


def both(connection: socket.socket) -> None:
    """Answers reads and writes alike, one after the other."""
    received = b""
    while piece := connection.recv(1 << 16):
        received += piece
        while (end := received.find(b"\r\n\r\n") + 4) > 3:
            size = len(CONTENT) if received.startswith(b"PUT") else 0
            if len(received) < end + size:
                break
            received = received[end + size :]
            connection.sendall(OK)


@contextmanager
def calls_of_c() -> Iterator[Counter[str]]:
    """How often this thread calls each function that is written in C."""
    found: Counter[str] = Counter()

    def note(_frame: object, event: str, function: object) -> None:
        if event == "c_call":
            found[getattr(function, "__qualname__", "")] += 1

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def test_each_request_is_sent_and_received_at_once_and_takes_few_locks() -> None:
    with listening(both) as raw:
        target = host(raw.url)
        target.answer("GET", "/", {})
        with calls_of_c() as calls:
            for _ in range(NUMBER):
                target.fetch("/a", {"Authorization": "Simple key"})
                target.answer("PUT", "/a", {"Authorization": "Simple key"}, CONTENT)
        assert len(raw.connections) == 1
    assert calls["socket.sendall"] == calls["socket.recv"] == 2 * NUMBER
    assert calls["poll.poll"] == 2 * NUMBER
    assert calls["poll.register"] == 0, "the connection is watched by one object as long as it is open"
    assert calls["lock.acquire"] + calls["lock.__enter__"] <= 2 * NUMBER, "only the thread of the deadlines is looked at"


def test_headers_are_checked_once_for_all_requests_that_have_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[object] = []
    real = quick_exchange._header_lines

    def header_lines(name: str, headers: dict[str, str]) -> str | None:
        checked.append(headers)
        return real(name, headers)

    monkeypatch.setattr(quick_exchange, "_header_lines", header_lines)
    with listening(both) as raw:
        target = host(raw.url)
        for number in range(NUMBER):
            target.fetch(f"/{number}", {"Authorization": "Simple key"})
            target.answer("PUT", f"/{number}", {"Authorization": "Simple key", "X": "y"}, CONTENT)
    assert len(checked) == 2


def test_remembered_headers_are_those_of_their_request_and_host() -> None:
    kept = KeptConnections(None)  # type: ignore[arg-type]  # nothing is sent
    for value in [str(number) for number in range(200)] * 2:
        for name in ("a", "b"):
            found = kept.head(Request("GET", "/", {"X": value}), name)
            assert found == f"GET / HTTP/1.1\r\nHost: {name}\r\nX: {value}\r\n\r\n".encode()
    assert len(kept._lines) <= 64, "the memory is bounded"
    assert (
        kept.head(Request("PUT", "/", {"X": "1"}, b"abc"), "a") == b"PUT / HTTP/1.1\r\nHost: a\r\nX: 1\r\nContent-Length: 3\r\n\r\n"
    )
    assert kept.head(Request("GET", "/", {"X": "a\r\nY: b"}), "a") is None
    assert kept.head(Request("GET", "/", {"X": "a\r\nY: b"}), "a") is None


def test_bytes_that_nobody_asked_for_are_seen_after_a_connection_was_opened_again() -> None:
    """The object that is polled belongs to one socket, and the connection has another one then."""
    received, done = threading.Semaphore(0), threading.Semaphore(0)

    def script(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while head := connection.recv(1 << 16):
                connection.sendall(OK)
                assert received.acquire(timeout=HANG)
                if head.startswith(b"GET /last"):
                    break
                if head.startswith(b"GET /more"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
                done.release()
        done.release()

    with listening(script) as raw:
        target = host(raw.url)
        for path in ("/", "/last", "/", "/more", "/"):
            assert target.answer("GET", path, {}).body == b"{}", "the extra reply is no reply to the next request"
            received.release()
            assert done.acquire(timeout=HANG)
        assert len(raw.connections) == 3


class ClearedMeanwhile(dict[object, "str | None"]):
    """Another thread clears the memory whenever something was looked up or added."""

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        self.clear()
        return found

    def __setitem__(self, key: object, value: str | None) -> None:
        super().__setitem__(key, value)
        self.clear()


def test_headers_that_another_thread_forgets_meanwhile_are_made_again() -> None:
    kept = KeptConnections(None)  # type: ignore[arg-type]  # nothing is sent
    kept._lines = ClearedMeanwhile()  # type: ignore[assignment]  # its keys may be anything
    assert kept.head(Request("GET", "/", {"X": "1"}), "a") == b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n"
