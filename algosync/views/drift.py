"""A drift report as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from algosync.core.address import Address
from algosync.core.change import Drift, Finding
from algosync.core.text import paint, printable
from algosync.views.value import differences

__all__ = ["HEADINGS", "drift_lines", "managed_lines"]

HEADINGS = {
    Drift.CHANGED: ("~", "yellow", "has changed outside of algosync"),
    Drift.MISSING: ("-", "red", "is missing"),
    Drift.UNMANAGED: ("?", "cyan", "is not managed by this workflow"),
    Drift.UNKNOWN: ("!", "red", "could not be looked at"),
}


def managed_lines(managed: Iterable[Address]) -> Iterator[str]:
    """The resources that were compared, in one line for each algorithm."""
    by_algorithm: dict[str, Counter[str]] = {}
    for address in managed:
        by_algorithm.setdefault(address.algorithm, Counter())[address.kind] += 1
    if by_algorithm:
        yield "Compared with what was last applied:"
        for name, kinds in by_algorithm.items():
            counts = (kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items())
            yield f"  {printable(name)}: {', '.join(counts)}"
        yield ""


def drift_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Each finding and a sum. Unmanaged resources are listed, but they are not drift."""
    for finding in findings:
        yield from _finding(finding)
    if findings:
        yield ""
    count = Counter(f.drift for f in findings)
    if count.keys() <= {Drift.UNMANAGED}:
        yield paint("No drift. The destination is as it was left.", "green", "bold")
    else:
        yield f"Drift: {', '.join(f'{count[drift]} {drift.value}' for drift in Drift if count[drift])}."


def _finding(finding: Finding) -> Iterator[str]:
    symbol, colour, sentence = HEADINGS[finding.drift]
    yield f"  {paint(symbol, colour)} {printable(str(finding.address))} {sentence}"
    if finding.drift is Drift.CHANGED:
        for d in differences(finding.before, finding.after):
            if d.before != d.after:
                yield f"      ~ {d.name} = {d.before} -> {d.after}"
    if finding.reason:
        yield f"      {printable(finding.reason)}"
