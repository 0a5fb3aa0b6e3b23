"""Server clock: the time of a server, as far as the `Date` of its replies tells it.

`Date` has whole seconds. The first reply in a new second tells the server's time best, so the more replies, the better it is known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from algosync.core.timestamp import read_http_date

__all__ = ["ServerClock"]

_SECOND = 1.0  # what `Date` does not tell
_APART = 0.1  # seconds that the clock of `last_modified` may be behind that of `Date`: they may be those of two machines


class ServerClock:
    """Safe to use from several threads: at worst a reply is not taken into account. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ahead = -math.inf  # seconds, at least, from the local clock to the server's
        self._last: tuple[str | None, float | None] = None, None

    def heard(self, date: str | None) -> float | None:
        """A reply with this `Date` has just arrived. Returns the date in seconds; None if it has none, or an invalid one."""
        known, seconds = self._last
        if date != known:
            parsed = read_http_date(date or "")
            seconds = None if parsed is None else parsed.timestamp()
            self._last = date, seconds
            if seconds is not None:
                self._ahead = max(self._ahead, seconds - self._clock())
        return seconds

    def seconds_left(self, date: str | None) -> float:
        """How long it takes at most, after a reply with this `Date` has just arrived, until the server's next second has begun,
        also by the clock that gives files their times.

        0 without a date. A time that does not fit into the second of this reply is that of another server, and does not count.
        """
        seconds = self.heard(date)
        if seconds is None:
            return 0.0
        left = seconds + _SECOND - (self._ahead + self._clock())
        return (left if 0 < left <= _SECOND else _SECOND) + _APART
