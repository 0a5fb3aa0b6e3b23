"""Looking: a plan that finds nothing to do, beside the same requests sent bare."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmark.replay import bare, recorded
from benchmark.result import Bench, Measure, Result, interleaved
from benchmark.running import stub
from benchmark.workspace import Workspace, seeded

__all__ = ["looking", "one_unchanged"]

FILES = 10


def looking(bench: Bench) -> Iterator[Result]:
    """Unchanged plans by the number of algorithms, each with ten data files."""
    sizes = bench.sizes or [*([20] if bench.small else [100, 200, 500, 1000]), *([10_000] if bench.once else [])]
    found: dict[int, dict[str, Measure]] = {}
    for number in sizes:
        workspace, saved = seeded(bench.folder / f"looking-{number}", number, FILES)
        file = workspace.folder / "plan-requests"
        with stub(workspace.folder / "stub", load=saved, fixed=True) as cluster:
            requests = recorded(file, cluster, partial(workspace.plan, cluster))
            sides = {
                "algosync": partial(workspace.plan, cluster),
                "urllib3 16": partial(bare, file, cluster, 16),
                "urllib3 8": partial(bare, file, cluster, 8),
                "official 16": partial(bare, file, cluster, 16, "official"),
            }
            found[number] = interleaved(bench.rounds if number <= 1000 else 1, sides, warm=number <= 1000)
        yield from _results(number, found[number], requests)
    if {1000, 10_000} <= found.keys():
        name, peer = f"unchanged plan, 10,000 x {FILES}: growth", f"unchanged plan, 1,000 x {FILES}"
        yield Result("looking", name, peer, found[10_000]["algosync"].wall, found[1000]["algosync"].wall, "s", 10.5)


def _results(number: int, found: dict[str, Measure], requests: int) -> Iterator[Result]:
    ours, name = found["algosync"], f"unchanged plan, {number:,} x {FILES}"
    for side, peer, target in (
        ("urllib3 16", "the same requests bare, urllib3, 16 connections", 1.3 if number == 1000 else None),
        ("urllib3 8", "the same requests bare, urllib3, 8 connections", None),
        ("official 16", "the same requests, official client, 16 connections", None),
    ):
        yield Result("looking", name, peer, ours.wall, found[side].wall, "s", target, requests, ours.memory)
    peer = "the same requests bare, urllib3, 16 connections"
    yield Result("looking", f"{name}: processor", peer, ours.cpu, found["urllib3 16"].cpu, "s", None, requests)


def one_unchanged(bench: Bench) -> tuple[Workspace, Path]:
    """A workspace with one algorithm and one data file that need nothing."""
    return seeded(bench.folder / "one", 1, 1)
