"""Rate limits: how long transfers wait, by a clock that only the waiting moves."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import closing
from itertools import pairwise

import pytest
from fakeclock import FakeTime
from rawserver import OK, head, host, listening

from algosync.cluster.wire import Wire
from algosync.core.credential import credential
from algosync.core.error import Interrupted
from algosync.net import Host, RateLimit
from algosync.net.rate_limit import TokenBucket

KIB = 1 << 10
SMALL = bytes(50 * KIB)
BODY = bytes(range(256)) * 4 * KIB  # 1 MiB


def limited(url: str, time: FakeTime, rate: float) -> Host:
    """Its requests may take five seconds, and much longer only while the limit makes them wait."""
    target = host(url, timeout=5, watch=time.watch)
    limit = RateLimit(rate, pause=time.advance, clock=lambda: time.now)
    object.__setattr__(target.net, "limit", limit)
    return target


def sends_body(connection: socket.socket) -> None:
    while head(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)


def takes_body(connection: socket.socket) -> None:
    while head(connection):
        left = len(BODY)
        while left:
            left -= len(connection.recv(left))
        connection.sendall(OK)


def test_bytes_are_paid_for_at_the_rate() -> None:
    time = FakeTime()
    bucket = TokenBucket(1000, time.advance, lambda: time.now)
    for _ in range(100):
        bucket.take(50)
    assert time.now == pytest.approx(5, abs=0.2)


def test_time_without_transfers_is_not_saved_up() -> None:
    time = FakeTime()
    bucket = TokenBucket(1000, time.advance, lambda: time.now)
    time.advance(3600)
    for _ in range(10):
        bucket.take(1000)
    assert time.now - 3600 == pytest.approx(9, abs=0.2)


def test_threads_are_served_in_turn() -> None:
    waits: list[float] = []
    bucket = TokenBucket(1000, waits.append, lambda: 0.0)
    threads = [threading.Thread(target=bucket.take, args=(100,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(later - earlier == pytest.approx(0.1) for earlier, later in pairwise(sorted(waits)))


def test_a_small_piece_waits_for_one_piece_of_each_other_transfer_at_most() -> None:
    limit = RateLimit(1 << 20)
    assert limit.piece * 31 <= 1 << 20  # eight big transfers delay it by a quarter of a second
    assert RateLimit(16 * KIB).piece == 4 * KIB
    assert RateLimit(1 << 40).piece == 256 * KIB


def test_a_download_takes_the_time_of_its_bytes_and_keeps_its_lease() -> None:
    time = FakeTime()
    with listening(sends_body) as raw, closing(limited(raw.url, time, 8 * KIB).open("GET", "/big", {})) as response:
        blocks = list(response.blocks())
    assert b"".join(blocks) == BODY
    assert time.now == pytest.approx(128, abs=1)
    assert max(map(len, blocks)) <= 4 * KIB  # so that the other side hears of it every quarter of a second


def test_an_upload_takes_the_time_of_its_bytes_and_keeps_its_lease() -> None:
    time = FakeTime()
    with listening(takes_body) as raw:
        reply = limited(raw.url, time, 8 * KIB).answer("PUT", "/big", {"Content-Length": str(len(BODY))}, [BODY])
    assert reply.status == 200
    assert time.now == pytest.approx(128, abs=1)


def takes_anything(connection: socket.socket) -> None:
    """Answers all with 50 KiB, over one connection."""
    while received := head(connection):
        length = re.search(rb"Content-Length: (\d+)", received)
        left = int(length[1]) if length else 0
        while left:
            left -= len(connection.recv(left))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(SMALL) + SMALL)


@pytest.mark.parametrize("direction", ["down", "up"])
def test_small_files_over_a_kept_connection_count_too(direction: str) -> None:
    time = FakeTime()
    with listening(takes_anything) as raw:
        wire = Wire(limited(raw.url, time, 50 * KIB), credential("simKEYsimKEY", "test"))
        for _ in range(20):
            if direction == "up":
                wire.upload("/small", [SMALL], len(SMALL))
            else:
                with wire.download("/small") as download:
                    assert b"".join(download.blocks) == SMALL
        assert len(raw.connections) == 1
    assert time.now == pytest.approx(20, abs=1.5)


def test_directions_do_not_slow_down_each_other() -> None:
    time = FakeTime()
    limit = RateLimit(1000, time.advance, lambda: time.now)
    for _ in range(50):
        limit.received.take(100)
        limit.sent.take(100)
    assert time.now == pytest.approx(5, abs=0.3)


def test_an_interrupt_ends_the_waiting() -> None:
    time = FakeTime()

    def pause(_: float) -> None:
        raise Interrupted("interrupted")

    with listening(takes_body) as raw:
        target = limited(raw.url, time, 16 * KIB)
        object.__setattr__(target.net, "limit", RateLimit(16 * KIB, pause, lambda: time.now))
        with pytest.raises(Interrupted):
            target.answer("PUT", "/big", {"Content-Length": str(len(BODY))}, [BODY])
    assert not time.watch._leases
