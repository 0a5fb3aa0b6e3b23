"""Calls of a test as text: the table, a failure with its differences, and the answers that were asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import PLAN, plain

from algosync.core.address import Address
from algosync.core.error import TestFailed
from algosync.core.event import CaseDone, Event, Measured, StepDone, StepFailed
from algosync.core.planning.plan import Check, Plan
from algosync.core.planning.schedule import Step, Verb
from algosync.core.redaction import Redactor
from algosync.core.report import fold
from algosync.core.testing.answer import Answer, Called, CallFailure, CaseResult, Mismatch
from algosync.core.testing.case import Limit, Load, QualityGate, TestCase
from algosync.core.testing.gate import GateOutcome, GateScore, Interval
from algosync.core.testing.timing import Timing
from algosync.views.calls import answer_lines
from algosync.views.report import failure_lines, outcome_lines

CALLED = Called("0.1.0", "0123456789abcdef")
TIMING = Timing(calls=50, errors=0, total=2.0, cold=1.5, p50=0.012, p95=0.1, p99=0.2, max=1.5)
WRONG = Mismatch("equals", "$.label", '"cat"', '"dog"')
SHOT = CaseResult(3, "ada", '"Ada"', Answer("json", b'{"label": "dog"}', 0.02, "loading\n"), (WRONG,), 16, "ab")


def case_done(step: Step, *results: CaseResult) -> list[Event]:
    return [CaseDone(step, result) for result in results]


def table(*tests: tuple[TestCase, list[CaseResult], bool, Timing]) -> str:
    checks, events = [], list[Event]()
    for place, (case, results, passed, timing) in enumerate(tests):
        check = Check(Address("test", "One", f"t{place}"), case, of_algorithm=False)
        step = Step(check.address, Verb.TEST, check=check)
        events += [*case_done(step, *results), Measured(step, CALLED, timing)]
        events.append(StepDone(step, 2.0, "version 0.1.0") if passed else StepFailed(step, 2.0, TestFailed("no")))
        checks.append(check)
    return plain(outcome_lines(fold(events, lambda: False), Plan(PLAN.header, (), tuple(checks))))


def test_the_table_has_what_was_called_the_calls_and_the_measures() -> None:
    good = replace(SHOT, mismatches=())
    loaded = TestCase("t", "1", load=Load(repeat=2))
    assert table(
        (TestCase("t", "1"), [good], True, TIMING),
        (TestCase("t", "1"), [SHOT], False, TIMING),
        (TestCase("t"), [good, SHOT, good], False, TIMING),
        (loaded, [good] * 50, True, TIMING),
    ) == (
        "\nTests\n"
        '  passed   test.One["t0"]    2.0s  version 0.1.0\n'
        '  FAILED   test.One["t1"]    2.0s  version 0.1.0\n'
        '  FAILED   test.One["t2"]    2.0s  version 0.1.0  2 of 3 calls passed\n'
        '  passed   test.One["t3"]    2.0s  version 0.1.0  50 calls passed: p50 12 ms, p95 100 ms, max 1.50 s, '
        "cold start 1.50 s, 25.0 calls a second\n"
    )


def failed(*results: CaseResult, calls: int = 1, failures: int = 1, broken: tuple[Mismatch, ...] = ()) -> TestFailed:
    error = TestFailed("the answer is not as expected")
    error.called, error.failures, error.calls, error.failed, error.broken = "One, version 0.1.0", results, calls, failures, broken
    error.hint = "mend it"
    return error


def lines(error: TestFailed, redactor: Redactor | None = None) -> str:
    step = Step(Address("test", "One", "t"), Verb.TEST)
    return plain(failure_lines(fold([StepFailed(step, 1, error)], lambda: False), (redactor or Redactor()).redact))


def test_a_failure_shows_the_payload_the_answer_and_each_difference() -> None:
    assert lines(failed(SHOT)) == (
        "\n"
        'Error: test.One["t"]: the answer is not as expected\n'
        "  called: One, version 0.1.0\n"
        '  payload: "Ada"\n'
        '  answer: {"label": "dog"}\n'
        '  $.label: expected "cat", got "dog"  [equals]\n'
        "  it printed:\n"
        "  │ loading\n"
        "  mend it\n"
    )


def test_of_many_calls_the_first_failures_are_shown() -> None:
    raised = CaseResult(7, "", "0", Answer("", b"", failure=CallFailure("boom", "AlgorithmError", "Traceback\n  x")), (WRONG,))
    assert lines(failed(SHOT, raised, calls=10_000, failures=1_234)) == (
        "\n"
        'Error: test.One["t"]: the answer is not as expected\n'
        "  called: One, version 0.1.0\n"
        "  call 3 (ada): the answer is not as expected\n"
        '    payload: "Ada"\n'
        '    answer: {"label": "dog"}\n'
        '    $.label: expected "cat", got "dog"  [equals]\n'
        "    it printed:\n"
        "    │ loading\n"
        "  call 7: boom (AlgorithmError)\n"
        "    payload: 0\n"
        '    $.label: expected "cat", got "dog"  [equals]\n'
        "    │ Traceback\n"
        "    │   x\n"
        "  and 1,232 other calls failed\n"
        "  mend it\n"
    )


def test_a_failure_is_never_more_than_a_screen() -> None:
    printed = "".join(f"line {number}\n" for number in range(10_000))
    body = b'"' + b"x" * 1_000_000 + b'"'
    failure = CallFailure("boom", "AlgorithmError", printed)
    huge = CaseResult(1, "n" * 500, "9" * 5_000, Answer("json", body, printed=printed, failure=failure), (WRONG,) * 500)
    for shown in (lines(failed(huge)), lines(failed(huge, huge, huge, calls=9, failures=9))):
        assert len(shown.splitlines()) <= 55
        assert max(map(len, shown.splitlines())) <= 900


def test_limits_that_do_not_hold_are_listed() -> None:
    broken = Mismatch("limits", "p95", "at most 500 ms", "800 ms")
    assert "\n  limits: p95: expected at most 500 ms, got 800 ms\n" in lines(failed(calls=50, failures=0, broken=(broken,)))


@pytest.mark.parametrize("before", [190, 195, 198, 200])
def test_a_secret_is_hidden_before_a_text_is_cut(before: int) -> None:
    secret = "s3cret-of-some-length"
    redactor = Redactor()
    redactor.hide(secret)
    text = "x" * before + secret + "y" * 5000
    result = CaseResult(1, secret, f'"{text}"', Answer("text", text.encode(), printed=text), (Mismatch("equals", "$", "1", text),))
    shown = lines(failed(result), redactor)
    assert not any(secret[start : start + 5] in shown for start in range(len(secret) - 5))


def test_control_characters_are_escaped() -> None:
    result = CaseResult(
        1, "\x1b[2J", "1", Answer("text", b"\x1b[31m", printed="\x1b"), (Mismatch("equals", "$\x1b", "\x1b", "\x1b"),)
    )
    assert "\x1b" not in lines(failed(result, calls=2))
    assert "\x1b" not in "\n".join(answer_lines(result, "test.One", str))


def test_an_answer_that_was_asked_for_is_shown_whether_it_passed_or_not() -> None:
    assert list(answer_lines(replace(SHOT, mismatches=()), "test.One", str)) == [
        "test.One, call 3 (ada): passed in 20 ms",
        '  payload: "Ada"',
        '  answer: {"label": "dog"}',
        "  it printed:",
        "  │ loading",
    ]
    binary = CaseResult(1, "", "1", Answer("binary", b"", 1.5), size=1_000_000, sha256="0123")
    assert list(answer_lines(binary, "test.One", str))[-1] == "  answer: binary, 1.0 MB, SHA-256 0123"
    assert (
        list(answer_lines(replace(binary, answer=Answer("text", b"")), "test.One", str))[-1] == "  answer (text): (empty)  (1.0 MB)"
    )


def test_the_report_keeps_the_first_hundred_failures_and_counts_all() -> None:
    step = Step(Address("test", "One", "t"), Verb.TEST)
    report = fold((CaseDone(step, replace(SHOT, number=number)) for number in range(1, 10_001)), lambda: False)
    tally = report.tallies[step.address]
    assert (tally.calls, tally.failed, len(tally.failures), tally.timing) == (10_000, 10_000, 100, None)


def test_limits_have_measures() -> None:
    loaded = TestCase("t", "1", load=Load(limits=(Limit("p95", 1.0),)))
    assert "p95 100 ms" in table((loaded, [SHOT, SHOT], True, TIMING))


def gated(outcome: GateOutcome, *, passed: bool = True) -> str:
    check = Check(Address("test", "One", "species"), TestCase("species", gate=QualityGate("f1")), of_algorithm=True)
    step = Step(check.address, Verb.TEST, check=check)
    end = StepDone(step, 2.0, "version 0.1.0") if passed else StepFailed(step, 2.0, TestFailed("no"))
    events: list[Event] = [*case_done(step, SHOT), Measured(step, CALLED, TIMING, gate=outcome), end]
    return plain(outcome_lines(fold(events, lambda: False), Plan(PLAN.header, (), (check,))))


def test_the_table_has_the_metric_of_a_gate_its_slices_and_its_notes() -> None:
    whole = GateScore(None, 5000, 0.91234, Interval(0.9, 0.92), 0.905, Interval(-0.02, 0.01))
    south = GateScore("south\x1b", 100, 0.8, Interval(0.7, 0.9))
    outcome = GateOutcome("f1", 5000, (whole, replace(south, part="north", value=0.95), south), (), ("within noise",))
    assert gated(outcome) == (
        "\nTests\n"
        '  passed   test.One["species"]    2.0s  version 0.1.0  f1 0.9123 (95%: 0.9 to 0.92, 5,000 cases), published 0.905\n'
        "           south\\x1b: 0.8 (95%: 0.7 to 0.9, 100 cases)\n"
        "           north: 0.95 (95%: 0.7 to 0.9, 100 cases)\n"
        "           within noise\n"
    )
    many = GateOutcome("f1", 9, (whole, *(replace(south, part=str(n)) for n in range(100))), (), ("note",) * 50)
    assert len(gated(many).splitlines()) < 40
    assert "and 80 other slices" in gated(many)


def test_the_table_says_that_a_gate_has_no_metric() -> None:
    broken = Mismatch("gates", "mae", "a number for each case", "1 of 2 cases has no number")
    assert gated(GateOutcome("mae", 2, (), (broken,)), passed=False).endswith("version 0.1.0  2 cases, no mae\n")


def test_lines_of_gates_that_are_not_reached_are_listed() -> None:
    broken = Mismatch("gates", "f1 of region south", "at least 0.9", "0.8 (95%: 0.7 to 0.9; 100 cases)")
    shown = lines(failed(calls=50, failures=0, broken=(broken,) * 30))
    assert "\n  gates: f1 of region south: expected at least 0.9, got 0.8 (95%: 0.7 to 0.9; 100 cases)\n" in shown
    assert "  and 10 more\n" in shown
