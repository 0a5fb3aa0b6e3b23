"""The table in Markdown, and what is kept of results in JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmark.result import Result

__all__ = ["join", "key", "load", "save", "table"]


def key(result: Result) -> str:
    """What distinguishes a result."""
    return f"{result.name} / {result.peer}"


def table(results: Sequence[Result]) -> str:
    """Rows of Markdown: medians, with the least and the greatest in brackets."""
    lines = ["| | algosync | peer | | ratio | target | requests | memory |", "|---|---|---|---|---|---|---|---|"]
    for each in results:
        target = "" if each.target is None else f"≤ {each.target:g}"
        requests = "" if each.requests is None else f"{each.requests:,}"
        memory = "" if each.memory is None else f"{each.memory:.0f} MiB"
        name = f"{each.name} ({each.note})" if each.note else each.name
        ours, theirs = _shown(each.ours, each.unit), _shown(each.theirs, each.unit)
        lines.append(f"| {name} | {ours} | {each.peer} | {theirs} | {each.ratio:.2f} | {target} | {requests} | {memory} |")
    return "\n".join(lines) + "\n"


def _shown(values: Sequence[float], unit: str) -> str:
    digits = 0 if unit in ("ms", "MiB") else 2
    middle = f"{statistics.median(values):.{digits}f} {unit}"
    return middle if len(values) == 1 else f"{middle} [{min(values):.{digits}f}-{max(values):.{digits}f}]"


def load(file: Path) -> list[Result]:
    """The results in a file; none if there is no file."""
    return [Result(**each) for each in json.loads(file.read_text())["results"]] if file.exists() else []


def save(file: Path, results: Sequence[Result], about: str) -> None:
    """Write results into a file."""
    file.write_text(
        json.dumps({"about": about, "results": [asdict(each) for each in results]}, indent=1, ensure_ascii=False) + "\n"
    )


def join(old: Sequence[Result], new: Sequence[Result]) -> list[Result]:
    """The old results with the new ones in their places, and the rest of the new ones behind the last of the same row."""
    fresh = {key(each): each for each in new}
    kept = [fresh.pop(key(each), each) for each in old]
    return [*kept, *fresh.values()]
