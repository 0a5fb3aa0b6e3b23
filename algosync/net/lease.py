"""Leases: every request has a deadline, and all requests end when the run is stopped.

A socket timeout applies to a single read, so a server that sends one byte now and then could hold a client for ever. Therefore each
request holds a lease on its socket, and a watch shuts down the sockets of overdue leases. A transfer earns time with the bytes it
moves; below the minimum rate its lease runs out. The clock of a transfer is paused while it waits for the other side.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

from algosync.core.error import Interrupted

__all__ = ["MIN_RATE", "Lease", "Watch", "attach_current", "current", "run_within_lease"]

T = TypeVar("T")

MIN_RATE = 16 << 10  # bytes a second
_REPEAT_AFTER = 0.1  # seconds
_IDLE = 1.0  # seconds

_local = threading.local()


class Lease:
    """The time of one request. `ended` says why its socket was shut down: "deadline", "stop", or empty.

    `sent` becomes True when a connection exists: before that, no part of the request can have been sent.
    """

    def __init__(self, watch: Watch, seconds: float, borrowed: socket.socket | None = None) -> None:
        self._watch = watch
        self._handle = borrowed
        self._borrowed = borrowed is not None
        self._wake: Callable[[], None] | None = None
        self._left = 0.0
        self.seconds = seconds
        self.deadline = watch.clock() + seconds
        self.ended = ""
        self.sent = borrowed is not None

    def attach(self, sock: socket.socket) -> None:
        """Attach the socket that the request uses. Raises TimeoutError if the lease has ended.

        The lease keeps its own handle, because TLS detaches the first one from its socket object.
        """
        handle = socket.socket(fileno=os.dup(sock.fileno()))
        with self._watch.guard:
            previous, self._handle = self._handle, handle
        if previous is not None:
            previous.close()
        self._check()

    def progressed(self, count: int) -> None:
        """Extend the deadline by the time for `count` bytes at the minimum rate, up to the initial time."""
        if self.deadline == math.inf:
            self._left = min(self.seconds, self._left + count / MIN_RATE)
        else:
            self.deadline = min(self._watch.clock() + self.seconds, self.deadline + count / MIN_RATE)

    def pause(self) -> None:
        """Stop the clock while the request does not wait for this host."""
        if self.deadline != math.inf:
            self._left, self.deadline = self.deadline - self._watch.clock(), math.inf

    def resume(self) -> None:
        if self.deadline == math.inf:
            self.deadline = self._watch.clock() + self._left
            self._watch.wake_by(self.deadline)

    def time_left(self, now: float) -> float:
        """Seconds until the deadline, which a paused lease reaches no earlier than if it was resumed now.

        A paused lease without time left ends when it is resumed, so there is no use in looking at it all the time.
        """
        return max(self._left, _REPEAT_AFTER) if self.deadline == math.inf else self.deadline - now

    def run(self, call: Callable[[], T]) -> T:
        """Return or raise the result of `call`, run in a thread. Raises TimeoutError when the lease ends.

        The thread cannot be interrupted; it is abandoned then.
        """
        done: SimpleQueue[None] = SimpleQueue()
        work: Future[T] = Future()

        def work_and_report() -> None:
            try:
                work.set_result(call())
            except Exception as error:  # noqa: BLE001  # raised in the waiting thread
                work.set_exception(error)
            done.put(None)

        with self._watch.guard:
            self._wake = lambda: done.put(None)
        self._check()
        threading.Thread(target=work_and_report, name="waiting", daemon=True).start()
        done.get()
        self._wake = None
        self._check()
        return work.result()

    def end(self, reason: str) -> None:
        """Shut down the socket. The caller holds the guard. Only the first reason is kept."""
        self.ended = self.ended or reason
        if self._wake is not None:
            self._wake()
        if self._handle is not None:
            with contextlib.suppress(OSError):  # the socket is closed already, or not connected yet
                # Not the method of a TLS socket, which would let its reader see what was not decrypted.
                socket.socket.shutdown(self._handle, socket.SHUT_RDWR)

    def release(self) -> None:
        """Detach the socket, which another request may use next."""
        with self._watch.guard:
            self._watch.forget(self)
            handle, self._handle = self._handle, None
        if handle is not None and not self._borrowed:
            handle.close()

    def _check(self) -> None:
        if self.ended:
            raise TimeoutError("the deadline has passed")


class Watch:
    """All leases of a run. Safe to use from several threads; `stop` also from a signal handler.

    `clock` gives seconds. It never goes back. A thread checks the leases, each second and when one ends before that. It ends when
    there has been none for a second; the next lease starts another. A request that comes and goes does not wake it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.guard = threading.RLock()
        self._changed = threading.Condition(self.guard)
        self._leases: set[Lease] = set()
        self._thread: threading.Thread | None = None
        self._wakes = math.inf  # time when the thread checks the leases again
        self._ends = 0.0  # time when the thread ends unless there are leases
        self._stopped = False

    def lease(self, seconds: float, borrowed: socket.socket | None = None) -> Lease:
        """Start a lease. Raises Interrupted if the run was stopped.

        `borrowed`: the socket of a kept connection. The caller does not close it before the lease is released.
        """
        lease = Lease(self, seconds, borrowed)
        with self.guard:
            self.check()
            self._leases.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            if lease.deadline < self._wakes:
                self.wake_by(lease.deadline)
        return lease

    def wake_by(self, deadline: float) -> None:
        """Make the thread check the leases by `deadline` at the latest."""
        with self.guard:
            if deadline < self._wakes:
                self._wakes = deadline
                self._changed.notify()

    def forget(self, lease: Lease) -> None:
        with self.guard:
            self._leases.discard(lease)
            if not self._leases:
                self._ends = self.clock() + _IDLE

    def check(self) -> None:
        """Raise Interrupted if the run was stopped."""
        if self._stopped:
            raise Interrupted("interrupted")

    def stop(self) -> None:
        """End all running requests, and let no new one start."""
        with self.guard:
            self._stopped = True
            for lease in self._leases:
                lease.end("stop")
            self._changed.notify()

    def _watch(self) -> None:
        with self.guard:
            while (now := self.clock()) < self._ends or self._leases:
                for lease in self._leases:
                    if lease.ended or lease.deadline <= now:
                        lease.end("deadline")
                # A socket that was shut down just before it connected is open nevertheless. Shut it down again until it is
                # released.
                waits = [_REPEAT_AFTER if lease.ended else lease.time_left(now) for lease in self._leases]
                wait = min(max(0.0, min(waits, default=self._ends - now)), _IDLE)
                self._wakes = now + wait
                self._changed.wait(wait)
            self._thread, self._wakes = None, math.inf


@contextmanager
def current(lease: Lease) -> Iterator[None]:
    """Make this lease the one for all connections that this thread opens or uses in the body."""
    before = getattr(_local, "lease", None)
    _local.lease = lease
    try:
        yield
    finally:
        _local.lease = before


def attach_current(sock: socket.socket) -> Lease | None:
    """Attach a socket to the current lease of this thread. Return the lease."""
    lease = _current()
    if lease is not None:
        lease.attach(sock)
    return lease


def run_within_lease(call: Callable[[], T]) -> T:
    """Run `call`, which cannot be interrupted, for at most the time of the current lease. Raises TimeoutError."""
    lease = _current()
    return call() if lease is None else lease.run(call)


def _current() -> Lease | None:
    lease: Lease | None = getattr(_local, "lease", None)
    return lease
