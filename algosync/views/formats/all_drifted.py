"""The outline of the drift of several workflows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from algosync.core.redaction import Redactor
from algosync.core.text import plural
from algosync.views.all_drift import all_summary_line, counted_workflows, first_seen, worst_first
from algosync.views.formats.outline import Count, Ending, Entry, Outline, OutlineSection
from algosync.views.formats.shown import LONGEST_ROW, facts_of, numbers, short
from algosync.views.subject import Drifted, DriftedAll, Failed, Subject

__all__ = ["drifted_all_outline"]

_NOTES = 5  # of one workflow
_NOT_EXAMINED = "could not be examined"


def drifted_all_outline(subject: DriftedAll, redactor: Redactor, outline_of: Callable[[Subject, Redactor], Outline]) -> Outline:
    """`outline_of`: gives the outline of one workflow."""
    ordered = worst_first(subject.parts)
    parts = tuple(_told_apart(_part(part, outline_of(part, redactor)) for part in ordered))
    entries = tuple(_entry(part, outline) for part, outline in zip(ordered, parts, strict=True))
    destination = (("Destination", short(redactor.redact(subject.destination))),) if subject.destination else ()
    return Outline(
        "Drift",
        all_summary_line(subject.parts),
        good=all(part.good for part in parts) and (bool(parts) or subject.exit_code == 0),
        facts=(*destination, ("Workflows", f"{len(parts):,}"), *facts_of(None, subject.meta, redactor.redact)),
        counts=(
            *_sums(parts),
            *(Count("workflows", sort, number) for sort, number in counted_workflows(subject.parts).items()),
        ),
        notes=tuple(short(redactor.redact(note), 4 * LONGEST_ROW) for note in subject.notes),
        sections=(OutlineSection("workflows", "Workflows", entries, told_by_rows=True), *_details(parts)),
        parts=parts,
        **numbers(None, {**subject.meta, "destination": subject.destination}, redactor.redact),
    )


def _part(part: Drifted | Failed, outline: Outline) -> Outline:
    """The outline of one workflow. An error did not end the command, as that of a single workflow does."""
    return replace(outline, verdict=f"It {_NOT_EXAMINED}.") if isinstance(part, Failed) else outline


def _told_apart(parts: Iterable[Outline]) -> Iterator[Outline]:
    """The outlines, no two with the same name: long names are cut, and secrets in them are hidden."""
    seen: Counter[str] = Counter()
    for part in parts:
        seen[part.workflow] += 1
        number = seen[part.workflow]
        yield part if number == 1 else replace(part, workflow=f"{part.workflow} #{number}")


def _sums(parts: Iterable[Outline]) -> Iterator[Count]:
    """Errors are counted as workflows with errors."""
    sums: Counter[tuple[str, str]] = Counter()
    for part in parts:
        sums.update({(count.of, count.sort): count.number for count in part.counts if count.of != "errors"})
    yield from (Count(of, sort, number) for (of, sort), number in sums.items())


def _entry(part: Drifted | Failed, outline: Outline) -> Entry:
    """The workflow as one entry. Its address is the workflow's name and file."""
    name = outline.workflow or outline.title
    if isinstance(part, Failed):
        lines = tuple(line.strip() for line in outline.entries[0].lines)
        return Entry(name, name, "!", _NOT_EXAMINED, Ending.ERROR, tuple(("", line) for line in lines), lines=lines)
    rows = tuple(("", text) for text in _texts(part, outline))
    if outline.good:
        return Entry(name, name, "", outline.verdict, Ending.PASSED, rows)
    return Entry(name, name, "~", outline.verdict, Ending.FAILED, rows, lines=(outline.verdict,))


def _texts(part: Drifted, outline: Outline) -> Iterator[str]:
    """What is told of a workflow besides its result."""
    if since := first_seen(part):
        yield f"the oldest was first seen {short(since)}"
    yield from outline.notes[:_NOTES]
    if (more := len(outline.notes) - _NOTES) > 0:
        yield f"and {plural(more, 'other note')}"


def _details(parts: Iterable[Outline]) -> Iterator[OutlineSection]:
    for place, part in enumerate(parts, 1):
        for section in part.sections:
            if section.name == "findings":
                yield OutlineSection(f"findings-{place}", part.workflow, section.entries, told_by_rows=True)
