"""A clock that stands still until a test moves it, so that no test depends on how busy the machine is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from algosync.net import Watch

__all__ = ["HANG", "FakeTime"]

HANG = 300  # seconds; only a failing test waits so long


@dataclass
class FakeTime:
    """`watch` reads its time, `now`, in seconds."""

    now: float = 0.0
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(lambda: self.now)

    def advance(self, seconds: float) -> None:
        """Returns when the watch has looked at the new time, and has ended the requests that are overdue."""
        with self.watch.guard:
            self.now += seconds
            if self.watch._thread is None:
                return
            self.watch._wakes = -1.0
            self.watch._changed.notify()
        self._wait_for_look()

    def _wait_for_look(self) -> None:
        hang = time.monotonic() + HANG
        while self.watch._wakes == -1.0:
            assert time.monotonic() < hang, "the watch does not look"
            time.sleep(0.001)
