"""Leases: no request outlives its deadline, and all of them end when the run is stopped.

A socket's own timeout is for one read: a server that sends a byte now and then holds a client for ever (reliability.md §0, fact 5).
So each request holds a lease on its socket, and a watch shuts the sockets of those that are overdue. A transfer earns time by the
bytes it moves; below the minimum rate its lease runs out.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from algosync.core.error import Interrupted

__all__ = ["MIN_RATE", "Lease", "Watch", "current"]

MIN_RATE = 16 << 10  # bytes a second
_AGAIN = 0.1  # seconds

_local = threading.local()


class Lease:
    """One request's time. `ended` says why its socket was shut, if it was: "deadline" or "stop"."""

    def __init__(self, watch: Watch, seconds: float) -> None:
        self._watch = watch
        self._handle: socket.socket | None = None
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.ended = ""

    def hold(self, sock: socket.socket) -> None:
        """The socket that the request goes over; TimeoutError where it has no time left.

        It is a handle of our own: TLS takes the first one away from its object.
        """
        handle = socket.socket(fileno=os.dup(sock.fileno()))
        with self._watch.guard:
            previous, self._handle = self._handle, handle
        if previous is not None:
            previous.close()
        if self.ended:
            raise TimeoutError("its time is over")

    def moved(self, count: int) -> None:
        """`count` more bytes have passed: they earn time, but never more than the lease began with."""
        self.deadline = min(time.monotonic() + self.seconds, self.deadline + count / MIN_RATE)

    def end(self, reason: str) -> None:
        """The guard is held. The first reason stays."""
        self.ended = self.ended or reason
        if self._handle is not None:
            with contextlib.suppress(OSError):  # it is closed already, or not connected yet
                self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self._watch.forget(self)
        if self._handle is not None:
            self._handle.close()


class Watch:
    """All leases of a run. Safe to use from several threads; `stop` also from one that serves signals."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self._changed = threading.Condition(self.guard)
        self._leases: set[Lease] = set()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def lease(self, seconds: float) -> Lease:
        """Interrupted: the run was stopped."""
        lease = Lease(self, seconds)
        with self.guard:
            self.check()
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="deadlines", daemon=True)
                self._thread.start()
            self._changed.notify()
        return lease

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
                now = time.monotonic()
                for lease in self._leases:
                    if lease.ended or lease.deadline <= now:
                        lease.end("deadline")
                # What was shut in the moment before it connects is open all the same: it is shut again until it is let go.
                waits = [_AGAIN if lease.ended else lease.deadline - now for lease in self._leases]
                self._changed.wait(min(waits, default=None))


@contextmanager
def current(lease: Lease) -> Iterator[None]:
    """What this thread connects to or sends over meanwhile belongs to the lease."""
    before = getattr(_local, "lease", None)
    _local.lease = lease
    try:
        yield
    finally:
        _local.lease = before


def held(sock: socket.socket) -> None:
    """Called by connections about the socket they use."""
    lease: Lease | None = getattr(_local, "lease", None)
    if lease is not None:
        lease.hold(sock)
