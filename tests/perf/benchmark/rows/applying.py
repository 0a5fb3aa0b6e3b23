"""A first apply of a fleet, beside the same requests sent bare: processor time for each resource, and growth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmark.replay import bare, recorded
from benchmark.result import Bench, Measure, Result, interleaved
from benchmark.running import Cost, Stub, stub
from benchmark.workspace import Workspace, fleet

__all__ = ["applying"]

FILES = 10
RESOURCES = 3 + FILES  # of an algorithm: its settings, its source, its version, and its files


def applying(bench: Bench) -> Iterator[Result]:
    """First applies by the number of algorithms, each with ten data files."""
    found: dict[int, Measure] = {}
    for number in bench.sizes or ([20] if bench.small else [30, 100, 200, 500, 1000]):
        workspace, _ = fleet(bench.folder / f"applying-{number}", number, FILES)
        rounds = bench.rounds if number < 500 else min(bench.rounds, 2)
        with stub(workspace.folder / "stub") as cluster:
            requests = recorded(workspace.folder / "apply-requests", cluster, partial(workspace.apply, cluster))
            sides = {
                "algosync": partial(workspace.apply, cluster),
                "bare": partial(_bare, workspace, cluster, workspace.folder / "apply-requests"),
            }
            costs = interleaved(rounds, sides, warm=False)
        ours, theirs = costs["algosync"], costs["bare"]
        found[number] = ours
        name, peer = f"first apply, {number:,} x {FILES}", "the same requests bare, urllib3, 16 connections"
        each = [[1000 * cpu / (number * RESOURCES) for cpu in side.cpu] for side in (ours, theirs)]
        target = 3.0 if number == 1000 else None
        yield Result("applying", f"{name}: processor for each resource", peer, each[0], each[1], "ms", target, requests)
        yield Result("applying", name, peer, ours.wall, theirs.wall, "s", None, requests, ours.memory)
    if {100, 1000} <= found.keys():
        name, peer = f"first apply, 1,000 x {FILES}: growth", f"first apply, 100 x {FILES}"
        yield Result("applying", name, peer, found[1000].wall, found[100].wall, "s", 11.0)


def _bare(workspace: Workspace, cluster: Stub, file: Path) -> Cost:
    cluster.ask("empty", b"")
    return bare(file, cluster, 16)
