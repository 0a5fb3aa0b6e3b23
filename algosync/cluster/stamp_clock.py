"""Stamp clock: what is known of the clock that gives a store's files their times, from the times that its listings show.

Times in listings have whole seconds. A later write of the same size can get the same stamp as long as that clock shows the same
second. A listing that shows a stamp proves that the clock had reached it when the listing arrived. So one second later no write can
get that stamp any more, and earlier if other files have a later one by then. The header `Date` proves nothing of this: it may come
from another machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

__all__ = ["StampClock"]

_SECOND = 1.0  # the resolution of times in listings (PLATFORM.md §2.3)
_APART = 0.1  # seconds that the clocks of machines of one cluster may differ
_MOST_APART = 3.0  # seconds of a difference that is waited for


class StampClock:
    """Safe to use from several threads: at worst a time is not taken into account. `clock` gives seconds and never goes back.

    Several machines may give files their times. Their clocks may differ by 0.1 s. If our own writes show a greater difference, a
    stamp of one machine no longer tells anything about others.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ahead = -math.inf  # seconds, at least, from the local clock to the one that is farthest ahead
        self._below = math.inf  # each machine that stamped a file of ours is ahead by less than its part of this

    def listed(self, stamp: float) -> None:
        """A listing has just arrived that shows this time (seconds)."""
        self._ahead = max(self._ahead, stamp - self._clock())

    def wrote(self, stamp: float, began: float) -> None:
        """Our write, which began at this time of the local clock, got this stamp or a later one."""
        self._below = min(self._below, stamp + _SECOND - began)

    def seconds_left(self, stamp: float, shown: float) -> float:
        """How long it takes at most until no write can get this stamp any more.

        `shown`: when a listing arrived that shows it, by the local clock.
        """
        known, apart = stamp - shown, self._ahead - self._below
        if apart <= _APART:
            known, apart = max(known, self._ahead), 0.0
        elif apart > _MOST_APART:  # no difference between machines, but a file from the future: once the clock was wrong
            apart = 0.0
        return max(0.0, stamp + _SECOND + _APART + apart - known - self._clock())
