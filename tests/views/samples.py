"""Samples for the tests of views: a plan and a drift report with everything in them, and ones with a hostile text in each field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.error import Denied, Fault, NotFound, TestFailed, WorkflowError
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.coverage import Coverage, Gap, LeftOut
from algosync.core.planning.explanation import Explanation, reason_of
from algosync.core.planning.file_diff import FileDiff
from algosync.core.planning.plan import Check, FailedCheck, Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.report import CallTally, Report
from algosync.core.resource import Json, Record, Resource
from algosync.core.results.past_run import PastRun
from algosync.core.testing.answer import Answer, Called, CallFailure, CaseResult, Mismatch
from algosync.core.testing.case import CaseFile, QualityGate, TestCase
from algosync.core.testing.gate import GateOutcome, GateScore, Interval
from algosync.core.testing.parity import DIFFERENCE, NOISE, CaseParity, Comparison, Sides, TestParity
from algosync.core.testing.timing import Timing, timing_of
from algosync.core.text import PAINT
from algosync.kinds import KINDS
from algosync.views.subject import Applied, Compared, Drifted, DriftedAll, Failed, Planned, Subject


def plain(lines: Iterable[str]) -> str:
    return PAINT.sub("", "".join(f"{line}\n" for line in lines))


TRAITS = {name: kind.TRAITS for name, kind in KINDS.items()}
HELLO, WEIGHTS = Address("algorithm", "Hello"), Address("data", "Hello", "w.pb")
BEFORE: dict[str, Json] = {"environment": "Python 3.7", "label": "Hello", "pipeline_enabled": True}
CHANGES = (
    Change(
        HELLO,
        Action.UPDATE,
        Resource(HELLO, BEFORE),
        Resource(HELLO, {**BEFORE, "environment": "Python 3.9"}),
        drifted=True,
        details={"origin": {"by": "Jane \x07 <jane@example.com>", "at": "2026-01-02T03:04:05+00:00"}},
    ),
    Change(
        WEIGHTS,
        Action.UPDATE,
        Resource(WEIGHTS, stamp="x", digest="9f2c" + "0" * 60, size=210_400_000),
        Resource(WEIGHTS, stamp="y", size=212_000_000),
    ),
    Change(Address("data", "Hello", "old.pb"), Action.NONE, None, Resource(Address("data", "Hello", "old.pb"), size=5_000)),
    Change(
        Address("source", "Hello"),
        Action.UPDATE,
        Resource(Address("source", "Hello"), {"commit": "a"}),
        Resource(Address("source", "Hello"), {"paths": ["src/Hello.py"]}),
        details={
            "files": [
                {"path": "logo.png", "action": "create", "added": None, "removed": None},
                {"path": "src/Hello.py", "action": "update", "added": 12, "removed": 3},
                {"path": "src/\x1b[31mold.py", "action": "delete", "added": 0, "removed": 7},
            ]
        },
    ),
    Change(
        Address("version", "Hello"),
        Action.UPDATE,
        Resource(Address("version", "Hello"), {"callability": "private", "version": "0.1.0", "commit": "a"}),
        Resource(Address("version", "Hello"), {"callability": "public"}),
        details={"publish": "minor"},
    ),
    Change(Address("algorithm", "There"), Action.ADOPT, None, Resource(Address("algorithm", "There"))),
    Change(Address("algorithm", "Gone"), Action.FORGET, None, None),
)
CHECKS = (
    Check(Address("test", "Hello"), TestCase("", "1", 300), of_algorithm=True),
    Check(Address("test", "Hello", "t"), TestCase("", "1", 300), of_algorithm=False),
)
HEADER = PlanHeader("release (workflows/release.yaml)", "https://api.a.com", "https://api.b.com", "jane")
FAILING = (FailedCheck(CHECKS[1].address, "2026-01-02T03:04:05+00:00", "boom \x07"),)
PLAN = Plan(HEADER, CHANGES, CHECKS, kinds=TRAITS)
TEXT = """\
Workflow:    release (workflows/release.yaml)
Source:      https://api.a.com
Destination: https://api.b.com
Owner:       jane

Note: Objects have changed outside of algosync

  # algorithm.Hello has changed
      (by Jane \\x07 <jane@example.com>, at 2026-01-02T03:04:05+00:00)

Actions are indicated with the following symbols:
  ~ update in-place
  = adopt: it is there already, and is recorded
  . forget: it is left as it is, and is no longer recorded

