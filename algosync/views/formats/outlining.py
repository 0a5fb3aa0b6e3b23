"""The outline of each subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.plan import Plan
from algosync.core.redaction import Redactor
from algosync.core.results.past_run import COMMANDS, PastRun
from algosync.core.text import PAINT, plural, printable
from algosync.core.timestamp import read_iso_time
from algosync.views.drift import coverage_lines, finding_lines, heading_of, not_compared_lines, summary_line
from algosync.views.error import error_lines
from algosync.views.explanation import explanation_lines
from algosync.views.file_diff import diff_lines
from algosync.views.formats.all_drifted import drifted_all_outline
from algosync.views.formats.applied import applied_outline
from algosync.views.formats.compared import compared_outline
from algosync.views.formats.outline import Block, Count, Ending, Entry, Outline, OutlineRun, OutlineSection
from algosync.views.formats.shown import LONGEST_ROW, address_text, facts_of, numbers, short
from algosync.views.plan import ACTIONS, change_rows, summary_lines
from algosync.views.record import record_lines
from algosync.views.subject import Applied, Compared, Drifted, DriftedAll, Failed, Planned, Recorded, Subject

__all__ = ["outline_of"]

_RUNS = 40  # of the history
_BAD = {drift: Ending.FAILED for drift in Drift if drift.differs} | {Drift.UNKNOWN: Ending.ERROR}


def outline_of(subject: Subject, redactor: Redactor) -> Outline:
    """The outline, with secrets hidden before any text is cut."""
    outline = _outline(subject, redactor)
    match subject:
        case Planned() | Drifted() | Recorded() | Applied():
            runs = tuple(_run(run, redactor) for run in subject.history[-_RUNS:])
            return replace(outline, history=runs, runs_left_out=len(subject.history) - len(runs))
        case _:
            return outline


def _outline(subject: Subject, redactor: Redactor) -> Outline:
    match subject:
        case Planned():
            return _planned(subject, redactor)
        case Drifted() | DriftedAll():
            return _any_drift(subject, redactor)
        case Recorded():
            return _recorded(subject, redactor)
        case Applied():
            return applied_outline(subject, redactor)
        case Compared():
            return compared_outline(subject, redactor)
        case Failed():
            return _failed(subject, redactor)


def _planned(subject: Planned, redactor: Redactor) -> Outline:
    plan, redact = subject.plan, redactor.redact
    first, *notes = (short(line, 4 * LONGEST_ROW) for line in summary_lines(plan, redact))
    refusals = [short(redact(f"{each.message} ({each.hint})"), 4 * LONGEST_ROW) for each in plan.refusals]
    sections = (
        OutlineSection("drift", "Changed outside of algosync", tuple(_drifted_entries(plan, redactor))),
        OutlineSection("changes", "Changes", tuple(_planned_entry(change, redactor) for change in plan.visible)),
        OutlineSection("tests", "Tests", tuple(_check_entries(plan, redactor))),
    )
    return Outline(
        "Plan",
        first,
        good=not plan.refusals,
        facts=facts_of(plan.header, subject.meta, redact),
        counts=(*_change_counts(plan), Count("tests", "planned", len(plan.checks))),
        notes=(*(f"Refused: {each}" for each in refusals), *(each.removeprefix("Note: ") for each in notes)),
        sections=tuple(section for section in sections if section.entries),
        blocks=tuple(_blocks(subject, redactor)),
        **numbers(plan.header, subject.meta, redact),
    )


def _blocks(subject: Planned, redactor: Redactor) -> Iterator[Block]:
    """The diffs and explanations that were asked for."""
    asked = (
        ("Differences", diff_lines(subject.diffs, redactor), True),
        ("Explanations", explanation_lines(subject.explanations, redactor), False),
        ("Plan digest", [subject.digest or ""], False),
    )
    for heading, lines, is_diff in asked:
        if shown := tuple(short(PAINT.sub("", line), LONGEST_ROW) for line in lines if line):
            yield Block(heading, shown, is_diff)


def _change_counts(plan: Plan) -> Iterator[Count]:
    counted = plan.counted()
    yield from (Count("changes", action.value, counted[action]) for action in Action if action.visible)


def _planned_entry(change: Change, redactor: Redactor) -> Entry:
    symbol, _, _, sentence = ACTIONS[change.action]
    rows = change_rows(change, redactor.redact) if change.action.has_steps else ()
    reason = (("reason", short(redactor.redact(change.reason))),) if change.reason else ()
    return Entry(
        address_text(change.address, redactor.redact),
        short(redactor.redact(change.address.algorithm)),
        symbol,
        sentence,
        rows=tuple((mark, short(text, LONGEST_ROW)) for mark, text in rows),
        facts=reason,
    )


def _drifted_entries(plan: Plan, redactor: Redactor) -> Iterator[Entry]:
    for change in plan.drifted:
        drift = Drift.MISSING if change.before is None else Drift.CHANGED
        known = change.recorded is not None and change.before is not None
        sides = (change.recorded, change.before) if known else (None, None)
        yield _finding_entry(Finding(change.address, drift, *sides), redactor, Ending.NONE)


def _check_entries(plan: Plan, redactor: Redactor) -> Iterator[Entry]:
    for check in plan.checks:
        what = "calls the new commit" if check.candidate else "calls what is published"
        address, algorithm = address_text(check.address, redactor.redact), short(redactor.redact(check.address.algorithm))
        yield Entry(address, algorithm, "", f"not run yet: it {what}", Ending.SKIPPED)


def _any_drift(subject: Drifted | DriftedAll, redactor: Redactor) -> Outline:
    return _drifted(subject, redactor) if isinstance(subject, Drifted) else drifted_all_outline(subject, redactor, outline_of)


def _drifted(subject: Drifted, redactor: Redactor) -> Outline:
    redact = redactor.redact
    counted = Counter(finding.drift for finding in subject.findings)
    looked = (*not_compared_lines(subject.not_compared, redact), *coverage_lines(subject.coverage, redact))
    notes = [short(line.strip(), 4 * LONGEST_ROW) for line in (*looked, *map(redact, subject.notes)) if line]
    entries = tuple(_finding_entry(each, redactor, _BAD.get(each.drift, Ending.PASSED)) for each in subject.findings)
    return Outline(
        "Drift",
        summary_line(subject.findings),
        good=not any(drift.differs or drift is Drift.UNKNOWN for drift in counted),
        facts=(*facts_of(subject.header, subject.meta, redact), ("Compared", plural(len(subject.managed), "resource"))),
        counts=(
            *(Count("findings", drift.value, counted[drift]) for drift in Drift),
            Count("resources", "compared", len(subject.managed)),
        ),
        notes=tuple(notes),
        sections=(OutlineSection("findings", "Findings", entries, told_by_rows=True),) if entries else (),
        **numbers(subject.header, subject.meta, redact),
    )


def _finding_entry(finding: Finding, redactor: Redactor, ending: Ending) -> Entry:
    symbol, _, sentence = heading_of(finding)
    lines = [short(line, LONGEST_ROW) for line in finding_lines(finding, redactor.redact)]
    bad = ending in (Ending.FAILED, Ending.ERROR)
    return Entry(
        address_text(finding.address, redactor.redact),
        short(redactor.redact(finding.address.algorithm)),
        symbol,
        sentence,
        ending,
        rows=tuple(_marked(lines)),
        lines=(sentence, *lines) if bad else (),
    )


def _marked(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield (line[0], line[2:]) if line.startswith(("+ ", "- ", "~ ")) else ("", line)


def _recorded(subject: Recorded, redactor: Redactor) -> Outline:
    redact = redactor.redact
    number = len(subject.records)
    entries = []
    for record in subject.records:
        _, *rows = (short(PAINT.sub("", line).strip(), LONGEST_ROW) for line in record_lines(record, redact))
        name, algorithm = address_text(record.address, redact), short(redact(record.address.algorithm))
        entries.append(Entry(name, algorithm, "", "is recorded", Ending.PASSED, tuple(("", row) for row in rows)))
    return Outline(
        "State",
        f"{plural(number, 'resource')} recorded." if number else "Nothing is recorded.",
        good=True,
        facts=facts_of(None, subject.meta, redact),
        counts=(Count("resources", "recorded", number),),
        sections=(OutlineSection("records", "Records", tuple(entries)),) if entries else (),
        **numbers(None, subject.meta, redact),
    )


def _run(run: PastRun, redactor: Redactor) -> OutlineRun:
    at, counts = read_iso_time(run.at), run.counts
    tested = {"tests_passed", "tests_failed"} & counts.keys()
    return OutlineRun(
        at.strftime("%Y-%m-%d %H:%M") if at else short(redactor.redact(run.at), 40),
        run.command if run.command in COMMANDS else short(redactor.redact(run.command), 20),
        Ending.PASSED if run.exit_code == 0 else Ending.FAILED if run.exit_code in (2, 3) else Ending.ERROR,
        run.exit_code,
        max(run.seconds, 0.0),
        counts.get("findings"),
        max(counts.get("tests_failed", 0), 0) if tested else None,
    )


def _failed(subject: Failed, redactor: Redactor) -> Outline:
    lines = [printable(redactor.redact(PAINT.sub("", line)), 4 * LONGEST_ROW) for line in error_lines(subject.error)]
    command = str(subject.meta.get("command") or "algosync")
    known = numbers(None, subject.meta, redactor.redact)
    entry = Entry(command, known["workflow"] or "algosync", "!", "ended with an error", Ending.ERROR, lines=tuple(lines))
    return Outline(
        command.capitalize(),
        "It ended with an error.",
        good=False,
        facts=facts_of(None, subject.meta, redactor.redact),
        counts=(Count("errors", "command", 1),),
        sections=(OutlineSection("errors", "Errors", (entry,)),),
        reason=entry.message,
        **known,
    )
