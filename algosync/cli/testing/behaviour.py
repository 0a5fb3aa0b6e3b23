"""Behaviour: answers that changed although nothing else did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import field, replace
from typing import TYPE_CHECKING

from algosync.core.error import TestFailed, TimedOut
from algosync.core.event import Event, Measured, StepFailed
from algosync.core.lean import dataclass
from algosync.core.planning.change import Drift, Finding
from algosync.core.test_result import TestResult, result_of
from algosync.core.testing.case import Expectation

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.core.address import Address
    from algosync.core.planning.plan import Check, Plan

__all__ = ["changed_answers", "tested_again"]

_SHOWN = 12  # characters of a digest
_OF_ANSWER = ("equals", "contains", "match", "schema", "baseline", "error", "sha256", "size")


@dataclass(slots=True)
class _TestedAgain:
    """The results of tests, and the errors of those that could not be carried out."""

    results: dict[Address, TestResult] = field(default_factory=dict)
    errors: dict[Address, str] = field(default_factory=dict)

    def watch(self, events: Iterable[Event], now: Callable[[], str]) -> None:
        measured: dict[Address, Measured] = {}
        for event in events:
            address = event.step.address
            if isinstance(event, Measured):
                measured[address] = event
            elif isinstance(event, StepFailed) and not isinstance(event.error, (TestFailed, TimedOut)):
                self.errors[address] = event.error.message
            elif result := result_of(event, now(), measured.get(address)):
                self.results[address] = result


def tested_again(session: CommandSession, terminal: Terminal) -> tuple[Finding, ...]:
    """Runs all tests on what is published and remembers how they ended. Returns the answers that changed, and the tests that could
    not be carried out.

    A changed answer is not remembered, so that it is found again until `test` or `apply` runs the test.
    """
    from algosync.cli.remembered_results import Recorder, stored_addresses
    from algosync.core.planning.plan import plan_of_checks

    plan = plan_of_checks(session.workflow, session.header)
    stored = stored_addresses(session.workflow, terminal.redact)
    known, _ = session.results.read()
    before = {check.address: known[stored[check.address]] for check in plan.checks if stored[check.address] in known}
    run = _run(plan, session, terminal)
    suspects = {address for address in run.results if _changed(before.get(address), run.results[address])}
    again = _run(_part(plan, suspects), session, terminal) if suspects else _TestedAgain()
    changed = changed_answers(plan.checks, before, (run.results, again.results))
    recorder = Recorder(session.results, stored, terminal.redact)
    kept = {finding.address: before[finding.address].answer_sha256 for finding in changed}
    recorder.add(*(replace(result, answer_sha256=kept.get(a, result.answer_sha256)) for a, result in run.results.items()))
    recorder.flush()
    passed = sum(result.passed for result in run.results.values())
    session.log.begin(tests_passed=passed, tests_failed=len(run.results) - passed + len(run.errors))
    for warning in recorder.warnings:
        terminal.tell(f"Warning: {warning}")
    return (*changed, *(Finding(address, Drift.UNKNOWN, reason=reason) for address, reason in run.errors.items()))


def _run(plan: Plan, session: CommandSession, terminal: Terminal) -> _TestedAgain:
    from algosync.cli.live import watch
    from algosync.engine.apply import apply
    from algosync.kinds.context import utc_now

    run = _TestedAgain()
    with closing(apply(plan, session.workflow, session.scene, session.ledger)) as events:
        run.watch(watch(events, terminal), utc_now)
    return run


def _part(plan: Plan, addresses: set[Address]) -> Plan:
    return replace(plan, checks=tuple(check for check in plan.checks if check.address in addresses))


def changed_answers(
    checks: Iterable[Check], before: Mapping[Address, TestResult], runs: tuple[Mapping[Address, TestResult], ...]
) -> tuple[Finding, ...]:
    """The tests whose answer differs from the remembered one, although version, commit and payload are the same.

    `runs`: of the same tests, one after the other. An answer that differs between two runs varies by itself, and is not reported. A
    test that says what the answer has to be is judged by that alone.
    """
    first, again = runs
    found = []
    for check in checks:
        address = check.address
        if not _says_nothing(check) or not _changed(before.get(address), now := first.get(address)) or now is None:
            continue
        repeated = again.get(address)
        if repeated is not None and repeated.answer_sha256 == now.answer_sha256:
            old, new = before[address].answer_sha256[:_SHOWN], now.answer_sha256[:_SHOWN]
            reason = f"the SHA-256 of its answer was {old}… and is {new}…; version {now.version} and the payload are the same"
            found.append(Finding(address, Drift.BEHAVIOUR, reason=reason))
    return tuple(found)


def _says_nothing(check: Check) -> bool:
    """Whether the test leaves open what the answer is. The cases of a file may say something each."""
    given = Expectation()
    return check.case.cases is None and all(getattr(check.case.expect, n) == getattr(given, n) for n in _OF_ANSWER)


def _changed(before: TestResult | None, now: TestResult | None) -> bool:
    if before is None or now is None or not (before.passed and now.passed):
        return False
    # A commit that `apply` tested had no version yet.
    same = (before.commit, before.payload_sha256) == (now.commit, now.payload_sha256) and before.version in ("", now.version)
    known = bool(now.commit and now.payload_sha256 and before.answer_sha256 and now.answer_sha256)
    return same and known and before.answer_sha256 != now.answer_sha256
