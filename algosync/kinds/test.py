"""Tests: calls of algorithms that have to succeed, with answers that have to be as expected.

The tests of an algorithm call the commit that is about to be published, by its hash, or the published version if nothing is to be
published. The same holds for the tests of the workflow. The published version is the newest one at the destination, whoever made
it; the result says when it is not the recorded one. `apply` calls the one that its plan has seen. It is called by its exact number,
because a name without a number finds public versions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosync.core.address import Address
from algosync.core.error import ClusterError, TestFailed, TimedOut
from algosync.core.event import CaseDone, Measured, Note
from algosync.core.planning.data_reads import READ_DATA, changed_since
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step
from algosync.core.ports import Outcome, Tell
from algosync.core.testing.case import QualityGate
from algosync.core.text import clauses, printable
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.held_changes import failure_of
from algosync.kinds.source import note_call, read_data

if TYPE_CHECKING:
    from algosync.kinds.testing.caller import AlgorithmCaller
    from algosync.kinds.testing.gate_caller import GateCaller
    from algosync.kinds.testing.run import Run
    from algosync.kinds.testing.target import CallTarget

__all__ = ["perform"]

_TIMED_OUT = "TimeoutError"  # an `error_type` (PLATFORM.md §6.1)
_GATEWAY_TIMEOUT = 504
_MAX_TIMEOUT = 3000  # seconds (PLATFORM.md §6.1)


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Makes the calls of a test, and tells each result and then the measures.

    TestFailed: an answer is not as expected, or a limit does not hold. ClusterError: a call could not be carried out, so nothing is
    known of the algorithm.
    """
    from algosync.kinds.testing.target import target_of

    check = step.check
    if check is None:
        raise ValueError(f"{step.key} has no check")
    target = target_of(check, spec, context)
    if check.candidate:
        note_call(spec, context)
    if target.note:
        tell(Note(step, target.note))
    try:
        _carry_out(step, check, target, context, tell)
    except TestFailed as error:
        error.hint = _more_time(check) if error.error_type == _TIMED_OUT else error.hint
        error.hint = clauses(error.hint, _live_data(check, spec, context), _published_by_others(target)) or None
        _remember_failure(check, error, spec, context)
        raise
    except ClusterError as error:
        late = isinstance(error, TimedOut) or error.status == _GATEWAY_TIMEOUT
        error.hint = clauses(_more_time(check) if late else "", error.hint, _live_data(check, spec, context))
        if isinstance(error, TimedOut):  # a call that takes longer than the test's timeout has failed, too
            _remember_failure(check, error, spec, context)
        raise
    return Outcome(detail=str(target.called))


def _carry_out(step: Step, check: Check, target: CallTarget, context: Context, tell: Tell) -> None:
    from algosync.kinds.testing.caller import AlgorithmCaller
    from algosync.kinds.testing.failed_test import failed_test
    from algosync.kinds.testing.run import Run, counts_errors

    first_release = check.candidate and Address.of("version", target.name) not in context.ledger.records
    caller = AlgorithmCaller(target, context, counts_errors(check.case), first_release)
    baseline = check.case.expect.baseline
    if first_release and baseline is not None and baseline.content is None:
        tell(Note(step, f"no answer is accepted yet; after this apply, algosync test --accept writes {printable(baseline.path)}"))
    gate = _gate(check.case.gate, caller, context)
    run = Run(check.case, gate or caller, context)
    for result in run.results():
        tell(CaseDone(step, result))
    timing = run.timing()
    outcome = gate.outcome() if gate else None
    tell(Measured(step, target.called, timing, run.sha256("payload"), run.sha256("answer"), outcome))
    if outcome is None:
        _hold_to_limits(run, check, target, context)
    elif outcome.broken:
        raise failed_test(run, target, outcome.broken)


def _gate(gate: QualityGate | None, caller: AlgorithmCaller, context: Context) -> GateCaller | None:
    if gate is None:
        return None
    from algosync.kinds.testing.gate_caller import gate_caller  # brings what judges answers, which most commands do without

    return gate_caller(caller, gate, context)


def _hold_to_limits(run: Run, check: Check, target: CallTarget, context: Context) -> None:
    """TestFailed: a call failed, or a limit does not hold."""
    from algosync.kinds.testing.failed_test import failed_test
    from algosync.kinds.testing.limits import broken_limits

    timing = run.timing()
    baseline = check.case.expect.baseline
    accepted = context.accepted_timing(baseline.content) if baseline is not None and baseline.content is not None else None
    broken = broken_limits(check.case.load.limits, timing, accepted)
    if run.failed or broken:
        raise failed_test(run, target, broken)


def _remember_failure(check: Check, error: TestFailed | TimedOut, spec: AlgorithmSpec, context: Context) -> None:
    if check.candidate:
        context.failed_tests[spec.name] = failure_of(error.message, spec, context)


def _live_data(check: Check, spec: AlgorithmSpec, context: Context) -> str:
    """What is live if the new version is not published, and reads changed data of other algorithms. Empty: it does not."""
    record = context.ledger.records.get(Address.of("version", spec.name))
    if not check.candidate or record is None:
        return ""
    others = ", ".join(changed_since(record.private.get(READ_DATA), read_data(spec, context)))
    version = f"version {record.attributes.get('version')} of {spec.name} stays published"
    return f"{version}, and the changed data of {others} is live: fix {spec.name} or that data" if others else ""


def _published_by_others(target: CallTarget) -> str:
    """Who may explain the failure. Empty: the recorded version was called."""
    told = "somebody else published this version: algosync plan shows what apply would do about it"
    return told if target.called.recorded else ""


def _more_time(check: Check) -> str:
    """The advice after a call that took too long."""
    if check.of_algorithm and not check.case.name:
        own = f"a test of test_info.tests has its own `timeout:`, at most {_MAX_TIMEOUT} s"
        return f"a test_payload may take {check.case.timeout} s; {own}"
    return f"its `timeout:` in the workflow is {check.case.timeout} s: give it more, at most {_MAX_TIMEOUT} s"
