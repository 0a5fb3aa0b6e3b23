"""Patience: how long a command waits for a lock that another command holds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from algosync.core.error import LockHeld
from algosync.core.lean import dataclass

__all__ = ["AT_ONCE", "Patience"]

_FIRST_PAUSE, _LAST_PAUSE = 0.05, 0.5  # seconds between two tries; they grow, because a try may be several requests


def _nobody(_: LockHeld) -> None:
    """Is told nothing."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`seconds`: how long to wait; 0: not at all. `tell`: is called once, with the first refusal, before the wait begins.

    `clock` gives seconds and never goes back. `pause` sleeps, and may raise to end the wait.
    """

    seconds: float = 0.0
    tell: Callable[[LockHeld], None] = _nobody
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def take(self, lock: Callable[[], None]) -> None:
        """Takes a lock. LockHeld: the last refusal when the time is over."""
        deadline = self.clock() + self.seconds
        longest = _FIRST_PAUSE
        told = False
        while True:
            try:
                return lock()
            except LockHeld as refusal:
                left = deadline - self.clock()
                if left <= 0:
                    raise
                if not told:
                    self.tell(refusal)
                    told = True
            # The random part keeps the commands that wait apart.
            self.pause(min(left, random.uniform(longest / 2, longest)))  # noqa: S311  # no secret depends on it
            longest = min(longest * 1.5, _LAST_PAUSE)


AT_ONCE = Patience()
"""Waits for no lock."""
