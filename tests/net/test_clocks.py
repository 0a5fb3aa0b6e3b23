"""Clocks of leases: reused connections, pauses while the other side is slow, and waits without a socket timeout."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from fakeclock import HANG, FakeTime
from rawserver import OK, answers, blackhole, head, holding, host, listening

from algosync.core.error import Interrupted, TimedOut
from algosync.net import Watch


def test_a_connection_that_others_have_taken_is_not_shut_by_whom_it_was_before() -> None:
    """The first answer is read to its end and stays open, as a relay's source does while the destination answers."""
    fake = FakeTime()

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(OK)
        head(connection)
        fake.advance(25)  # longer than the first one's lease
        connection.sendall(OK)

    with listening(script) as raw, closing((target := host(raw.url, timeout=20, watch=fake.watch)).open("GET", "/", {})) as first:
        assert first.read() == b"{}"
        assert target.answer("GET", "/", {}, within=100).body == b"{}"
        assert len(raw.connections) == 1


def test_a_slow_destination_does_not_use_up_the_time_of_the_source() -> None:
    body = b"x" * 1000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + body
    more, fake = threading.Event(), FakeTime()

    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(reply)
        more.wait(60)
        connection.sendall(body)

    with listening(script) as raw, closing(host(raw.url, timeout=20, watch=fake.watch).open("GET", "/big", {})) as response:
        assert response.read(1000) == body
        fake.advance(100)  # the other side is waited for
        more.set()
        assert response.read(1000) == body


def test_the_destination_is_not_blamed_for_a_source_that_takes_its_time() -> None:
    fake = FakeTime()

    def receive(connection: socket.socket) -> None:
        head(connection)
        left = 20
        while left:
            left -= len(connection.recv(left))
        connection.sendall(OK)

    def slowly() -> Iterator[bytes]:
        yield b"x" * 10
        fake.advance(100)
        yield b"x" * 10

    with listening(receive) as raw:
        target = host(raw.url, timeout=20, watch=fake.watch)
        assert target.answer("PUT", "/big", {"Content-Length": "20"}, slowly()).body == b"{}"


def _run_after(event: threading.Event, action: Callable[[], None]) -> None:
    if event.wait(60):
        action()


def test_a_name_that_nobody_resolves_ends_in_its_time_and_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    over, asked = threading.Event(), threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        asked.set()
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    fake = FakeTime()
    threading.Thread(target=_run_after, args=(asked, lambda: fake.advance(25))).start()
    with pytest.raises(TimedOut) as caught:
        host("http://slow.example", timeout=20, watch=fake.watch).answer("GET", "/", {})
    assert not caught.value.sent
    asked.clear()
    threading.Thread(target=_run_after, args=(asked, fake.watch.stop)).start()
    with pytest.raises(Interrupted):
        host("http://slow.example", watch=fake.watch).answer("GET", "/", {})
    over.set()


def test_an_address_that_does_not_answer_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.net.host.CONNECT_WITHIN", 1)
    with blackhole() as dead, listening(answers(OK)) as raw:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in (int(dead.rpartition(":")[2]), raw.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert host("http://two.example").answer("GET", "/", {}).body == b"{}"


def test_a_very_long_timeout_does_not_delay_other_deadlines() -> None:
    watch = Watch()
    endless = watch.lease(1e15)
    time.sleep(0.1)  # the thread looks, and waits
    with listening(holding) as raw, pytest.raises(TimedOut):
        host(raw.url, timeout=0.3, watch=watch).answer("GET", "/", {})
    endless.release()


def test_requests_whose_clock_does_not_come_first_wake_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = FakeTime().watch
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
    watch._thread = threading.Thread()  # has never run, and never will: as good as dead
    with listening(holding) as raw, pytest.raises(TimedOut):
        host(raw.url, timeout=0.3, watch=watch).answer("GET", "/", {})


def test_the_thread_ends_some_time_after_the_last_request() -> None:
    """A process that makes many clients keeps no thread for each."""
    fake = FakeTime()
    threads = []
    for _ in range(2):
        lease = fake.watch.lease(1)
        thread = fake.watch._thread
        assert thread is not None
        lease.release()
        fake.advance(2)
        thread.join(HANG)
        threads.append(thread)
    assert threads[0] is not threads[1]
    assert [thread.is_alive() for thread in threads] == [False, False]
