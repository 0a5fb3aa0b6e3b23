"""The format `text`: for people, in Terraform's words."""

from __future__ import annotations

from collections.abc import Iterator

from algosync.core.redaction import Redactor
from algosync.core.text import paint, plural, printable
from algosync.views.plan import header_lines, plan_lines
from algosync.views.subject import Applied, Compared, Drifted, DriftedAll, Failed, Planned, Recorded, Subject

__all__ = ["view"]


def view(subject: Subject, redactor: Redactor) -> str:
    return "".join(f"{line}\n" for line in _lines(subject, redactor))


def _lines(subject: Subject, redactor: Redactor) -> Iterator[str]:
    """Imports the view of this subject alone, because commands have to start fast."""
    match subject:
        case Planned(plan=plan, explanations=explanations, diffs=diffs, digest=digest):
            from algosync.views.explanation import explanation_lines
            from algosync.views.file_diff import diff_lines

            yield from header_lines(plan.header, redactor.redact)
            yield from plan_lines(plan, redactor.redact)
            yield from diff_lines(diffs, redactor)
            yield from (["", f"Plan digest: {digest}"] if digest else [])
            yield from explanation_lines(explanations, redactor)
        case Drifted():
            yield from _drift_lines(subject, redactor)
        case DriftedAll(parts=parts, notes=notes):
            from algosync.views.all_drift import all_summary_line

            for part in parts:
                yield from _part_lines(part, redactor)
            yield from (f"Note: {note}" for note in notes)
            yield all_summary_line(parts)
        case Compared(header=header, comparison=comparison):
            from algosync.views.compare import compare_lines

            yield from header_lines(header, redactor.redact)
            yield from compare_lines(comparison, redactor.redact)
        case Recorded(records=records):
            from algosync.views.record import record_lines

            for record in records:
                yield from record_lines(record, redactor.redact)
                yield ""
            yield f"{plural(len(records), 'resource')} recorded." if records else "Nothing is recorded."
        case Applied(plan=plan, report=report, approved=approved):
            from algosync.views.report import closing_lines, failure_lines, outcome_lines

            yield from header_lines(plan.header, redactor.redact)
            told = [*outcome_lines(report, plan), *failure_lines(report, redactor.redact)]
            told += closing_lines(report, plan, approved=approved) if plan.compared else []
            yield from map(redactor.redact, told)
        case Failed(error=error):
            from algosync.views.error import error_lines

            yield from map(redactor.redact, error_lines(error))


def _drift_lines(subject: Drifted, redactor: Redactor) -> Iterator[str]:
    from algosync.views.drift import coverage_lines, drift_lines, managed_lines, not_compared_lines

    redact = redactor.redact
    yield from header_lines(subject.header, redact)
    yield from managed_lines(subject.managed, redact)
    yield from not_compared_lines(subject.not_compared, redact)
    yield from coverage_lines(subject.coverage, redact)
    yield from drift_lines(subject.findings, redact)
    yield from (f"Note: {printable(redact(note))}" for note in subject.notes)


def _part_lines(part: Drifted | Failed, redactor: Redactor) -> Iterator[str]:
    """The block of one workflow, below its heading."""
    from algosync.views.error import error_lines

    yield paint(f"=== {printable(redactor.redact(part.workflow))} ===", "bold")
    if isinstance(part, Failed):
        yield from map(redactor.redact, error_lines(part.error))
    else:
        yield from _drift_lines(part, redactor)
    yield ""
