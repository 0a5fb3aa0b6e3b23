"""A drift report as text. `finding_lines` and `summary_line` have no colours, so any format may use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from algosync.core.change import Drift, Finding
from algosync.core.text import paint, printable
from algosync.views.value import differences

__all__ = ["HEADINGS", "drift_lines", "finding_lines", "summary_line"]

HEADINGS = {
    Drift.CHANGED: ("~", "yellow", "has changed outside of algosync"),
    Drift.MISSING: ("-", "red", "is missing"),
    Drift.UNMANAGED: ("?", "cyan", "is not managed by this workflow"),
    Drift.UNKNOWN: ("!", "red", "could not be looked at"),
}


def drift_lines(findings: Sequence[Finding], redact: Callable[[str], str]) -> Iterator[str]:
    """Each finding and a sum. Unmanaged resources are listed, but they are not drift."""
    for finding in findings:
        yield from _finding(finding, redact)
    if findings:
        yield ""
    drifted = any(finding.drift is not Drift.UNMANAGED for finding in findings)
    yield summary_line(findings) if drifted else paint(summary_line(findings), "green", "bold")


def summary_line(findings: Sequence[Finding]) -> str:
    """The number of findings of each sort, or that there is no drift. Without colours."""
    count = Counter(f.drift for f in findings)
    if count.keys() <= {Drift.UNMANAGED}:
        return "No drift. The destination is as it was left."
    return f"Drift: {', '.join(f'{count[drift]} {drift.value}' for drift in Drift if count[drift])}."


def finding_lines(finding: Finding, redact: Callable[[str], str]) -> Iterator[str]:
    """The values of a resource that has changed, and the reason of a finding, as printable lines. Without colours."""
    if finding.drift is Drift.CHANGED:
        for d in differences(finding.before, finding.after):
            if d.before != d.after:
                yield redact(f"~ {d.name} = {d.before} -> {d.after}")
    if finding.reason:
        yield printable(redact(finding.reason))


def _finding(finding: Finding, redact: Callable[[str], str]) -> Iterator[str]:
    symbol, colour, sentence = HEADINGS[finding.drift]
    yield f"  {paint(symbol, colour)} {printable(redact(str(finding.address)))} {sentence}"
    for line in finding_lines(finding, redact):
        yield f"      {line}"
