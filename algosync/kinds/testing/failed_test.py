"""The error of a test that failed: what is known of the first calls that failed, and of the limits that do not hold."""

from __future__ import annotations

from collections.abc import Iterator

from algosync.core.error import TestFailed
from algosync.core.testing.answer import CaseResult, Mismatch
from algosync.core.text import plural
from algosync.kinds.testing.run import SHOWN, Run
from algosync.kinds.testing.target import CallTarget

__all__ = ["failed_test"]

_TOLD = 3  # limits and lines of gates in the message


def failed_test(run: Run, target: CallTarget, broken: tuple[Mismatch, ...]) -> TestFailed:
    """The error says how many of how many calls failed. It also holds what the first of them returned, raised and printed."""
    error = TestFailed("; ".join(filter(None, [_calls(run), *_limits(broken)])))
    too_many = any(mismatch.path.startswith("error_rate") for mismatch in broken)
    failures = (*run.failures, *(run.counted if too_many else ()))[:SHOWN]
    error.called, error.failures, error.broken = str(target), failures, broken
    error.calls, error.failed = run.calls, run.failed + (run.errors if too_many and run.counted else 0)
    error.hint = _next_step(run, broken)
    if failures:
        first = failures[0]
        error.payload = first.payload  # as the workflow has it, because the redactor knows that text
        error.printed = first.answer.printed or None
        if failure := first.answer.failure:
            error.error_type, error.trace = failure.kind or None, failure.trace or None
    return error


def _next_step(run: Run, broken: tuple[Mismatch, ...]) -> str | None:
    """The advice for an answer that is not as expected, and for limits. None: the algorithm raised an error."""
    if run.case.gate is not None:
        return "improve the model, or its training data; if it is right, correct the labels or change the lines of the gate"
    differing = [m for result in run.failures for m in result.mismatches if m.expectation != "call"]
    baseline = run.case.expect.baseline
    if baseline is not None and any(mismatch.expectation == "baseline" for mismatch in differing):
        return f"if the new answer is right, algosync test --accept writes it to {baseline.path}"
    if differing:
        return "fix the algorithm or its data; if the answer is right, change what the test expects"
    slow = broken and not any(mismatch.path.startswith("error_rate") for mismatch in broken)
    return "make the algorithm faster, or allow it more in `limits:`" if slow and not run.failures else None


def _calls(run: Run) -> str:
    if not run.failures:
        return ""
    reason = _reason(run.failures[0])
    if run.calls == 1:
        return reason
    named = f" ({run.failures[0].name})" if run.failures[0].name else ""
    return f"{run.failed:,} of {plural(run.calls, 'call')} failed; call {run.failures[0].number}{named}: {reason}"


def _reason(result: CaseResult) -> str:
    """Why one call failed, in one line. An error of the algorithm is told by its own message."""
    first = result.mismatches[0]
    if first.expectation == "call":
        return first.got
    more = len(result.mismatches) - 1
    others = f" (and {more} more)" if more else ""
    return f"the answer is not as expected: {first}{others}"


def _limits(broken: tuple[Mismatch, ...]) -> Iterator[str]:
    """What does not hold; of many the first ones."""
    for mismatch in broken[:_TOLD]:
        note = f" ({mismatch.note})" if mismatch.note and mismatch.expectation == "gates" else ""
        yield f"{mismatch.path} is {mismatch.got}, which has to be {mismatch.expected}{note}"
    if more := len(broken[_TOLD:]):
        yield f"and {more} more"
