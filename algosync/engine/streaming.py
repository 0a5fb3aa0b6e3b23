"""Streaming: a function over many items in several threads, with results in the order of the items and bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["concurrently"]

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 64  # results that wait for each worker: a slow item holds up the results behind it, and not the work


def concurrently(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yields the results in the order of `items`, with at most `workers` calls of the function at once.

    `items` is read in the caller's thread, and only a bounded number ahead. An exception of the function is raised at the place of
    its item, and then no other item starts. The same holds if the reader leaves; calls that run are waited for.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="calls")
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            while waiting and (waiting[0].done() or len(waiting) >= workers * _AHEAD):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
