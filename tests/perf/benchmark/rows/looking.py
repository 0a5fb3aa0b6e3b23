"""Looking: a plan that finds nothing to do, beside the same requests sent bare."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.result import Bench, Measure, Result, interleaved
from benchmark.running import Cost, Stub, run, stub
from benchmark.workspace import Workspace, seeded

__all__ = ["bare", "looking", "recorded"]

FILES = 10


def looking(bench: Bench) -> Iterator[Result]:
    """Unchanged plans by the number of algorithms, each with ten data files."""
    sizes = [30] if bench.small else [100, 200, 500, 1000]
    walls: dict[int, Measure] = {}
    for number in [*sizes, 10_000] if bench.once else sizes:
        workspace, saved = seeded(bench.folder / f"looking-{number}", number, FILES)
        with stub(workspace.folder / "stub", load=saved, fixed=True) as cluster:
            requests = recorded(workspace.folder / "plan-requests", cluster, lambda w=workspace, c=cluster: w.plan(c))  # type: ignore[misc]
            sides: dict[str, Callable[[], Cost]] = {"algosync": lambda w=workspace, c=cluster: w.plan(c)}  # type: ignore[misc]
            for client, connections in (("urllib3", 16), ("urllib3", 8), ("official", 16)):
                sides[f"{client} {connections}"] = bare(workspace.folder / "plan-requests", cluster, connections, client)
            found = interleaved(1 if number > 1000 else bench.rounds, sides, warm=number <= 1000)
        ours = walls[number] = found["algosync"]
        name = f"unchanged plan, {number:,} x {FILES}"
        for side, peer, target in (
            ("urllib3 16", "the same requests bare, urllib3, 16 connections", 1.3 if number == 1000 else None),
            ("urllib3 8", "the same requests bare, urllib3, 8 connections", None),
            ("official 16", "the same requests, official client, 16 connections", None),
        ):
            yield Result("looking", name, peer, ours.wall, found[side].wall, "s", target, requests, ours.memory)
        yield Result(
            "looking", f"{name}: processor", "urllib3, 16 connections", ours.cpu, found["urllib3 16"].cpu, "s", None, requests
        )
    if bench.once:
        name, peer = f"unchanged plan, 10,000 x {FILES}: growth", f"unchanged plan, 1,000 x {FILES}"
        yield Result("looking", name, peer, walls[10_000].wall, walls[1000].wall, "s", 10.5)


def recorded(file: Path, cluster: Stub, body: Callable[[], object]) -> int:
    """Write the requests that `body` makes into the file. Returns their number."""
    cluster.ask("record", b"")
    body()
    requests = cluster.ask("recorded")
    assert isinstance(requests, list)
    file.write_text(json.dumps(requests))
    return len(requests)


def bare(file: Path, cluster: Stub, connections: int, client: str = "urllib3", modules: tuple[str, ...] = ()) -> Callable[[], Cost]:
    """A process that sends the recorded requests."""
    command = [sys.executable, "-m", "benchmark.bare", str(file), cluster.address, str(connections), client, *modules]
    return lambda: run(command, file.parent, log="bare-log")


def one_unchanged(bench: Bench) -> tuple[Workspace, Path]:
    """A workspace with one algorithm and one data file that need nothing."""
    return seeded(bench.folder / "one", 1, 1)
