"""Results that are kept in the repository: the table and the plot of a full run, and the ratios of a small one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmark.plot import plot
from benchmark.report import key, table
from benchmark.result import Result

__all__ = ["FOLDER", "keep", "keep_ratios", "worse"]

FOLDER = Path(__file__).resolve().parents[1] / "results"
FACTOR = 2.0
"""A ratio that is this many times the recorded one fails the check."""

INTRODUCTION = """\
# Benchmarks

Made by `python tests/perf/benchmark --write`, which measures algosync and its peers in turn, as fresh processes on one machine.

- Figures are medians, with the least and the greatest in brackets.
- A ratio is ours ÷ theirs. A ratio within 1.1 of its target counts as met.
- Both sides talk to the same servers, which cost next to nothing (`tests/perf/benchmark/stub`). With "nginx at both ends" nginx
  stores and serves the data files. All files are in memory.
- "Upload alone" is the time from the head of the first upload to the end of the last one, as the destination sees it.
  All other times are those of whole processes.
- rclone has `--webdav-pacer-min-sleep 0`. It uses WebDAV, on the same servers and files.
- Requests are those that algosync sends to the destination, memory is its peak.

![The ratios as bars](benchmarks.svg)

"""


def keep(results: Sequence[Result], about: str, folder: Path = FOLDER) -> None:
    """Put results into the table and the plot. Rows that were not measured now keep their results of an earlier run."""
    folder.mkdir(exist_ok=True)
    file = folder / "benchmarks.json"
    old = [Result(**each) for each in json.loads(file.read_text())["results"]] if file.exists() else []
    joined = _joined(old, results)
    document = {"about": about, "results": [asdict(each) for each in joined]}
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    (folder / "benchmarks.md").write_text(f"{INTRODUCTION}{about}.\n\n{table(joined)}")
    (folder / "benchmarks.svg").write_text(plot(joined, about))


def _joined(old: Sequence[Result], new: Sequence[Result]) -> list[Result]:
    """The new results in the places of the old ones of their row; rows that are only in one of both as they are."""
    rows = list(dict.fromkeys(each.row for each in [*old, *new]))
    measured = {each.row for each in new}
    return [each for row in rows for each in (new if row in measured else old) if each.row == row]


def keep_ratios(results: Iterable[Result], folder: Path = FOLDER) -> None:
    """Record the ratios of a small run's fastest rounds, beside those of rows that were not measured now."""
    folder.mkdir(exist_ok=True)
    file = folder / "small.json"
    ratios = json.loads(file.read_text()) if file.exists() else {}
    ratios |= {key(each): round(each.fastest, 3) for each in results}
    file.write_text(json.dumps(ratios, indent=1, ensure_ascii=False) + "\n")


def worse(results: Iterable[Result], folder: Path = FOLDER) -> dict[str, str]:
    """What is wrong with the ratios of a small run, by the keys of the results: not recorded, or twice the recorded one."""
    ratios: dict[str, float] = json.loads((folder / "small.json").read_text())
    found = {}
    for each in results:
        recorded = ratios.get(key(each))
        if recorded is None:
            found[key(each)] = "no ratio is recorded: run `python tests/perf/benchmark --size small --write`"
        elif each.fastest > FACTOR * recorded:
            found[key(each)] = f"{each.fastest:.2f}, and {recorded} is recorded"
    return found
