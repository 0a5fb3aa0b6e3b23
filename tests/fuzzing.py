"""What all fuzz tests share: how many runs, from which seed, and how much work one of them may be.

`ALGOSYNC_FUZZ_SCALE` multiplies the counts. By default it is 0.25, because with a fixed seed each run repeats the inputs of the one
before; a new parser is worth 1 or more. `ALGOSYNC_FUZZ_SEED` selects other inputs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["MOST_CALLS", "bounded", "runs", "seed"]

MOST_CALLS = 1_000_000  # calls of functions for one input


def runs(count: int) -> int:
    """Number of inputs to try if `count` is that of a thorough run; at least one."""
    return max(1, round(count * float(os.environ.get("ALGOSYNC_FUZZ_SCALE", "0.25"))))


def seed() -> int:
    return int(os.environ.get("ALGOSYNC_FUZZ_SEED", "20261122"))


@contextmanager
def bounded(what: object, most: int = MOST_CALLS) -> Iterator[None]:
    """Fails if the body makes more than `most` calls of functions, of Python or of C, in this thread.

    Calls are counted because a limit in seconds fails on a busy machine. The call beyond the limit raises, so a loop
    that never ends fails too. Work inside one C function counts as one call: `tests/perf/test_growth.py` covers that.
    """
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1
            assert calls <= most, f"{what!r:.200} makes more than {most} calls"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert calls <= most, f"{what!r:.200} makes more than {most} calls"
