"""The format `jsonl`: one JSON document a line. Of a run the lines are its events, as they come; of other subjects its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from algosync.core.error import AlgosyncError
from algosync.core.event import CaseDone, Event, Measured, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.schedule import Step
from algosync.core.redaction import Redactor
from algosync.core.resource import Json
from algosync.core.text import harmless_json
from algosync.views.formats.outline import Entry, Outline
from algosync.views.formats.outlining import outline_of
from algosync.views.formats.shown import LONGEST_ROW, address_text, short
from algosync.views.subject import Subject
from algosync.views.value import FORMAT_VERSION

__all__ = ["end_line", "event_line_json", "start_line", "view"]


def view(subject: Subject, redactor: Redactor) -> str:
    """The whole subject at once: how it began, an `entry` for each resource or test, and the end."""
    outline = outline_of(subject, redactor)
    parts = [line for part in outline.parts for line in _part_lines(part)]
    return "".join([_start(outline), *(parts or map(_line, _entries(outline))), end_line(outline)])


def _part_lines(part: Outline) -> Iterator[str]:
    """One of several workflows: its result, and then its entries, which name it."""
    yield _line({"type": "workflow", "workflow": part.workflow, **_result(part)})
    yield from (_line({**entry, "workflow": part.workflow}) for entry in _entries(part))


def start_line(subject: Subject, redactor: Redactor) -> str:
    """The first line: what the lines after it are about."""
    return _start(outline_of(subject, redactor))


def end_line(outline: Outline) -> str:
    """The last line: the result and its numbers."""
    return _line({"type": "end", **_result(outline)})


def _result(outline: Outline) -> Mapping[str, Json]:
    counts: dict[str, dict[str, Json]] = {}
    for count in outline.counts:
        counts.setdefault(count.of, {})[count.sort] = count.number
    result: dict[str, Json] = {"good": outline.good, "verdict": outline.verdict, "exit_code": outline.exit_code}
    result |= {"reason": outline.reason} if outline.reason else {}
    return {**result, "counts": {**counts}, "notes": [*outline.notes]}


def event_line_json(event: Event, time: str, redactor: Redactor) -> str:
    """The line of one event. `time`: ISO 8601 in UTC."""
    return _line({**_event(event, redactor), "time": time})


def _start(outline: Outline) -> str:
    facts: dict[str, Json] = {name.lower().replace(" ", "_"): value for name, value in outline.facts if name != "Exit code"}
    return _line({"type": "start", "format_version": str(FORMAT_VERSION), "report": outline.title.lower(), **facts})


def _entries(outline: Outline) -> Iterator[Mapping[str, Json]]:
    for section in outline.sections:
        for entry in section.entries:
            yield _entry(section.name, entry)
    for block in outline.blocks:
        yield {"type": "text", "heading": block.heading, "lines": [*block.lines]}


def _entry(section: str, entry: Entry) -> Mapping[str, Json]:
    return {
        "type": "entry",
        "section": section,
        "address": entry.address,
        "ending": entry.ending.value,
        "sentence": entry.sentence or None,
        "seconds": None if entry.seconds is None else round(entry.seconds, 6),
        "facts": {**dict(entry.facts), **dict(entry.slices)},
        "rows": [f"{symbol} {text}".strip() for symbol, text in entry.rows],
        "message": [*entry.lines],
    }


def _event(event: Event, redactor: Redactor) -> dict[str, Json]:
    match event:
        case StepDone() | StepFailed() | StepSkipped():
            return _ended(event, redactor)
        case StepStarted() | Progress() | Note() | CaseDone() | Measured():
            return _running(event, redactor)


def _running(event: StepStarted | Progress | Note | CaseDone | Measured, redactor: Redactor) -> dict[str, Json]:
    match event:
        case StepStarted(step=step):
            return _of("started", step, redactor)
        case Progress(step=step, done=done, total=total):
            return {**_of("progress", step, redactor), "done": done, "total": total}
        case Note(step=step, text=text):
            return {**_of("note", step, redactor), "note": short(redactor.redact(text), LONGEST_ROW)}
        case CaseDone(step=step, result=result):
            told: dict[str, Json] = {"call": result.number, "case": short(redactor.redact(result.name)) or None}
            ended: dict[str, Json] = {"passed": result.passed, "seconds": round(result.answer.seconds, 6)}
            return {**_of("call", step, redactor), **told, **ended}
        case Measured(step=step, timing=timing):
            times: dict[str, Json] = {"p50": timing.p50, "p95": timing.p95, "p99": timing.p99, "max": timing.max}
            return {**_of("measured", step, redactor), "calls": timing.calls, "errors": timing.errors, **times}


def _ended(event: StepDone | StepFailed | StepSkipped, redactor: Redactor) -> dict[str, Json]:
    match event:
        case StepDone(step=step, seconds=seconds, detail=detail):
            shown = short(redactor.redact(detail), LONGEST_ROW) or None
            return {**_of("done", step, redactor), "seconds": round(seconds, 6), "detail": shown}
        case StepFailed(step=step, seconds=seconds, error=error):
            return {**_of("failed", step, redactor), "seconds": round(seconds, 6), **_told(error, redactor)}
        case StepSkipped(step=step, because=because):
            return {**_of("skipped", step, redactor), "because": short(redactor.redact(because))}


def _of(kind: str, step: Step, redactor: Redactor) -> dict[str, Json]:
    return {"type": kind, "address": address_text(step.address, redactor.redact), "verb": step.verb.value}


def _told(error: AlgosyncError, redactor: Redactor) -> dict[str, Json]:
    hint = None if error.hint is None else short(redactor.redact(error.hint), LONGEST_ROW)
    return {"message": short(redactor.redact(error.message), LONGEST_ROW), "hint": hint}


def _line(document: Mapping[str, Json]) -> str:
    return f"{harmless_json(json.dumps(document))}\n"
