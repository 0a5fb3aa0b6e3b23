"""Leases: a request ends at its deadline, whatever the server does, and at once when the run is stopped."""

from __future__ import annotations

import gc
import math
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from fakeclock import HANG, FakeTime
from harness import certificate
from rawserver import OK, answers, blackhole, drip, head, holding, host, listening, refusing_port, silent

from algosync.core.error import AlgosyncError, Interrupted, TimedOut
from algosync.net import Host, Watch
from algosync.net.lease import MIN_RATE, Lease

BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
Make = Callable[..., Host]


def answering(begin: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        head(connection)
        drip(connection, begin)

    return script


def stalling(begin: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(begin)
        while connection.recv(65536):
            pass

    return script


def ask(target: Host) -> None:
    target.answer("GET", "/v1/data/", {})


def download(target: Host) -> None:
    with closing(target.open("GET", "/big", {})) as response:
        for _ in response.blocks():
            pass


def upload(target: Host) -> None:
    target.answer("PUT", "/big", {"Content-Length": str(64 << 20)}, iter([b"x" * (1 << 20)] * 64))


PHASES = {
    "no answer": (silent, ask, "http"),
    "headers drip": (answering(b"HTTP/1.1 200 OK\r\nX-Long: "), ask, "http"),
    "endless interim answers": (answering(b"HTTP/1.1 100 Continue\r\n"), ask, "http"),
    "body drips": (answering(BEGUN), ask, "http"),
    "body drips without a length": (answering(b"HTTP/1.1 200 OK\r\n\r\n"), ask, "http"),
    "body stalls": (stalling(BEGUN), ask, "http"),
    "a refusal drips": (answering(BEGUN.replace(b"200 OK", b"500 No")), ask, "http"),
    "a download drips": (answering(BEGUN), download, "http"),
    "a download stalls": (stalling(BEGUN + b"x" * 5000), download, "http"),
    "nobody takes an upload": (silent, upload, "http"),
    "the TLS handshake stalls": (silent, ask, "https"),
    "the TLS handshake drips": (lambda connection: drip(connection, b"\x16\x03\x03\x40\x00"), ask, "https"),
    "the proxy's CONNECT stalls": (silent, ask, "proxy"),
    "the proxy's CONNECT drips": (answering(b"HTTP/1.1 200 OK\r\nX-Long: "), ask, "proxy"),
    "TLS through a proxy stalls": (stalling(b"HTTP/1.1 200 OK\r\n\r\n"), ask, "proxy"),
    "no connection": (None, ask, "blackhole"),
}


@contextmanager
def phase(name: str) -> Iterator[tuple[Make, Callable[[Host], None]]]:
    script, request, way = PHASES[name]
    if way == "blackhole":
        with blackhole() as url:
            yield lambda **options: host(url, **options), request
        return
    assert script is not None
    with listening(script) as raw:
        url = {"http": raw.url, "https": raw.secure, "proxy": "https://far.example"}[way]
        yield lambda **options: host(url, proxy=raw.url if way == "proxy" else "", **options), request


class Asking:
    """A request in a thread of its own."""

    def __init__(self, request: Callable[[Host], None], target: Host) -> None:
        self.raised: AlgosyncError | None = None
        self._request, self._target = request, target
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._request(self._target)
        except AlgosyncError as error:
            self.raised = error

    def ends(self, within: float) -> bool:
        self._thread.join(within)
        return not self._thread.is_alive()


@pytest.fixture
def _no_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but its lease ends an attempt to connect."""
    monkeypatch.setattr("algosync.net.host.CONNECT_WITHIN", 1000)


LONG = 200_000  # seconds; the whole upload earns 4096 of them, whenever the system takes its bytes


@pytest.mark.usefixtures("_no_connect_timeout")
@pytest.mark.parametrize("name", PHASES)
def test_a_request_ends_when_its_time_is_over(name: str) -> None:
    fake = FakeTime()
    with phase(name) as (make, request):
        asking = Asking(request, make(timeout=LONG, watch=fake.watch))
        waited_for(lambda: bool(fake.watch._leases))
        assert not asking.ends(0.15)  # into the phase; there is no telling from outside when it begins
        fake.advance(LONG - 1)
        assert not asking.ends(0.05)
        fake.advance(5000)
        assert asking.ends(HANG)
    assert isinstance(asking.raised, TimedOut)
    assert asking.raised.hint is not None
    assert "0x" not in asking.raised.message


def test_time_is_that_of_the_machine() -> None:
    with listening(holding) as raw:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            ask(host(raw.url, timeout=0.4))
        assert time.monotonic() - started > 0.3


@pytest.mark.usefixtures("_no_connect_timeout")
@pytest.mark.parametrize("name", PHASES)
def test_a_stopped_run_ends_its_requests(name: str) -> None:
    """Their time stands still, so it is nothing else that ends them."""
    fake = FakeTime()
    with phase(name) as (make, request):
        asking = Asking(request, make(timeout=200, watch=fake.watch))
        waited_for(lambda: bool(fake.watch._leases))
        assert not asking.ends(0.15)  # into the phase
        fake.watch.stop()
        assert asking.ends(HANG)
    assert type(asking.raised) is Interrupted


def test_a_stopped_run_starts_no_request() -> None:
    watch = Watch()
    watch.stop()
    with listening(answers(OK)) as raw:
        with pytest.raises(Interrupted):
            ask(host(raw.url, watch=watch))
        assert raw.connections == []


@pytest.mark.usefixtures("_no_connect_timeout")
def test_no_second_address_is_tried_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeTime()
    tried = threading.Semaphore(0)
    connect = socket.socket.connect

    def counted(self: socket.socket, address: tuple[str, int]) -> None:
        tried.release()
        connect(self, address)

    with blackhole() as url:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * 20
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        monkeypatch.setattr(socket.socket, "connect", counted, raising=False)
        asking = Asking(ask, host(url, timeout=200, watch=fake.watch))
        assert tried.acquire(timeout=HANG)
        fake.advance(201)
        assert asking.ends(HANG)
        assert isinstance(asking.raised, TimedOut)
        assert not tried.acquire(blocking=False)


def test_a_slow_transfer_that_moves_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Down and up in pieces far smaller than a block, faster than the minimum rate, longer than a request may take."""
    pieces, size, seconds = 30, 2048, 0.05
    assert size / seconds > 2 * MIN_RATE
    fake, moved = FakeTime(), [0]
    earn = Lease.progressed

    def counted(self: Lease, count: int) -> None:
        earn(self, count)
        moved[0] += count

    monkeypatch.setattr(Lease, "progressed", counted)

    def send(connection: socket.socket) -> None:
        head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (pieces * size))
        for number in range(pieces):
            waited_for(lambda: moved[0] == number * size and all(each.deadline < math.inf for each in fake.watch._leases))  # noqa: B023  # it is called here
            fake.advance(seconds)
            connection.sendall(b"x" * size)

    with listening(send) as raw, closing(host(raw.url, timeout=0.5, watch=fake.watch).open("GET", "/big", {})) as response:
        assert sum(len(block) for block in response.blocks()) == pieces * size
    assert fake.now > 1

    def receive(connection: socket.socket) -> None:
        head(connection)
        left = 64 * size
        while left:
            left -= len(connection.recv(left))
        connection.sendall(OK)

    def slowly() -> Iterator[bytes]:
        for _ in range(64):
            fake.advance(seconds)
            yield b"x" * size

    with listening(receive) as raw:
        length = {"Content-Length": str(64 * size)}
        assert host(raw.url, timeout=0.5, watch=fake.watch).answer("PUT", "/big", length, slowly()).body == b"{}"


def waited_for(condition: Callable[[], bool]) -> None:
    hang = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < hang
        time.sleep(0.001)


@pytest.mark.parametrize("kept", [False, True])
def test_one_block_may_take_longer_to_send_than_to_connect(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection's own timeout applies to connecting only, also when another request has used the connection."""
    monkeypatch.setattr("algosync.net.host.CONNECT_WITHIN", 0.2)

    def receive(connection: socket.socket) -> None:
        if kept:
            head(connection)
            connection.sendall(OK)
        head(connection)
        time.sleep(0.6)
        left = 32 << 20
        while left:
            left -= len(connection.recv(min(left, 1 << 20)))
        connection.sendall(OK)

    with listening(receive) as raw:
        target = host(raw.url)
        if kept:
            ask(target)
        assert target.answer("PUT", "/big", {"Content-Length": str(32 << 20)}, [b"x" * (32 << 20)]).body == b"{}"
        assert len(raw.connections) == 1


def test_resuming_a_lease_wakes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer pauses its lease for each block. The watch looks at a paused one as early as if it had been resumed at once."""
    watch = Watch()
    lease = watch.lease(120)
    lease.pause()
    with watch.guard:
        watch._wakes = 0.0
        watch._changed.notify()
    waited_for(lambda: watch._wakes > 0)  # it has looked at the paused lease
    woken: list[float] = []
    monkeypatch.setattr(watch._changed, "notify", lambda: woken.append(watch.clock()))
    for _ in range(100):
        lease.resume()
        lease.pause()
    assert woken == []
    monkeypatch.undo()
    lease.release()


def test_connections_are_kept_and_nothing_is_left_open() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with listening(answers(reply)) as raw:
        target = host(raw.url)
        ask(target)
        gc.collect()  # files that other tests left open are not counted
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(1000):
            ask(target)
        assert len(os.listdir("/proc/self/fd")) <= before
        assert len(raw.connections) == 1


def test_failures_leave_nothing_open(tmp_path: Path) -> None:
    served = certificate(tmp_path / "server.pem", tmp_path / "cluster")
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}"
    with listening(lambda connection: connection.sendall(broken)) as raw, listening(silent, served) as distrusted:
        targets = [host(raw.url), host(distrusted.secure), host(f"http://127.0.0.1:{refusing_port()}")]
        for target in targets:
            with pytest.raises(AlgosyncError):
                ask(target)
        ours = _client_sockets(raw.port, distrusted.port)
        for _ in range(10):
            for target in targets:
                with pytest.raises(AlgosyncError):
                    ask(target)
        assert _client_sockets(raw.port, distrusted.port) == ours == 0


def _client_sockets(*ports: int) -> int:
    """Number of descriptors of this process that are connected to these ports; the server's own are connected from them."""
    count = 0
    for number in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as handle:
                    count += handle.getpeername()[1] in ports
    return count


def test_workers_share_connections() -> None:
    with listening(answers(OK)) as raw:
        target = host(raw.url)
        barrier = threading.Barrier(8)

        def work() -> None:
            barrier.wait()
            for _ in range(20):
                ask(target)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert len(raw.connections) <= 8


def test_requests_that_come_and_go_do_not_wake_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time it is woken it waits for the lock of the interpreter, and so do the requests."""
    watch, woken = Watch(), []
    watch.lease(5).release()
    monkeypatch.setattr(watch._changed, "notify", lambda: woken.append(1))
    for _ in range(100):
        watch.lease(5).release()
    assert woken == []


def test_a_paused_lease_without_time_left_keeps_no_thread_busy() -> None:
    """A read may end just after its deadline, before the watch has looked. Its lease is paused then, and may be so for long."""
    time_now = FakeTime()
    lease = time_now.watch.lease(5)
    with time_now.watch.guard:
        time_now.now = 6.0
        lease.pause()
    time_now.advance(0)
    assert time_now.watch._wakes > time_now.now
    lease.resume()
    waited_for(lambda: lease.ended == "deadline")
    lease.release()
