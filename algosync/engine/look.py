"""Look: runs many queries at once, and reports every failure, not only the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from algosync.core.error import AlgosyncError, Several

__all__ = ["each"]

T = TypeVar("T")
R = TypeVar("R")


def each(look: Callable[[T], R], things: Iterable[T], parallelism: int) -> Sequence[R]:
    """The results in the order of `things`. Raises the only failure, or Several; equal messages count once."""
    pool = ThreadPoolExecutor(parallelism, thread_name_prefix="look")
    errors: dict[str, AlgosyncError] = {}
    answers: list[R] = []
    try:
        for future in [pool.submit(look, thing) for thing in things]:
            try:
                answers.append(future.result())
            except Several as several:
                errors.update((str(error), error) for error in several.errors if str(error) not in errors)
            except AlgosyncError as error:
                errors.setdefault(str(error), error)
    finally:
        pool.shutdown(cancel_futures=True)  # a signal does not wait for looks that have not begun
    if len(errors) > 1:
        raise Several(tuple(errors.values()))
    if errors:
        raise next(iter(errors.values()))
    return answers
