"""Leases: no request outlives its deadline, and all of them end when the run is stopped.

A socket's own timeout is for one read: a server that sends a byte now and then holds a client for ever.
So each request holds a lease on its socket, and a watch shuts the sockets of those that are overdue. A transfer earns time by the
bytes it moves; below the minimum rate its lease runs out. The clock of a transfer stands still while the other side is waited for.
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

__all__ = ["MIN_RATE", "Lease", "Watch", "current", "held", "in_time"]

T = TypeVar("T")

MIN_RATE = 16 << 10  # bytes a second
_AGAIN = 0.1  # seconds
_LONGEST_NAP = 3600.0  # seconds: a thread cannot wait for just any number

_local = threading.local()


class Lease:
    """One request's time. `ended` says why its socket was shut, if it was: "deadline" or "stop".

    `sent` is True from when a connection is there: before that, nothing of the request can have gone out.
    """

    def __init__(self, watch: Watch, seconds: float) -> None:
        self._watch = watch
        self._handle: socket.socket | None = None
        self._wake: Callable[[], None] | None = None
        self._left = 0.0
        self.seconds = seconds
        self.deadline = watch.clock() + seconds
        self.ended = ""
        self.sent = False

    def hold(self, sock: socket.socket) -> None:
        """The socket that the request goes over; TimeoutError where it has no time left.

        It is a handle of our own: TLS takes the first one away from its object.
        """
        handle = socket.socket(fileno=os.dup(sock.fileno()))
        with self._watch.guard:
            previous, self._handle = self._handle, handle
        if previous is not None:
            previous.close()
        self._check()

    def moved(self, count: int) -> None:
        """`count` more bytes have passed: they earn time, but never more than the lease began with."""
        if self.deadline == math.inf:
            self._left = min(self.seconds, self._left + count / MIN_RATE)
        else:
            self.deadline = min(self._watch.clock() + self.seconds, self.deadline + count / MIN_RATE)

    def pause(self) -> None:
        """Its clock stands still: it is not this host that is waited for."""
        if self.deadline != math.inf:
            self._left, self.deadline = self.deadline - self._watch.clock(), math.inf

    def resume(self) -> None:
        if self.deadline == math.inf:
            self.deadline = self._watch.clock() + self._left
            self._watch.rouse(self.deadline)

    def awaited(self, call: Callable[[], T]) -> T:
        """What `call` gives or raises; it may take as long as it likes, in a thread that is left alone when the time is over.

        TimeoutError: it was.
        """
        done: SimpleQueue[None] = SimpleQueue()
        work: Future[T] = Future()

        def run() -> None:
            try:
                work.set_result(call())
            except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
                work.set_exception(error)
            done.put(None)

        with self._watch.guard:
            self._wake = lambda: done.put(None)
        self._check()
        threading.Thread(target=run, name="waiting", daemon=True).start()
        done.get()
        self._wake = None
        self._check()
        return work.result()

    def end(self, reason: str) -> None:
        """The guard is held. The first reason stays."""
        self.ended = self.ended or reason
        if self._wake is not None:
            self._wake()
        if self._handle is not None:
            with contextlib.suppress(OSError):  # it is closed already, or not connected yet
                self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """From here on its socket is safe from it, whoever uses that next."""
        with self._watch.guard:
            self._watch.forget(self)
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _check(self) -> None:
        if self.ended:
            raise TimeoutError("its time is over")


class Watch:
    """All leases of a run. Safe to use from several threads; `stop` also from one that serves signals.

    `clock` gives seconds. It never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.guard = threading.RLock()
        self._changed = threading.Condition(self.guard)
        self._leases: set[Lease] = set()
        self._thread: threading.Thread | None = None
        self._wakes = math.inf  # when the thread looks again
        self._stopped = False

    def lease(self, seconds: float) -> Lease:
        """Interrupted: the run was stopped."""
        lease = Lease(self, seconds)
        with self.guard:
            self.check()
            self._leases.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._look, name="deadlines", daemon=True)
                self._thread.start()
            self.rouse(lease.deadline)
        return lease

    def rouse(self, deadline: float) -> None:
        """The thread looks again by then."""
        with self.guard:
            if deadline < self._wakes:
                self._wakes = deadline
                self._changed.notify()

    def forget(self, lease: Lease) -> None:
        with self.guard:
            self._leases.discard(lease)

    def check(self) -> None:
        """Interrupted: the run was stopped."""
        if self._stopped:
            raise Interrupted("interrupted")

    def stop(self) -> None:
        """Ends every running request, and lets none begin."""
        with self.guard:
            self._stopped = True
            for lease in self._leases:
                lease.end("stop")
            self._changed.notify()

    def _look(self) -> None:
        with self.guard:
            while True:
                now = self.clock()
                for lease in self._leases:
                    if lease.ended or lease.deadline <= now:
                        lease.end("deadline")
                # What was shut in the moment before it connects is open all the same: it is shut again until it is let go.
                waits = [_AGAIN if lease.ended else lease.deadline - now for lease in self._leases]
                nap = min(max(0.0, min(waits, default=_LONGEST_NAP)), _LONGEST_NAP)
                self._wakes = now + nap
                self._changed.wait(nap)


@contextmanager
def current(lease: Lease) -> Iterator[None]:
    """What this thread connects to or sends over meanwhile belongs to the lease."""
    before = getattr(_local, "lease", None)
    _local.lease = lease
    try:
        yield
    finally:
        _local.lease = before


def held(sock: socket.socket) -> Lease | None:
    """Called by connections about the socket they use. The lease that it is under from now on."""
    lease = _current()
    if lease is not None:
        lease.hold(sock)
    return lease


def in_time(call: Callable[[], T]) -> T:
    """`call`, which nothing can break off, for no longer than the lease lasts. TimeoutError."""
    lease = _current()
    return call() if lease is None else lease.awaited(call)


def _current() -> Lease | None:
    lease: Lease | None = getattr(_local, "lease", None)
    return lease
