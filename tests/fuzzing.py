"""Shared settings of all fuzz tests: the number of runs, the seed, and the time that one input may take.

`ALGOSYNC_FUZZ_SCALE` multiplies the counts (default 1.0), `ALGOSYNC_FUZZ_SEED` selects other inputs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["TIME_LIMIT", "runs", "seed", "timed"]

TIME_LIMIT = 2.0  # seconds that one input may take


def runs(count: int) -> int:
    """Number of inputs to try if `count` is the usual number; at least one."""
    return max(1, round(count * float(os.environ.get("ALGOSYNC_FUZZ_SCALE", "1"))))


def seed() -> int:
    return int(os.environ.get("ALGOSYNC_FUZZ_SEED", "20261122"))


@contextmanager
def timed(what: object, longest: float = TIME_LIMIT, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Fail if the body takes `longest` seconds or more.

    Use `time.thread_time` as the clock to measure computing only, so that a busy machine does not fail the test. The default also
    counts waiting.
    """
    started = clock()
    yield
    took = clock() - started
    assert took < longest, f"{what!r} took {took:.2f} s"
