"""Transfer pool: threads that move files, of which big ones never take all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from algosync.core.lean import dataclass
from algosync.core.planning.schedule import Step

__all__ = ["TransferPool"]

_BIG = 8 << 20  # bytes
_TINY = 64 << 10  # bytes: such a file takes hardly more time than the Python code, which one thread at a time can run
_FIRST = 2  # threads for tiny files
_AT_ONCE = 8  # small files


@dataclass(frozen=True, slots=True)
class _Job:
    step: Step
    work: Callable[[], None]  # raises nothing
    big: bool


class TransferPool:
    """At most `limit` jobs at the same time, begun in the order in which they come. One thread is kept for files that are not big.

    A big file that finds no thread waits until another big one has ended. Threads start when they are needed: for tiny files two,
    and more only when `grow` is called. `announce` is called with the steps that a thread is about to begin: several if they are
    small and many wait. It raises nothing.
    """

    def __init__(self, limit: int, announce: Callable[[Sequence[Step]], None]) -> None:
        self._limit = limit
        self._announce = announce
        self._most_big = max(1, limit - 1)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._big = 0  # how many big files are under way
        self._waiting: deque[_Job] = deque()
        self._closed = False

    def submit(self, step: Step, work: Callable[[], None], size: int) -> None:
        """Has `work` done by a thread. `size`: bytes that it moves. Only one thread may submit."""
        self._jobs.put(_Job(step, work, size > _BIG))
        if len(self._threads) < _FIRST or size > _TINY:
            self._start_threads(1)

    def grow(self) -> bool:
        """Starts as many threads as there are, but not more than jobs wait. False: there are as many as there may be. Only the
        thread that submits may call it.
        """
        self._start_threads(min(len(self._threads), self._jobs.qsize()))
        return len(self._threads) < self._limit

    def _start_threads(self, count: int) -> None:
        for number in range(len(self._threads), min(len(self._threads) + count, self._limit)):
            self._threads.append(threading.Thread(target=self._run, name=f"transfer_{number}"))
            self._threads[-1].start()

    @property
    def has_waiting(self) -> bool:
        """Whether jobs wait for a thread."""
        return not self._jobs.empty()

    def close(self) -> None:
        """Waits for the jobs under way. No other one begins."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            with suppress(RuntimeError):  # it could not start, because the system has no more threads
                thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            small, big = self._taken(job)
            self._announce_if_open([each.step for each in small])
            for each in small:
                self._do(each)
            if big is not None and self._admits(big):
                self._do_big(big)

    def _taken(self, job: _Job) -> tuple[list[_Job], _Job | None]:
        """This job and those behind it that are small, and the big one that ends them if there is one."""
        count = min(_AT_ONCE, 1 + self._jobs.qsize() // self._limit)  # no other thread lacks work because of these
        small: list[_Job] = []
        following: _Job | None = job
        while following is not None and not following.big:
            small.append(following)
            following = self._waiting_job() if len(small) < count else None
        return small, following

    def _waiting_job(self) -> _Job | None:
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return None
        if job is None:  # the end, which this thread has to see again
            self._jobs.put(None)
        return job

    def _do_big(self, first: _Job) -> None:
        """Does a big job, and those that wait for its place."""
        job: _Job | None = first
        while job is not None:
            self._announce_if_open([job.step])
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

    def _announce_if_open(self, steps: Sequence[Step]) -> None:
        if steps and not self._closed:
            self._announce(steps)

    def _do(self, job: _Job) -> None:
        if not self._closed:
            job.work()
