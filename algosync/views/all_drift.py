"""The drift of several workflows: their order, and their sums as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from algosync.core.planning.change import Drift, Finding
from algosync.core.text import plural
from algosync.views.drift import counted_words
from algosync.views.subject import Drifted, Failed

__all__ = ["all_summary_line", "counted_workflows", "findings_of", "first_seen", "worst_first"]


def findings_of(part: Drifted | Failed) -> tuple[Finding, ...]:
    return part.findings if isinstance(part, Drifted) else ()


def differing(part: Drifted | Failed) -> tuple[Finding, ...]:
    """The findings for which somebody has to do something."""
    return tuple(each for each in findings_of(part) if each.drift.differs or each.drift is Drift.UNKNOWN)


def first_seen(part: Drifted | Failed) -> str:
    """When the oldest of these findings was first seen, ISO 8601 in UTC. Empty: there is none, or it is not known."""
    return min(filter(None, (each.first_seen or each.since for each in differing(part))), default="")


def worst_first(parts: Iterable[Drifted | Failed]) -> list[Drifted | Failed]:
    """Errors first, then those with most to do, then those that differ for the longest time; else in the order that they have."""

    def rank(part: Drifted | Failed) -> tuple[bool, bool, int, str]:
        return isinstance(part, Drifted), part.exit_code == 0, -len(differing(part)), first_seen(part) or "~"

    return sorted(parts, key=rank)


def counted_workflows(parts: Iterable[Drifted | Failed]) -> dict[str, int]:
    """The number of workflows of each sort. One is `unknown` if nothing differs, and something could not be looked at."""
    counted = Counter(map(_sort_of, parts))
    return {sort: counted[sort] for sort in ("with drift", "unknown", "without drift", "with errors")}


def _sort_of(part: Drifted | Failed) -> str:
    if isinstance(part, Failed):
        return "with errors"
    found = {finding.drift for finding in differing(part)}
    return "without drift" if not found else "unknown" if found == {Drift.UNKNOWN} else "with drift"


def all_summary_line(parts: Sequence[Drifted | Failed]) -> str:
    """How many workflows have drift, and the number of findings of each sort. Without colours."""
    counts = ", ".join(f"{number:,} {sort}" for sort, number in counted_workflows(parts).items() if number)
    words = counted_words(finding for part in parts for finding in differing(part))
    return f"{plural(len(parts), 'workflow')}: {counts or 'none examined'}.{f' Findings: {words}.' if words else ''}"
