"""Clocks of leases: reused connections, pauses while the other side is slow, and waits without a socket timeout."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from rawserver import OK, answers, blackhole, head, host, listening

from algosync.core.error import Interrupted, TimedOut
from algosync.net import Watch


def test_a_reused_connection_is_not_shut_by_the_lease_of_its_former_request() -> None:
    """The first reply is read to its end and stays open, like a relay's source while the destination replies."""

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(OK)
        head(connection)
        time.sleep(0.7)  # longer than the lease of the first request
        connection.sendall(OK)

    with listening(script) as raw, closing((target := host(raw.url, timeout=0.5)).open("GET", "/", {})) as first:
        assert first.read() == b"{}"
        assert target.answer("GET", "/", {}, within=5).body == b"{}"
        assert len(raw.connections) == 1


def test_a_slow_destination_does_not_use_up_the_time_of_the_source() -> None:
    body = b"x" * 1000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + body

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(reply)
        time.sleep(0.8)
        connection.sendall(body)

    with listening(script) as raw, closing(host(raw.url, timeout=0.4).open("GET", "/big", {})) as response:
        assert response.read(1000) == body
        time.sleep(0.7)  # the other side is slow
        assert response.read(1000) == body


def test_a_slow_source_does_not_use_up_the_time_of_the_destination() -> None:
    def receive(connection: socket.socket) -> None:
        head(connection)
        left = 20
        while left:
            left -= len(connection.recv(left))
        connection.sendall(OK)

    def slowly() -> Iterator[bytes]:
        yield b"x" * 10
        time.sleep(0.7)
        yield b"x" * 10

    with listening(receive) as raw:
        assert host(raw.url, timeout=0.4).answer("PUT", "/big", {"Content-Length": "20"}, slowly()).body == b"{}"


def test_name_resolution_ends_at_the_deadline_and_when_the_run_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    asked = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        asked.set()
        over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    started = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        host("http://slow.example", timeout=0.3).answer("GET", "/", {})
    assert not caught.value.sent
    watch = Watch()
    asked.clear()
    threading.Thread(target=lambda: asked.wait(5) and watch.stop()).start()
    with pytest.raises(Interrupted):
        host("http://slow.example", watch=watch).answer("GET", "/", {})
    assert time.monotonic() - started < 2
    over.set()


def test_an_address_that_does_not_reply_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with blackhole() as dead, listening(answers(OK)) as raw:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (int(dead.rpartition(":")[2]), raw.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert host("http://two.example", timeout=1).answer("GET", "/", {}).body == b"{}"


def test_a_very_long_timeout_does_not_delay_other_deadlines() -> None:
    watch = Watch()
    endless = watch.lease(1e15)
    time.sleep(0.1)  # let the thread check the leases and wait
    with listening(lambda connection: connection.recv(1 << 20) and time.sleep(2)) as raw, pytest.raises(TimedOut):
        host(raw.url, timeout=0.3, watch=watch).answer("GET", "/", {})
    endless.release()


def test_a_later_deadline_does_not_wake_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    first = watch.lease(1)
    notified: list[None] = []
    changed = watch._changed  # internal: what the thread waits for
    monkeypatch.setattr(changed, "notify", lambda: notified.append(None))
    later = watch.lease(60)
    later.pause()
    later.resume()
    assert notified == []
    sooner = watch.lease(0.5)
    assert notified == [None]
    for lease in (first, later, sooner):
        lease.release()


def test_a_thread_that_died_is_replaced() -> None:
    watch = Watch()
    watch._thread = threading.Thread()  # never started, so it counts as dead
    with listening(lambda connection: connection.recv(1 << 20) and time.sleep(2)) as raw, pytest.raises(TimedOut):
        host(raw.url, timeout=0.3, watch=watch).answer("GET", "/", {})
