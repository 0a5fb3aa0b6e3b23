"""Look: runs many queries at once, and reports every failure, not only the first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from algosync.core.error import AlgosyncError, Several

__all__ = ["each"]

T = TypeVar("T")
R = TypeVar("R")

_FIRST = 2  # threads
_WAITS = 0.02  # seconds


def each(look: Callable[[T], R], things: Iterable[T], parallelism: int) -> Sequence[R]:
    """The results in the order of `things`. Raises the only failure, or Several; equal messages count once.

    Runs at most `parallelism` threads. Where answers come at once, two are fastest: only one thread at a time can run Python code.
    So there are more only while a thing has to be waited for.
    """
    looks = _Looks(look, list(things), parallelism)
    looks.run()
    errors: dict[str, AlgosyncError] = {}
    for _, failure in sorted(looks.failures.items()):
        for error in failure.errors if isinstance(failure, Several) else (failure,):
            errors.setdefault(str(error), error)
    if len(errors) > 1:
        raise Several(tuple(errors.values()))
    if errors:
        raise next(iter(errors.values()))
    return [looks.answers[place] for place in range(len(looks.answers))]


class _Looks(Generic[T, R]):
    """`answers` and `failures` by the place of their thing."""

    def __init__(self, look: Callable[[T], R], things: Sequence[T], parallelism: int) -> None:
        self.answers: dict[int, R] = {}
        self.failures: dict[int, AlgosyncError] = {}
        self._look, self._things = look, things
        self._most = min(parallelism, len(things))
        self._places: Iterator[int] = iter(range(len(things)))
        self._guard = threading.Lock()
        self._workers: list[Future[None]] = []
        self._stopped = False

    def run(self) -> None:
        """Returns when all are done. Raises what no query should raise."""
        if not self._things:
            return
        with ThreadPoolExecutor(self._most, thread_name_prefix="look") as self._pool:
            try:
                for _ in range(min(_FIRST, self._most)):
                    self._start()
                done = 0
                while done < len(self._workers):  # a worker may have started another one meanwhile
                    for worker in self._workers[done:]:
                        worker.result()
                        done += 1
            finally:
                self._stopped = True  # a signal does not wait for looks that have not begun

    def _start(self) -> None:
        with self._guard:
            if len(self._workers) < self._most and not self._stopped:
                self._workers.append(self._pool.submit(self._work))

    def _work(self) -> None:
        while not self._stopped:
            with self._guard:
                place = next(self._places, None)
            if place is None:
                return
            began, used = time.monotonic(), time.thread_time()
            try:
                self.answers[place] = self._look(self._things[place])
            except AlgosyncError as error:
                self.failures[place] = error
            if time.monotonic() - began - (time.thread_time() - used) > _WAITS:
                self._start()
