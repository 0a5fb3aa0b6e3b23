"""Recording results while a command runs: in few writes, without secrets, and also if the run ends early."""

from __future__ import annotations

import io
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from algosync.cli.history.run_log import RunLog
from algosync.cli.remembered_results import Recorder, known_failures, remembering, stored_addresses
from algosync.cli.session import CommandSession
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied, TestFailed, Unreachable
from algosync.core.event import Event, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.plan import PlanHeader, plan_of_checks
from algosync.core.planning.schedule import Step, Verb
from algosync.core.redaction import Redactor
from algosync.core.test_result import TestResult
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.state import Backend, TestResults, parse_address
from algosync.state.local import LocalBackend

PAYLOAD, ZERO, ONE = Address("test", "A"), Address("test", "A", "t0"), Address("test", "A", "t1")
FLOW = Workflow(
    "w",
    "/",
    (AlgorithmSpec("A", "python3", tests=(TestCase("", "1"),)),),
    entrypoint="A",
    tests=(TestCase("t0", "1"), TestCase("t1", "1")),
)
STATE = "w@local~me.json"


class Writes(LocalBackend):
    """Counts the writes of all its objects."""

    count = 0

    def write(self, data: bytes, *, expect: str | None) -> None:
        type(self).count += 1
        super().write(data, expect=expect)


def results(folder: Path) -> TestResults:
    def create(name: str) -> Backend:
        return parse_address(str(folder))(name, "algosync test")

    return TestResults(create, STATE)


def session(folder: Path, flow: Workflow = FLOW) -> CommandSession:
    parts = {"workflow": flow, "results": results(folder), "log": RunLog(), "ledger": SimpleNamespace(records={})}
    return cast("CommandSession", SimpleNamespace(**parts))


def terminal(err: io.StringIO | None = None) -> Terminal:
    return Terminal(io.StringIO(), err or io.StringIO(), (False, False), live=False)


def failed(address: Address, error: AlgosyncError) -> StepFailed:
    return StepFailed(Step(address, Verb.TEST), 1.0, error)


def done(address: Address) -> StepDone:
    return StepDone(Step(address, Verb.TEST), 1.0)


def told(folder: Path, *events: Event) -> None:
    assert list(remembering(events, session(folder), terminal())) == list(events)


def test_only_tests_that_were_carried_out_have_a_result(tmp_path: Path) -> None:
    told(tmp_path, StepStarted(Step(ZERO, Verb.TEST)), done(PAYLOAD), failed(ZERO, TestFailed("boom")), failed(ONE, Denied("403")))
    found, _ = results(tmp_path).read()
    assert {a: (r.passed, r.reason) for a, r in found.items()} == {PAYLOAD: (True, ""), ZERO: (False, "boom")}
    told(tmp_path, failed(PAYLOAD, Unreachable("gone")), StepSkipped(Step(ZERO, Verb.TEST), "test.A"))
    told(tmp_path, StepDone(Step(Address("version", "A"), Verb.PUBLISH), 1.0))
    assert results(tmp_path).read()[0] == found


def test_a_run_that_ends_early_has_recorded_its_results(tmp_path: Path) -> None:
    def events() -> Generator[Event, None, None]:
        yield done(PAYLOAD)
        yield failed(ZERO, TestFailed("boom"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(remembering(events(), session(tmp_path), terminal()))
    assert set(results(tmp_path).read()[0]) == {PAYLOAD, ZERO}


def test_a_reader_that_leaves_has_recorded_the_results_it_saw(tmp_path: Path) -> None:
    telling = remembering([done(PAYLOAD), failed(ZERO, TestFailed("boom")), done(ONE)], session(tmp_path), terminal())
    next(telling), next(telling)
    telling.close()
    assert set(results(tmp_path).read()[0]) == {PAYLOAD, ZERO}


def test_2000_results_in_ten_seconds_take_ten_writes(tmp_path: Path) -> None:
    Writes.count = 0
    now = [0.0]
    tests = [Address("test", f"A{number}") for number in range(2000)]
    kept = TestResults(lambda name: Writes(tmp_path / name), STATE)
    recorder = Recorder(kept, {a: a for a in tests}, str, clock=lambda: now[0])
    for test in tests:
        recorder.add(TestResult(test, passed=True, at="1", since="1"))
        now[0] += 0.005
    recorder.flush()
    assert Writes.count <= 11
    assert set(kept.read()[0]) == set(tests)


@pytest.mark.parametrize("before", [485, 490, 495, 499, 505])
def test_no_part_of_a_secret_is_in_the_document(tmp_path: Path, before: int) -> None:
    """Also where the reason is cut."""
    secret = "s3cretsecrets3cret"
    flow = replace(FLOW, tests=tuple(TestCase(f"{secret} {letter}", "1") for letter in "ab"))
    names = [Address("test", "A", f"{secret} {letter}") for letter in "ab"]
    hiding = terminal()
    hiding.hide(secret)
    reason = f"{'x' * (before - 1)} {secret} and more, {'y' * 500}"
    list(remembering([failed(name, TestFailed(reason)) for name in names], session(tmp_path, flow), hiding))
    for path in tmp_path.iterdir():
        assert b"s3cre" not in path.read_bytes()
    plan = plan_of_checks(flow, PlanHeader("w", None, "local", "me"))
    found = known_failures(session(tmp_path, flow), plan, hiding)
    assert [failure.address for failure in found] == names
    assert all(len(failure.reason) <= 500 for failure in found)


def test_tests_whose_names_differ_in_secrets_alone_have_results_of_their_own() -> None:
    flow = replace(FLOW, tests=(TestCase("pin 11223344", "1"), TestCase("pin 55667788", "1")))
    redactor = Redactor()
    redactor.hide("11223344")
    redactor.hide("55667788")
    stored = stored_addresses(flow, redactor.redact)
    assert [address.name for address in stored.values()] == [None, "pin ***", "pin ***'"]


def test_results_that_cannot_be_recorded_are_one_warning(tmp_path: Path) -> None:
    (tmp_path / "w@local~me.json.results").mkdir()
    err = io.StringIO()
    recorded = remembering([done(PAYLOAD), done(ZERO)], session(tmp_path), terminal(err))
    assert len(list(recorded)) == 2
    assert err.getvalue().startswith("Warning: the results of the tests are not remembered: ")
    assert err.getvalue().count("\n") == 1
