"""The table in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmark.result import Result

__all__ = ["key", "table"]


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
    """The median with the least and the greatest, to about three digits."""
    digits = 0 if statistics.median(values) >= 100 else 2
    middle = f"{statistics.median(values):.{digits}f} {unit}"
    return middle if len(values) == 1 else f"{middle} [{min(values):.{digits}f}-{max(values):.{digits}f}]"
