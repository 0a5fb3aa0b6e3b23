"""Transfer pool: threads that move files, of which big ones never take all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from algosync.core.lean import dataclass

__all__ = ["TransferPool"]

_BIG = 8 << 20  # bytes


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], None]  # raises nothing
    big: bool


class TransferPool:
    """At most `limit` jobs at the same time, begun in the order in which they come. One thread is kept for files that are not big.

    A big file that finds no thread waits until another big one has ended. Threads start when they are needed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._most_big = max(1, limit - 1)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._big = 0  # how many big files are under way
        self._waiting: deque[_Job] = deque()
        self._closed = False

    def submit(self, work: Callable[[], None], size: int) -> None:
        """Has `work` done by a thread. `size`: bytes that it moves. Only one thread may submit."""
        self._jobs.put(_Job(work, size > _BIG))
        if len(self._threads) < self._limit:
            self._threads.append(threading.Thread(target=self._run, name=f"transfer_{len(self._threads)}"))
            self._threads[-1].start()

    def close(self) -> None:
        """Waits for the jobs under way. No other one begins."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.big:
                self._do(job)
            elif self._admits(job):
                self._do_big(job)

    def _do_big(self, first: _Job) -> None:
        """Does a big job, and those that wait for its place."""
        job: _Job | None = first
        while job is not None:
            self._do(job)
            with self._guard:
                job = self._waiting.popleft() if self._waiting else None
                self._big -= job is None

    def _admits(self, job: _Job) -> bool:
        with self._guard:
            if self._big < self._most_big:
                self._big += 1
                return True
            self._waiting.append(job)
            return False

    def _do(self, job: _Job) -> None:
        if not self._closed:
            job.work()
