"""An apply, or a run of tests, as a JSON document. Secrets in its values are still to be hidden, except in texts that are cut."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.error import AlgosyncError, ClusterError
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action
from algosync.core.redaction import Redactor, Word
from algosync.core.resource import Json
from algosync.core.testing.answer import Called, CaseResult
from algosync.core.testing.timing import Timing
from algosync.core.text import middle_cut, printable
from algosync.views.error import details
from algosync.views.subject import Applied
from algosync.views.value import redacted_address

__all__ = ["run_document"]

_LONGEST = 4000  # characters of a payload, of an answer, and of one side of a difference


def run_document(subject: Applied, redactor: Redactor) -> Mapping[str, Json]:
    """The members of the document after its version and `meta`."""
    plan, report = subject.plan, subject.report
    counted, completed = plan.counted(), report.completed()
    recorded = (Action.ADOPT, Action.FORGET, Action.RECORD)
    events: tuple[StepDone | StepFailed | StepSkipped, ...] = (*report.done, *report.failed, *report.skipped)
    return {
        "source": plan.header.source,
        "destination": plan.header.destination,
        "owner": plan.header.owner,
        "counts": {
            action.value: counted[action] if action in (*recorded, Action.HOLD) else completed[action]
            for action in Action
            if action.visible
        },
        "notes": [{"address": str(address), "note": note} for address, note in plan.notes()],
        "published": [{"algorithm": e.step.address.algorithm, "version": e.detail} for e in report.published],
        "results": [_result(event, redactor) for event in events if event.step.check is None],
        "tests": [_test(event, subject, redactor) for event in report.tests],
    }


def _result(event: StepDone | StepFailed | StepSkipped, redactor: Redactor) -> dict[str, Json]:
    common: dict[str, Json] = {
        "address": Word(redacted_address(event.step.address, redactor.redact)),
        "verb": Word(event.step.verb.value),
    }
    nothing: dict[str, Json] = {"seconds": None, "detail": None, "error": None, "because": None}
    match event:
        case StepDone(seconds=seconds, detail=detail):
            return {**common, "outcome": Word("done"), **nothing, "seconds": round(seconds, 6), "detail": detail or None}
        case StepFailed(seconds=seconds, error=error):
            told = _error(error, redactor)
            return {**common, "outcome": Word("failed"), **nothing, "seconds": round(seconds, 6), "error": told}
        case StepSkipped(because=because):
            return {**common, "outcome": Word("skipped"), **nothing, "because": because}


def _error(error: AlgosyncError, redactor: Redactor) -> Json:
    request = error.request_id if isinstance(error, ClusterError) else None
    lines: list[Json] = [printable(line, 2000) for line in details(error, redactor.redact)]
    return {"summary": error.message, "hint": error.hint, "request_id": request, "details": lines}


def _test(event: StepDone | StepFailed | StepSkipped, subject: Applied, redactor: Redactor) -> Json:
    address = event.step.address
    tally = subject.report.tallies.get(address)
    called = tally.called if tally else None
    kept = {result.number: result for result in (*subject.cases.get(address, ()), *(tally.failures if tally else ()))}
    timing = tally.timing if tally else None
    return {
        **_result(event, redactor),
        "called": _called(called) if called else None,
        "calls": tally.calls if tally else 0,
        "failed_calls": tally.failed if tally else 0,
        "timing": _timing(timing) if timing else None,
        "cases": [_case(kept[number], redactor) for number in sorted(kept)],
    }


def _called(called: Called) -> Json:
    return {"version": called.version or None, "commit": called.commit or None, "recorded": called.recorded or None}


def _timing(timing: Timing) -> Json:
    measures = {"total": timing.total, "first_call": timing.cold, "p50": timing.p50, "p95": timing.p95, "p99": timing.p99}
    seconds: dict[str, Json] = {name: round(value, 6) for name, value in {**measures, "max": timing.max}.items()}
    return {
        "calls": timing.calls,
        "errors": timing.errors,
        **seconds,
        "calls_a_second": round(timing.throughput, 6),
        "distribution": [{"up_to": round(bound, 6), "calls": count} for bound, count in timing.distribution],
    }


def _case(result: CaseResult, redactor: Redactor) -> Json:
    answer = result.answer
    body = None if answer.content_type == "binary" else answer.body.decode("utf-8", "replace")

    def cut(text: str) -> str:
        return middle_cut(redactor.redact(text), _LONGEST)

    return {
        "number": result.number,
        "name": result.name or None,
        "outcome": Word("passed" if result.passed else "failed"),
        "seconds": round(answer.seconds, 6),
        "payload": cut(result.payload),
        "answer": None if body is None else cut(body),
        "answer_bytes": result.size,
        "printed": cut(answer.printed) or None,
        "error": None if answer.failure is None else cut(answer.failure.message),
        "mismatches": [
            {"expectation": Word(m.expectation), "path": m.path, "expected": m.expected, "got": m.got, "note": m.note}
            for m in result.mismatches
        ],
    }
