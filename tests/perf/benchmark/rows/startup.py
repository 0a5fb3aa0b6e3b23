"""Start-up: whole commands, beside commands of other tools and bare imports."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial

from benchmark.replay import bare, recorded
from benchmark.result import Bench, Result, interleaved
from benchmark.rows.looking import one_unchanged
from benchmark.running import Cost, run, stub
from benchmark.workspace import command

__all__ = ["startup"]


def startup(bench: Bench) -> Iterator[Result]:
    """`--version`, `--help`, `validate`, and a plan of one unchanged algorithm."""
    workspace, saved = one_unchanged(bench)
    folder = workspace.folder
    with stub(folder / "stub", load=saved, fixed=True) as cluster:
        file = folder / "plan-requests"
        requests = recorded(file, cluster, partial(workspace.plan, cluster))
        sides: dict[str, Callable[[], Cost]] = {
            "version": partial(run, [*command(), "--version"], folder),
            "help": partial(run, [*command(), "--help"], folder),
            "validate": partial(run, [*command(), "validate", "workflow.json"], folder),
            "plan": partial(workspace.plan, cluster),
            "import": partial(run, [sys.executable, "-c", "import Algorithmia"], folder),
            "answers": partial(bare, file, cluster, 1, "urllib3", ("Algorithmia",)),
        }
        for name, argument in (("octodns-sync", "--help"), ("dvc", "--version"), ("rclone", "version")):
            if found := bench.peer(name):
                sides[name] = partial(run, [found, argument], folder)
        costs = interleaved(bench.rounds * 2, sides)
    pairs = [
        ("version", "octodns-sync", 0.35),
        ("help", "octodns-sync", 0.65),
        ("version", "dvc", None),
        ("version", "rclone", None),
        ("validate", "import", 0.7),
        ("plan", "answers", 1.2),
    ]
    names = {
        "version": "--version",
        "help": "--help",
        "validate": "validate of a small file",
        "plan": "plan of one unchanged algorithm",
    }
    peers = {
        "octodns-sync": "octodns-sync --help",
        "dvc": "dvc --version",
        "rclone": "rclone version",
        "import": "import Algorithmia",
        "answers": "import Algorithmia, and the same requests bare",
    }
    for ours, peer, target in pairs:
        if peer in sides:
            mine, other = costs[ours], costs[peer]
            count = requests if ours == "plan" else None
            yield Result("startup", names[ours], peers[peer], _ms(mine.wall), _ms(other.wall), "ms", target, count, mine.memory)
            yield Result("startup", f"{names[ours]}: processor", peers[peer], _ms(mine.cpu), _ms(other.cpu), "ms", None, count)


def _ms(seconds: list[float]) -> list[float]:
    return [each * 1000 for each in seconds]
