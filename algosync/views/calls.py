"""The calls of a test as text: payload, answer, how the answer differs from what is expected, and what the algorithm printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from algosync.core.error import TestFailed
from algosync.core.lean import dataclass
from algosync.core.report import CallTally
from algosync.core.testing.answer import CaseResult
from algosync.core.testing.case import TestCase
from algosync.core.testing.gate import GateOutcome, GateScore
from algosync.core.text import latency, middle_cut, plural, printable, printable_lines, size

__all__ = ["answer_lines", "failed_test_lines", "gate_lines", "tally_text"]

_SLICES, _NOTES, _BROKEN = 20, 10, 20  # of one gate
_LONGEST = 400  # characters of a payload, an answer, or one side of a difference


@dataclass(frozen=True, slots=True)
class _Room:
    """How many lines one call may take, so that a failure is never more than a screen."""

    differences: int
    trace: int
    printed: int
    characters: int = _LONGEST


_ONE, _SEVERAL = _Room(10, 20, 15), _Room(3, 4, 3)
_ASKED = _Room(10, 20, 40, 4000)


def tally_text(tally: CallTally, case: TestCase) -> str:
    """The calls of a test in one line, such as `2 of 3 calls passed, p50 12 ms`. Empty: there was only one call."""
    if tally.gate is not None:
        return _gate_text(tally.gate)
    if tally.calls <= 1:
        return ""
    passed = f"{plural(tally.calls, 'call')} passed"
    if tally.failed:
        passed = f"{tally.calls - tally.failed:,} of {passed}"
    timing, load = tally.timing, case.load
    if timing is None or (load.repeat == 1 and load.concurrency == 1 and not load.limits):
        return passed
    measures = {"p50": timing.p50, "p95": timing.p95, "max": timing.max, "cold start": timing.cold}
    told = ", ".join(f"{name} {latency(value)}" for name, value in measures.items())
    return f"{passed}: {told}, {timing.throughput:,.1f} calls a second"


def gate_lines(tally: CallTally) -> Iterator[str]:
    """What is to be known of a gate besides its value: the slices, and what does not count as a failure."""
    gate = tally.gate
    if gate is None:
        return
    slices = sorted((score for score in gate.scores if score.part is not None), key=lambda score: score.value)
    for score in slices[:_SLICES]:
        yield f"{printable(score.part or '(empty)', 80)}: {_score_text(score)}"
    if more := len(slices[_SLICES:]):
        yield f"and {plural(more, 'other slice')}"
    yield from (printable(note, _LONGEST) for note in gate.notes[:_NOTES])
    if more := len(gate.notes[_NOTES:]):
        yield f"and {plural(more, 'other note')}"


def _gate_text(gate: GateOutcome) -> str:
    if not gate.scores or gate.scores[0].part is not None:
        return f"{plural(gate.cases, 'case')}, no {gate.metric}"
    return f"{gate.metric} {_score_text(gate.scores[0])}"


def _score_text(score: GateScore) -> str:
    """Such as `0.9123 (95%: 0.9 to 0.92, 5,000 cases), published 0.9`."""
    low, high = score.interval.low, score.interval.high
    between = "" if math.isinf(high) else f"95%: {low:.4g} to {high:.4g}, "
    published = "" if score.published is None else f", published {score.published:.4g}"
    return f"{score.value:.4g} ({between}{plural(score.cases, 'case')}){published}"


def failed_test_lines(error: TestFailed, redact: Callable[[str], str]) -> Iterator[str]:
    """What is known of a test that failed: what was called, and the first calls that failed."""
    if error.error_type and error.calls <= 1:
        yield f"({printable(redact(error.error_type))})"
    if error.called:
        yield f"called: {printable(redact(error.called))}"
    if not error.failures:
        yield from _unjudged(error, redact)
    for result in error.failures:
        if error.calls == 1:
            yield from _call_lines(result, redact, _ONE)
        else:
            yield f"call {result.number:,}{_named(result, redact)}: {_outcome(result, redact)}"
            yield from (f"  {line}" for line in _call_lines(result, redact, _SEVERAL))
    if (more := error.failed - len(error.failures)) > 0:
        yield f"and {plural(more, 'other call')} failed"
    yield from (printable(redact(f"{mismatch.expectation}: {mismatch}")) for mismatch in error.broken[:_BROKEN])
    if (more := len(error.broken[_BROKEN:])) > 0:
        yield f"and {more} more"


def answer_lines(result: CaseResult, test: str, redact: Callable[[str], str]) -> Iterator[str]:
    """One call with its answer, whether it passed or not. `test`: the address of the test."""
    yield f"{printable(redact(test))}, call {result.number:,}{_named(result, redact)}: {_outcome(result, redact)}"
    yield from (f"  {line}" for line in _call_lines(result, redact, _ASKED))


def _unjudged(error: TestFailed, redact: Callable[[str], str]) -> Iterator[str]:
    if error.payload:
        yield f"payload: {_shortened(error.payload, redact, _LONGEST)}"
    yield from _quoted("", error.trace or "", redact, _ONE.trace)
    yield from _quoted("it printed:", error.printed or "", redact, _ONE.printed)


def _call_lines(result: CaseResult, redact: Callable[[str], str], room: _Room) -> Iterator[str]:
    yield f"payload: {_shortened(result.payload, redact, room.characters)}"
    failure = result.answer.failure
    if failure is None:
        kind = " (text)" if result.answer.content_type == "text" else ""  # it has no quotes
        yield f"answer{kind}: {_answer(result, redact, room.characters)}"
    differences = [mismatch for mismatch in result.mismatches if mismatch.expectation != "call"]
    for mismatch in differences[: room.differences]:
        yield f"{_shortened(str(mismatch), redact, 2 * _LONGEST)}  [{printable(mismatch.expectation)}]"
    if more := len(differences[room.differences :]):
        yield f"and {plural(more, 'other difference')}"
    if failure is not None:
        yield from _quoted("", failure.trace, redact, room.trace)
    yield from _quoted("it printed:", result.answer.printed, redact, room.printed)


def _answer(result: CaseResult, redact: Callable[[str], str], limit: int) -> str:
    """Secrets are hidden before the text is cut. Bytes are told by size and digest."""
    if result.answer.content_type == "binary":
        return ", ".join(["binary", size(result.size), *([f"SHA-256 {result.sha256}"] if result.sha256 else [])])
    text = result.answer.body.decode("utf-8", "replace")
    whole = f"  ({size(result.size)})" if result.size > limit else ""
    return f"{_shortened(text, redact, limit) or '(empty)'}{whole}"


def _outcome(result: CaseResult, redact: Callable[[str], str]) -> str:
    failure = result.answer.failure
    if result.passed:
        return f"passed in {latency(result.answer.seconds)}"
    if failure is None:
        return "the answer is not as expected"
    kind = f" ({failure.kind})" if failure.kind else ""
    return printable(redact(f"{failure.message}{kind}"), _LONGEST)


def _named(result: CaseResult, redact: Callable[[str], str]) -> str:
    return f" ({printable(redact(result.name), 80)})" if result.name else ""


def _shortened(text: str, redact: Callable[[str], str], limit: int) -> str:
    return printable(middle_cut(redact(text), limit))


def _quoted(heading: str, text: str, redact: Callable[[str], str], most: int) -> Iterator[str]:
    """The last lines of a text from outside, below a heading."""
    lines = printable_lines(redact(text))
    if lines and heading:
        yield heading
    if left_out := len(lines[:-most]):
        yield f"│ … {plural(left_out, 'line')} before"
    yield from (f"│ {line}" for line in lines[-most:])
