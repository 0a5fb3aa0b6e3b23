"""What all fuzz tests share: how many runs, from which seed, and how long one of them may take.

`ALGOSYNC_FUZZ_SCALE` multiplies the counts (1.0 where it is not set), `ALGOSYNC_FUZZ_SEED` moves to other inputs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["LONGEST", "runs", "seed", "timed"]

LONGEST = 2.0  # seconds that one input may take


def runs(count: int) -> int:
    """How many inputs to try where `count` is the usual number; at least one."""
    return max(1, round(count * float(os.environ.get("ALGOSYNC_FUZZ_SCALE", "1"))))


def seed() -> int:
    return int(os.environ.get("ALGOSYNC_FUZZ_SEED", "20261122"))


@contextmanager
def timed(what: object, longest: float = LONGEST, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Fails where the body takes `longest` seconds or more. `clock`: `time.thread_time` where only computing is measured,
    so that a busy machine is not blamed on the code; the default where a wait may be the fault."""
    started = clock()
    yield
    took = clock() - started
    assert took < longest, f"{what!r} took {took:.2f} s"
