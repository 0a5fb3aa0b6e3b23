"""A drift report as text."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from algosync.core.address import Address
from algosync.core.planning.change import Drift, Finding
from algosync.core.text import paint, printable
from algosync.views.value import Redact, differences, redacted, redacted_address, redacted_name

__all__ = ["HEADINGS", "drift_lines", "finding_lines", "managed_lines", "not_compared_lines", "summary_line"]

_NEXT_STEPS = (
    ({Drift.CHANGED, Drift.MISSING}, "algosync plan shows how an apply would mend it."),
    ({Drift.FAILING}, "For a failing test, mend the algorithm, its data or the payload: algosync apply then tests it again."),
    (
        {Drift.BEHAVIOUR},
        "An answer that changed by itself comes from what the algorithm reads: data, other algorithms, the network. "
        "If it is right, algosync test remembers it.",
    ),
)
_COUNTED = {Drift.BEHAVIOUR: "answered differently"}
"""The words for a sort of findings in the sum, where the sort's own name does not do."""
_NO_DRIFT = "No drift. The destination is as it was left."
_NOT_RECORDED = "is not recorded"  # although the workflow has it
HEADINGS = {
    Drift.CHANGED: ("~", "yellow", "has changed outside of algosync"),
    Drift.MISSING: ("-", "red", "is missing"),
    Drift.REWRITTEN: ("=", "cyan", "was written again outside of algosync, with the same content"),
    Drift.UNMANAGED: ("?", "cyan", "is not managed by this workflow"),
    Drift.FAILING: ("x", "red", "failed when it last ran"),
    Drift.BEHAVIOUR: ("x", "red", "is answered differently, although nothing was published"),
    Drift.IN_PROGRESS: (">", "cyan", "may be in progress: a command that runs now works on it"),
    Drift.UNKNOWN: ("!", "red", "could not be looked at"),
}


def managed_lines(managed: Iterable[Address], redact: Redact) -> Iterator[str]:
    """The resources that were compared, in one line for each algorithm."""
    by_algorithm: dict[str, Counter[str]] = {}
    for address in managed:
        by_algorithm.setdefault(address.algorithm, Counter())[address.kind] += 1
    if by_algorithm:
        yield "Compared with what was last applied:"
        for name, kinds in by_algorithm.items():
            counts = (kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items())
            yield f"  {printable(redact(name))}: {', '.join(counts)}"
        yield ""


def not_compared_lines(not_compared: Mapping[Address, Sequence[str]], redact: Redact) -> Iterator[str]:
    """The attributes that were not compared, in one line for each resource."""
    if not_compared:
        yield "Not compared, because they contain a sensitive value, which is not recorded:"
        for address, names in not_compared.items():
            yield f"  {printable(redacted_address(address, redact))}: {', '.join(printable(redact(name)) for name in names)}"
        yield ""


def drift_lines(findings: Sequence[Finding], redact: Redact) -> Iterator[str]:
    """Each finding, a sum, and what to do. Unmanaged and rewritten resources, and those in progress, are listed and no drift."""
    for finding in findings:
        yield from _finding(finding, redact)
    if findings:
        yield ""
    line = summary_line(findings)
    yield paint(line, "green", "bold") if line == _NO_DRIFT else line
    found = {finding.drift for finding in findings}
    yield from (step for drifts, step in _NEXT_STEPS if drifts & found)


def summary_line(findings: Iterable[Finding]) -> str:
    """The number of findings of each sort, or that there is no drift. Without colours."""
    count = Counter(f.drift for f in findings)
    if count.keys() <= {Drift.UNMANAGED, Drift.REWRITTEN, Drift.IN_PROGRESS}:
        return _NO_DRIFT
    return f"Drift: {', '.join(f'{count[drift]} {_COUNTED.get(drift, drift.value)}' for drift in Drift if count[drift])}."


def finding_lines(finding: Finding, redact: Redact) -> Iterator[str]:
    """The values of a resource that has changed, and the reason of a finding, as printable lines. Without colours."""
    if finding.drift in (Drift.CHANGED, Drift.REWRITTEN):
        for d in differences(finding.before, finding.after):
            if d.before != d.after:
                yield f"~ {redacted_name(d.name, redact)} = {redacted(d.before, redact)} -> {redacted(d.after, redact)}"
    if finding.in_workflow:
        address = shlex.quote(printable(redacted_address(finding.address, redact)))
        yield f"the workflow has it; record it with: algosync import {address}"
    if finding.since:
        yield f"since {printable(finding.since)}"
    if finding.reason:
        yield printable(redact(finding.reason))


def _finding(finding: Finding, redact: Redact) -> Iterator[str]:
    symbol, colour, sentence = HEADINGS[finding.drift]
    sentence = _NOT_RECORDED if finding.in_workflow else sentence
    if finding.drift is Drift.UNKNOWN and finding.address.kind == "test":
        sentence = "could not be carried out"
    yield f"  {paint(symbol, colour)} {printable(redacted_address(finding.address, redact))} {sentence}"
    for line in finding_lines(finding, redact):
        yield f"      {line}"
