"""Reports: the exit code of every combination of events, and the counts."""

import pytest

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, TestFailed
from algosync.core.event import Event, Note, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.report import fold
from algosync.core.resource import Resource

SOURCE, VERSION, TEST = Address("source", "A"), Address("version", "A"), Address("test", "A")


def step(address: Address, verb: Verb, action: Action = Action.UPDATE) -> Step:
    return Step(address, verb, None if address.kind == "test" else Change(address, action, None, Resource(address)))


PUSH, BUILD, PUBLISH, CALL = step(SOURCE, Verb.PUSH), step(VERSION, Verb.BUILD), step(VERSION, Verb.PUBLISH), step(TEST, Verb.TEST)


def done(s: Step) -> Event:
    return StepDone(s, 1.0)


def failed(s: Step) -> Event:
    return StepFailed(s, 1.0, TestFailed("no") if s.verb is Verb.TEST else AlgosyncError("no"))


def skipped(s: Step) -> Event:
    return StepSkipped(s, "x")


@pytest.mark.parametrize(
    ("events", "wrote", "code"),
    [
        ([], False, 0),
        ([done(PUSH), done(BUILD), done(CALL), done(PUBLISH)], True, 0),
        ([done(CALL)], False, 0),
        ([failed(CALL)], False, 3),
        ([done(PUSH), failed(CALL)], True, 3),
        ([done(PUSH), StepFailed(CALL, 1.0, AlgosyncError("refused"))], True, 4),
        ([StepFailed(CALL, 1.0, AlgosyncError("refused"))], False, 1),
        ([done(PUSH), done(BUILD), failed(CALL), skipped(PUBLISH)], True, 3),
        ([failed(PUSH), failed(CALL), skipped(PUBLISH)], True, 4),
        ([done(BUILD), failed(CALL), skipped(PUBLISH)], False, 3),
        ([failed(PUSH), skipped(BUILD), skipped(PUBLISH)], False, 1),
        ([failed(PUSH), skipped(BUILD), skipped(PUBLISH)], True, 4),
        ([done(PUSH), failed(BUILD), skipped(CALL), skipped(PUBLISH)], True, 4),
        ([failed(BUILD), failed(CALL)], False, 1),
        ([failed(CALL), skipped(CALL)], False, 3),
    ],
)
def test_exit_codes(events: list[Event], wrote: bool, code: int) -> None:
    assert fold(events, lambda: wrote).exit_code == code


def test_progress_and_notes_are_not_in_the_report() -> None:
    report = fold([StepStarted(PUSH), Note(PUSH, "x"), done(PUSH)], lambda: True)
    assert (len(report.done), report.failed, report.skipped) == (1, (), ())


def test_a_resource_counts_only_if_all_its_steps_succeeded() -> None:
    assert fold([done(PUSH), done(BUILD), done(PUBLISH)], lambda: True).completed()[Action.UPDATE] == 2
    assert fold([done(PUSH), done(BUILD), skipped(PUBLISH)], lambda: True).completed()[Action.UPDATE] == 1
    assert fold([done(PUSH)], lambda: True).completed()[Action.CREATE] == 0
