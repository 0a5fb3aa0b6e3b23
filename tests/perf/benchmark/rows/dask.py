"""Transfers on the workers of a Dask cluster beside those of threads: what the detour costs where nothing is gained by it.

Scheduler and workers run on the machine that is measured, so its processors and its network do all the work on either side.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from functools import partial

from benchmark.result import Bench, Result, interleaved
from benchmark.rows.transfers import route
from benchmark.running import PERF, stub

__all__ = ["dask"]

PEER = "the same with threads"
WORKERS = ("first", "second", "third")


def dask(bench: Bench) -> Iterator[Result]:
    """Many small files, and some large ones, by three workers."""
    if bench.small or importlib.util.find_spec("distributed") is None:
        return
    for number in bench.sizes or [500]:
        yield from _row(bench, [20 << 10] * number, f"{number:,} x 20 KiB, 10 ms a request", delay=0.01)
    yield from _row(bench, [64 << 20] * 16, "16 x 64 MiB, stubs at both ends", delay=0.0)


def _row(bench: Bench, sizes: list[int], name: str, delay: float) -> Iterator[Result]:
    sys.path.append(str(PERF.parent))
    from dask_processes import dask_processes

    folder = bench.folder / "dask"
    with route(bench, sizes, partial(stub, delay=delay)) as way, dask_processes(folder, *WORKERS) as cluster:
        found = interleaved(bench.rounds, {"threads": way.apply, "dask": partial(way.apply, "--executor", cluster.executor)})
    shutil.rmtree(folder)
    ours, theirs = found["dask"], found["threads"]
    label = f"{name}: whole apply with --executor dask://, {len(WORKERS)} workers"
    yield Result("dask", label, PEER, ours.wall, theirs.wall, "s", None, None, ours.memory)
