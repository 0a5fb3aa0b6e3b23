"""Rate limits: how many bytes of transfers a run moves in a second, in each direction."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import field

from algosync.core.lean import dataclass

__all__ = ["RateLimit", "TokenBucket"]

_BURST = 0.1  # seconds
_PIECES = 32  # a second
_SMALLEST, _LARGEST = 4 << 10, 256 << 10  # bytes of a piece


class TokenBucket:
    """A token bucket that fills with `rate` bytes a second. Safe to use from several threads, which are served in turn.

    `pause` waits so many seconds. It may raise Interrupted. `clock` gives seconds and never goes back.
    """

    def __init__(self, rate: float, pause: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._rate = rate
        self._pause = pause
        self._clock = clock
        self._guard = threading.Lock()
        self._free_at = clock()  # when all that was taken so far has been paid for

    def take(self, count: int) -> None:
        """Returns when the bytes that were taken before are paid for. The first caller is served first."""
        with self._guard:
            now = self._clock()
            begins = max(self._free_at, now - _BURST)
            self._free_at = begins + count / self._rate
        if begins > now:
            self._pause(begins - now)


@dataclass(slots=True)
class RateLimit:
    """At most `rate` bytes a second are received, and as many are sent, whatever the number of transfers.

    `piece`: the bytes that a transfer moves at once, so that others get their turn soon.
    """

    rate: float
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    received: TokenBucket = field(init=False)
    sent: TokenBucket = field(init=False)

    def __post_init__(self) -> None:
        self.received = TokenBucket(self.rate, self.pause, self.clock)
        self.sent = TokenBucket(self.rate, self.pause, self.clock)

    @property
    def piece(self) -> int:
        return max(_SMALLEST, min(_LARGEST, int(self.rate / _PIECES)))
