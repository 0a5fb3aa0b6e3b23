"""A drift report as text."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from algosync.core.address import Address
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.coverage import Coverage, Gap, LeftOut
from algosync.core.planning.origin import Origin
from algosync.core.redaction import Redactor, Word
from algosync.core.resource import Json
from algosync.core.text import duration, paint, plural, printable, size
from algosync.views.plan import file_rows, origin_words
from algosync.views.value import Redact, differences, redacted, redacted_address, redacted_name

__all__ = [
    "age_words",
    "counted_words",
    "coverage_document",
    "coverage_lines",
    "drift_lines",
    "finding_lines",
    "heading_of",
    "managed_lines",
    "not_compared_lines",
    "summary_line",
]

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
_HEADINGS = {
    Drift.CHANGED: ("~", "yellow", "has changed outside of algosync"),
    Drift.MISSING: ("-", "red", "is missing"),
    Drift.REWRITTEN: ("=", "cyan", "was written again outside of algosync, with the same content"),
    Drift.UNMANAGED: ("?", "cyan", "is not managed by this workflow"),
    Drift.FAILING: ("x", "red", "failed when it last ran"),
    Drift.BEHAVIOUR: ("x", "red", "is answered differently, although nothing was published"),
    Drift.IN_PROGRESS: (">", "cyan", "may be in progress: a command that runs now works on it"),
    Drift.UNKNOWN: ("!", "red", "could not be looked at"),
}
_LEFT_OUT_SHOWN = 20  # of each sort
_GAPS = {
    Gap.NOT_APPLIED: "Not looked at, because it was never applied:",
    Gap.NOT_READABLE: "Not looked at, because the destination refused it:",
    Gap.BUDGET: "Compared by size and time only, because --read-budget left no room:",
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
    return f"Drift: {_counted(count)}."


def counted_words(findings: Iterable[Finding]) -> str:
    """The number of findings of each sort. Empty: there are none."""
    return _counted(Counter(finding.drift for finding in findings))


def _counted(count: Mapping[Drift, int]) -> str:
    return ", ".join(f"{count[drift]} {_COUNTED.get(drift, drift.value)}" for drift in Drift if count.get(drift))


def finding_lines(finding: Finding, redact: Redact) -> Iterator[str]:
    """The values of a resource that has changed, and the reason of a finding, as printable lines. Without colours."""
    if finding.drift in (Drift.CHANGED, Drift.REWRITTEN):
        for d in differences(finding.before, finding.after):
            if d.before != d.after:
                yield f"~ {redacted_name(d.name, redact)} = {redacted(d.before, redact)} -> {redacted(d.after, redact)}"
    if "files" in finding.details:
        yield from (f"{symbol} {text}" for symbol, text in file_rows(finding.details["files"], redact))
    if words := ", ".join(origin_words(Origin.of(finding), redact)):
        yield f"written {words}"
    if finding.first_seen:
        yield f"first seen {printable(finding.first_seen)}{_age(finding)}"
    if finding.in_workflow:
        address = shlex.quote(printable(redacted_address(finding.address, redact)))
        yield f"the workflow has it; record it with: algosync import {address}"
    if finding.since:
        yield f"since {printable(finding.since)}"
    if finding.reason:
        yield printable(redact(finding.reason))


def _age(finding: Finding) -> str:
    """How long ago it was first seen."""
    return "" if finding.age is None else f", {age_words(finding.age)} ago"


def age_words(seconds: int) -> str:
    """An age, in days or hours if it is that long."""
    days, hours = seconds // 86_400, seconds // 3600
    if seconds < 60:
        return "less than a minute"
    return plural(days, "day") if days else plural(hours, "hour") if hours else duration(seconds)


def heading_of(finding: Finding) -> tuple[str, str, str]:
    """The symbol of a finding, its colour, and how the resource differs, as the end of a sentence."""
    symbol, colour, sentence = _HEADINGS[finding.drift]
    if finding.drift is Drift.UNKNOWN and finding.address.kind == "test":
        sentence = "could not be carried out"
    return symbol, colour, "is not recorded" if finding.in_workflow else sentence


def _finding(finding: Finding, redact: Redact) -> Iterator[str]:
    symbol, colour, sentence = heading_of(finding)
    yield f"  {paint(symbol, colour)} {printable(redacted_address(finding.address, redact))} {sentence}"
    for line in finding_lines(finding, redact):
        yield f"      {line}"


def coverage_lines(coverage: Coverage, redact: Redact) -> Iterator[str]:
    """How the data files were compared, and what was left out. Nothing, if nothing was read or left out. Without colours."""
    if coverage.read:
        read = f"{plural(len(coverage.read), 'file')} read ({size(sum(coverage.read.values()))})"
        yield f"Data: {read}, {plural(coverage.trusted, 'file')} compared by size and time."
    for gap, heading in _GAPS.items():
        if left := [each for each in coverage.left_out if each.why is gap]:
            yield heading
            yield from (f"  {_left_out(each, redact)}" for each in left[:_LEFT_OUT_SHOWN])
            if len(left) > _LEFT_OUT_SHOWN:
                yield f"  and {len(left) - _LEFT_OUT_SHOWN:,} more"
    if coverage.read or coverage.left_out:
        yield ""


def _left_out(left: LeftOut, redact: Redact) -> str:
    named = printable(redacted_address(left.address, redact))
    named = named if left.size is None else f"{named} ({size(left.size)})"
    return f"{named}: {printable(redact(left.reason))}" if left.reason else named


def coverage_document(coverage: Coverage, redactor: Redactor) -> Mapping[str, Json]:
    return {
        "compared": len(coverage.compared),
        "files_read": len(coverage.read),
        "bytes_read": sum(coverage.read.values()),
        "files_trusted": coverage.trusted,
        "left_out": [
            {
                "address": Word(redacted_address(left.address, redactor.redact)),
                "why": Word(left.why.value),
                "reason": left.reason or None,
                "size": left.size,
            }
            for left in coverage.left_out
        ],
    }
