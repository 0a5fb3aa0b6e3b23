"""Recorder: a thread that records what steps have done, all at once that has ended meanwhile, and reports them then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from algosync.core.lean import dataclass
from algosync.core.planning.schedule import Step
from algosync.core.ports import Ledger, Outcome

__all__ = ["Done", "OutcomeRecorder"]

_TOGETHER = 500  # steps
_GATHERED = 0.01  # seconds


@dataclass(frozen=True, slots=True)
class Done:
    """A step has ended well, but is not recorded yet."""

    step: Step
    outcome: Outcome
    seconds: float


class OutcomeRecorder:
    """`tell` is called with each step after it was recorded, or with the error for which it could not be recorded.

    `gathers`: whether there is no hurry, because other steps run anyway. Then the steps that end within 10 ms are recorded
    together: recording each alone costs as much as the transfer of a small file.
    """

    def __init__(
        self, ledger: Ledger, tell: Callable[[Done | BaseException], None], gathers: Callable[[], bool] = lambda: False
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._gathers = gathers
        self._queue: SimpleQueue[Done | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, done: Done) -> None:
        self._queue.put(done)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def close(self) -> None:
        """Returns when all that was put before is recorded."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        more = True
        while more:
            batch = [self._queue.get()]
            if self._gathers():
                time.sleep(_GATHERED)
            while len(batch) < _TOGETHER:
                try:
                    batch.append(self._queue.get_nowait())
                except Empty:
                    break
            more = None not in batch
            self._record([done for done in batch if done is not None])

    def _record(self, batch: list[Done]) -> None:
        try:
            self._ledger.commit_all(
                [record for done in batch for record in done.outcome.records],
                [address for done in batch for address in done.outcome.forgotten],
            )
        except BaseException as error:  # noqa: BLE001  # the caller's thread raises it and ends the run
            self._tell(error)
        else:
            for done in batch:
                self._tell(done)
