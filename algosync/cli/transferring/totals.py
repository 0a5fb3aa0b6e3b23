"""Totals: how many bytes an apply has to move, how many it has moved, and how long the rest takes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from algosync.core.event import Event, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.schedule import Step, Verb

__all__ = ["TransferTotals"]

_SENDS = (Verb.UPLOAD, Verb.OVERWRITE)
_WINDOW = 20.0  # seconds over which the rate is measured
_KNOWN_AFTER = 1.0  # seconds


class TransferTotals:
    """Of the steps of one apply: files that are sent, and files that are read back if `reads_back`.

    A transfer that begins again has more left to do, but what it moved before counts for the rate. `clock` gives seconds and never
    goes back.
    """

    def __init__(self, steps: Iterable[Step], *, reads_back: bool, clock: Callable[[], float] = time.monotonic) -> None:
        verbs = (*_SENDS, Verb.VERIFY) if reads_back else _SENDS
        self._sizes = {step.key: _size(step) for step in steps if step.verb in verbs}
        self.clock = clock
        self._parts: dict[str, int] = {}  # bytes of each transfer that has begun
        self._moved = 0  # never goes back
        self._samples: deque[tuple[float, int]] = deque()
        self.total = sum(self._sizes.values())
        self.done = 0

    @property
    def left(self) -> int:
        """Bytes."""
        return self.total - self.done

    def note(self, event: Event) -> None:
        match event:
            case StepStarted(step=step):
                self._advance(step.key, self._parts.get(step.key, 0))
            case Progress(step=step, done=done):
                self._advance(step.key, done)
            case StepDone(step=step):
                self._advance(step.key, self._sizes.get(step.key, 0))
            case StepFailed(step=step) | StepSkipped(step=step):
                self._give_up(step.key)
            case _:
                pass

    def rate(self) -> float | None:
        """Bytes a second, over the last seconds. None: not known, because transfers have just begun, or nothing moves."""
        now = self.clock()
        if not self._samples or now - self._samples[-1][0] > _WINDOW:
            return None
        began, moved = self._samples[0]
        seconds = now - began
        return None if seconds < _KNOWN_AFTER else (self._moved - moved) / seconds

    def seconds_left(self) -> float | None:
        """None: not known."""
        rate = self.rate()
        return self.left / rate if rate else None

    def _advance(self, key: str, done: int) -> None:
        size = self._sizes.get(key)
        if size is None:
            return
        before, now = self._parts.get(key, 0), min(done, size)
        self._parts[key] = now
        self.done += now - before
        self._moved += max(0, now - before)
        self._sample()

    def _sample(self) -> None:
        """Notes what was moved until now. A pause that is longer than the window begins the measurement again."""
        now = self.clock()
        if not self._samples or now - self._samples[-1][0] >= _WINDOW / 100:
            self._samples.append((now, self._moved))
        while len(self._samples) > 1 and now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()

    def _give_up(self, key: str) -> None:
        """What is left of a transfer will not be moved in this apply."""
        size = self._sizes.pop(key, None)
        if size is not None:
            self.total -= size - self._parts.get(key, 0)


def _size(step: Step) -> int:
    after = step.change.after if step.change else None
    return (after.size or 0) if after else 0
