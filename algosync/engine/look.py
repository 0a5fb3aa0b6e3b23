"""Looking: every algorithm asked about at once, and every failure told, not only the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from algosync.core.error import AlgosyncError, Several

__all__ = ["each"]

T = TypeVar("T")
R = TypeVar("R")


def each(look: Callable[[T], R], things: Iterable[T], parallelism: int) -> Sequence[R]:
    """The answers in the order of the things. Raises the one failure there was, or Several."""
    pool = ThreadPoolExecutor(parallelism, thread_name_prefix="look")
    errors: list[AlgosyncError] = []
    answers: list[R] = []
    try:
        for future in [pool.submit(look, thing) for thing in things]:
            try:
                answers.append(future.result())
            except AlgosyncError as error:
                if not any(str(error) == str(known) for known in errors):
                    errors.append(error)
    finally:
        pool.shutdown(cancel_futures=True)  # a signal does not wait for what has not begun
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise Several(tuple(errors))
    return answers