algosync will perform the following actions:

  # algorithm.Hello will be updated in-place
  ~ algorithm.Hello
      ~ environment = "Python 3.7" -> "Python 3.9"

  # data.Hello["w.pb"] will be updated in-place
  ~ data.Hello["w.pb"]
      ~ sha256 = "9f2c00000000…" -> (known after apply)
      ~ size   = 210.4 MB -> 212.0 MB

  # source.Hello will be updated in-place
  ~ source.Hello
      + logo.png             binary
      ~ src/Hello.py         +12 -3
      - src/\\x1b[31mold.py   -7

  # version.Hello will be updated in-place
  ~ version.Hello
      ~ version     = "0.1.0" -> (known after apply: the next minor version)
      ~ callability = "private" -> "public"

  # algorithm.There is there already as the workflow wants it
  = algorithm.There

  # algorithm.Gone is no longer in the workflow; it stays at the destination
  . algorithm.Gone

Plan: 0 to add, 4 to change, 0 to destroy, 1 to adopt, 1 to forget.
Data: 1 file, 212.0 MB to upload (5.0 kB already there).
Note: data.Hello["w.pb"] is overwritten before the test. No new version is published: running workers keep the old file.
Note: test.Hello["t"] has failed since 2026-01-02T03:04:05+00:00: boom \\x07
Tests: 1 algorithm payload, 1 workflow test.
Update: algorithm.Hello, data.Hello["w.pb"], source.Hello, version.Hello
Adopt: algorithm.There
Forget: algorithm.Gone
"""

FINDINGS = (
    Finding(HELLO, Drift.CHANGED, Resource(HELLO, BEFORE), Resource(HELLO, {**BEFORE, "label": "Hi"})),
    Finding(WEIGHTS, Drift.MISSING, Resource(WEIGHTS, size=3)),
    Finding(Address("data", "Hello", "theirs"), Drift.UNMANAGED, None, Resource(WEIGHTS, size=3)),
    Finding(Address("source", "Hello"), Drift.UNKNOWN, reason="403 \x07"),
    Finding(Address("test", "Hello", "t"), Drift.FAILING, reason="boom \x07", since="2026-01-02T03:04:05+00:00"),
)
META: Mapping[str, Json] = {"timestamp": "2026-01-02T03:04:05+00:00", "algosync_version": "1", "workflow": "release"}


def runs(number: int, text: str = "drift") -> tuple[PastRun, ...]:
    """A history with commands that ended in every way. `text`: in each field that the outside fills."""
    codes = (0, 2, 0, 3, 4, 0, 1)
    return tuple(
        PastRun(
            ("apply", text, "test")[place % 3],
            text,
            text,
            f"2026-01-{1 + place // 24 % 28:02d}T{place % 24:02d}:04:05Z",
            1.5 + place % 11,
            codes[place % 7],
            counts={"findings": place % 13} if place % 3 == 1 else {"tests_passed": 5, "tests_failed": place % 4},
        )
        for place in range(number)
    )


def run_of(text: str, *, calls: int = 3) -> Applied:
    """An apply in which everything ended in every way. `text` is in each field that the outside fills."""
    data, version = Address("data", "Hello", text), Address("version", "Hello")
    changes = (
        *(change for change in CHANGES if change.address.kind in ("algorithm", "version")),
        Change(data, Action.UPDATE, None, Resource(data, {"label": text}, size=2), reason=text),
    )
    cases = CaseFile(text, "0" * 64, calls)
    own = TestCase(text, "1", 300), TestCase("", "1", 300)
    checks = (
        Check(Address("test", "Hello", text), replace(own[0], cases=cases), of_algorithm=True),
        Check(Address("test", "Hello"), replace(own[1], gate=QualityGate("accuracy", at_least=0.9, by=text)), of_algorithm=True),
        Check(Address("test", "There", "left out"), own[1], of_algorithm=False),
    )
    results = tuple(result_of(text, number, passed=number % 3 != 0) for number in range(1, calls + 1))
    failed = tuple(result for result in results if not result.passed)
    error = TestFailed(text, error_type=text, trace=one_line(text), printed=one_line(text))
    error.called, error.failures, error.calls, error.failed, error.hint = text, failed[:3], calls, len(failed), text
    steps = {check.address: Step(check.address, Verb.TEST, check=check) for check in checks}
    build = Step(version, Verb.BUILD, change=changes[1])
    report = Report(
        done=(
            StepDone(Step(HELLO, Verb.CONFIGURE, change=changes[0]), 0.25),
            StepDone(build, 61.5, text),
            StepDone(steps[checks[1].address], 0.125, text),
        ),
        failed=(
            StepFailed(Step(data, Verb.UPLOAD, change=changes[-1]), 1.5, Denied(text, status=403, request_id=text, hint=text)),
            StepFailed(steps[checks[0].address], 2.5, error),
        ),
        skipped=(StepSkipped(steps[checks[2].address], text), StepSkipped(Step(version, Verb.PUBLISH, change=changes[1]), text)),
        wrote=True,
        tallies={
            checks[0].address: CallTally(calls, len(failed), failed[:100], Called("", text), timing(calls)),
            checks[1].address: CallTally(1, 0, (), Called(text, text), timing(1), gate_of(text)),
        },
    )
    header = HEADER if text == PLAIN else PlanHeader(text, text, text, text, text)
    meta = {**META, "command": "apply", "exit_code": 4, "seconds": 66.5, "state": None, "workflow": header.workflow}
    return Applied(Plan(header, changes, checks, kinds=TRAITS), report, meta, {checks[0].address: results})


def gate_of(text: str) -> GateOutcome:
    whole = GateScore(None, 1200, 0.95, Interval(0.94, 0.96), 0.93, Interval(-0.03, 0.01))
    return GateOutcome("accuracy", 1200, (whole, GateScore(text, 200, 0.875, Interval(0.8, 0.9))), (), (text,))


def result_of(text: str, number: int, *, passed: bool) -> CaseResult:
    mismatch = Mismatch("equals", f"$.{text}", text, text, text)
    failure = CallFailure(text, text, one_line(text)) if number % 6 == 0 else None
    answer = Answer("text", text.encode("utf-8", "surrogatepass"), 0.01 * number, one_line(text), failure)
    return CaseResult(number, text, json.dumps(text), answer, () if passed else (mismatch,), len(text), "")


def one_line(text: str) -> str:
    """What an algorithm prints is shown line by line. This is shown as one."""
    return " ".join(text.splitlines())


def timing(calls: int) -> Timing:
    return timing_of([0.01 * number for number in range(1, calls + 1)], [0.5], errors=1, total=3.0)


SIDES = Sides("quality/Hello 1.2.0", "jane/Hello 0.1.0")
LABEL = Mismatch(DIFFERENCE, "$.label", '"cat"', '"dog"')
LABELLED = CaseParity(
    1, "", '{"model":"w.pb"}', (LABEL, Mismatch(DIFFERENCE, "$.box[2]", "", "7", "only the destination has it")), (0.1,), (0.2,)
)
LENGTH = Mismatch(NOISE, "$.ticks[3:]", "", "0", "the list has another length")
COMPARISON = Comparison(
    (
        TestParity(CHECKS[0].address, SIDES, 3, 1, (LABELLED,), (), 0.1, 0.2),
        TestParity(CHECKS[1].address, SIDES, 1, 0, (), (Mismatch(NOISE, "$.time", '"10:00"', '"10:01"'), LENGTH), 0.0123, 1.5),
        TestParity(Address("test", "There"), error=NotFound("boom \x07")),
    )
)
COMPARED_TEXT = """\
Workflow:    release (workflows/release.yaml)
Source:      https://api.a.com
Destination: https://api.b.com
Owner:       jane

             test             payloads       source               median  destination       median
  different  test.Hello       1 of 3 differ  quality/Hello 1.2.0  100 ms  jane/Hello 0.1.0  200 ms
  equal      test.Hello["t"]  1              quality/Hello 1.2.0  12 ms   jane/Hello 0.1.0  1.50 s
  error      test.There       0

test.Hello, payload 1
  payload: {"model":"w.pb"}
  ~ $.label: source "cat", destination "dog"
  ~ $.box[2]: source nothing, destination 7 (only the destination has it)

Noise: the source answers differently each time at these places, so they are not compared.
  test.Hello["t"]
    $.time: "10:00", then "10:01"
    $.ticks[3:]: nothing, then 0 (the list has another length)

Compared 3 tests: 1 equal, 1 different, 1 not compared.
"""
PLAIN = "w.pb"


def drifted_all(drifted: Drifted, text: str) -> DriftedAll:
    """Several workflows: one with drift, one without, and one that ended with an error. `text`: in all fields of the others."""
    meta: Mapping[str, Json] = {**META, "workflow": f"{text} 2"}
    fault = Fault(2, 3, text, "syntax", text, text)
    clean = Drifted(replace(drifted.header, workflow=f"{text} 3"), (), {**meta, "exit_code": 0})
    failed = Failed(WorkflowError(text, (fault,)), {**meta, "command": "drift", "exit_code": 1})
    about: Mapping[str, Json] = {name: value for name, value in META.items() if name != "workflow"}
    return DriftedAll(text, (drifted, clean, failed), {**about, "exit_code": 1}, ("interrupted: 1 workflow not examined",))


SUBJECTS: Mapping[str, Subject] = {
    "drift_all": drifted_all(Drifted(HEADER, FINDINGS, {**META, "exit_code": 2}), PLAIN),
    "plan": Planned(replace(PLAN, failing=FAILING), META, history=runs(1)),
    "drift": Drifted(HEADER, FINDINGS, META, history=runs(90)),
    "run": run_of(PLAIN),
    "compare": Compared(HEADER, COMPARISON, META),
}

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b2J",
    "one\ntwo\r\nthree\u2028four\x0bfive",
    "\n::stop-commands::x\n##[error]x",
    "right \u202e left \u200b nothing \ud800 \x00",
    "| a | `b` ``c | <b>*_[d](e)</b> &amp; @f #1 \\| --> ]]> \"'",
)
"""Texts that steer terminals and CI systems, or end what a format puts around them."""


def subjects_with(text: str) -> Mapping[str, Subject]:
    """A plan, a drift report and a run that have a text in every field that the outside fills."""
    header = PlanHeader(text, text, text, text)
    data = Address("data", "Hello", text)
    old: Mapping[str, Json] = {"label": f"{text}0", "tags": {text: f"{text}0"}}
    new: Mapping[str, Json] = {"label": f"{text}1", "tags": {text: f"{text}1"}}
    files: Json = [{"path": text, "action": action, "added": 1, "removed": None} for action in ("create", "update", "delete")]
    changes = (
        Change(
            data,
            Action.UPDATE,
            Resource(data, old, text, text, 1),
            Resource(data, new, text, text, 2),
            drifted=True,
            reason=text,
            details={"origin": {"by": text, "at": text}},
        ),
        Change(data, Action.CREATE, None, Resource(data, new, size=2)),
        Change(data, Action.ADOPT, None, Resource(data, new)),
        Change(data, Action.FORGET, Resource(data, old), None, drifted=True),
        Change(Address("source", "Hello"), Action.UPDATE, Resource(data), Resource(data), details={"files": files}),
    )
    checks = (Check(Address("test", "Hello", text), TestCase("", json.dumps(text), 300), of_algorithm=False),)
    failing = (FailedCheck(checks[0].address, FAILING[0].since, text),)
    findings = (
        Finding(
            data,
            Drift.CHANGED,
            Resource(data, old),
            Resource(data, new),
            text,
            details={"origin": {"by": text, "at": text}, "files": files},
            first_seen=FAILING[0].since,
            age=3,
        ),
        *(Finding(data, drift, Resource(data, old), None, text) for drift in Drift if drift is not Drift.CHANGED),
    )
    left_out = tuple(LeftOut(data, gap, text, 3) for gap in Gap)
    coverage = Coverage((data,), {data: 3}, 1, left_out)
    meta: Mapping[str, Json] = {**META, "workflow": text}
    record = Record(data, text, text, text, 1, old)
    diffs = (
        FileDiff(Address("source", "Hello"), text, lines=(f" {text}", f"+{text}", f"-{text}", f"@@ {text}"), left_out=2, note="x"),
    )
    explained = tuple(Explanation(change, reason_of(change, record), record, ("listing", "listing")) for change in changes)
    found = tuple(Mismatch(name, text, text, text, text) for name in (DIFFERENCE, NOISE))
    parities = (
        TestParity(checks[0].address, Sides(text, text), 1, 1, (CaseParity(1, text, text, found, (), ()),), found[1:], 1.0, 1.0),
        TestParity(Address("test", "Hello"), error=NotFound(text)),
    )
    drifted = Drifted(header, findings, meta, coverage=coverage, notes=(text,), history=runs(60, text))
    return {
        "drift_all": drifted_all(drifted, text),
        "plan": Planned(
            Plan(header, changes, checks, kinds=TRAITS, failing=failing), meta, explained, diffs, history=runs(5, text)
        ),
        "drift": drifted,
        "run": run_of(text),
        "compare": Compared(header, Comparison(parities), meta),
    }
