"""Applying: what is recorded without a step, what ends a run, and what runs at the same time."""

from __future__ import annotations

import threading

import pytest
from fakes.kinds import scene
from fakes.ledger import FakeLedger
from worlds import World, address, one_algorithm

from algosync.core.address import Address
from algosync.core.error import Conflict, StateError, StoredOtherwise, Unexpected
from algosync.core.event import StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.change import Action
from algosync.core.planning.schedule import Step
from algosync.core.resource import Record
from algosync.engine.apply import apply, schedule_of

DATA, SOURCE, VERSION = address("data"), address("source"), address("version")


def test_what_is_there_already_is_adopted_without_a_step() -> None:
    world = one_algorithm("data")
    world.site.destination.put(DATA, "one")
    assert world.apply() == []
    assert world.site.ledger.log == [f"commit {DATA}"]
    assert world.plan().counted() == {Action.NONE: 1}


def test_a_record_that_is_out_of_date_is_refreshed_without_a_step() -> None:
    world = one_algorithm("data")
    world.apply()
    world.site.destination.put(DATA, "one")
    assert world.plan().counted() == {Action.REFRESH: 1}
    assert world.apply() == []
    assert world.plan().counted() == {Action.NONE: 1}
    assert world.site.ledger.records[DATA].destination_stamp == world.site.destination.items[DATA].stamp


def test_what_left_the_workflow_is_forgotten_and_stays_at_the_destination() -> None:
    world = one_algorithm("data")
    world.apply()
    del world.site.source.items[DATA]
    assert world.apply() == []
    assert dict(world.site.ledger.records) == {}
    assert DATA in world.site.destination.items


def test_a_test_that_fails_keeps_the_version_unpublished() -> None:
    world = one_algorithm(payload=True)
    world.site.failures = {"test.A": Unexpected("no")}
    ends = [event for event in world.apply() if isinstance(event, (StepFailed, StepSkipped))]
    assert [(type(event), event.step.key) for event in ends] == [(StepFailed, "test.A"), (StepSkipped, "publish version.A")]
    assert VERSION not in world.site.destination.items
    assert VERSION not in world.site.ledger.records


def test_a_failure_that_blocks_nothing_fails_the_run_and_skips_nothing() -> None:
    world = one_algorithm()
    error = StoredOtherwise("no")
    error.blocks = False
    world.site.failures = {"create algorithm.A": error}
    events = list(world.apply())
    assert [event.error for event in events if isinstance(event, StepFailed)] == [error]
    assert not any(isinstance(event, StepSkipped) for event in events)
    assert VERSION in world.site.destination.items
    assert address("algorithm") not in world.site.ledger.records


def test_a_failure_keeps_its_error_and_its_time() -> None:
    world = one_algorithm("source")
    world.site.failures = {"push source.A": Conflict("somebody else pushed")}
    (failed,) = (event for event in world.apply() if isinstance(event, StepFailed))
    assert failed.error.message == "somebody else pushed"
    assert failed.seconds >= 0


def _full(_: Record) -> None:
    raise StateError("the disk is full")


def test_what_cannot_be_recorded_ends_the_run() -> None:
    world = one_algorithm("source", "version")
    world.site.ledger = FakeLedger(before_commit=_full)
    with pytest.raises(StateError, match="the disk is full"):
        world.apply()
    assert world.site.ledger.log == ["push source.A"]
    assert VERSION not in world.site.destination.items


def test_what_cannot_be_recorded_ends_the_run_before_any_step() -> None:
    world = one_algorithm("data", "source")
    world.site.destination.put(DATA, "one")
    world.site.ledger = FakeLedger(before_commit=_full)
    with pytest.raises(StateError, match="the disk is full"):
        world.apply()
    assert SOURCE not in world.site.destination.items


def test_a_bug_is_raised_in_the_callers_thread() -> None:
    world = one_algorithm()
    world.site.failures = {"push source.A": ZeroDivisionError("a bug")}
    with pytest.raises(ZeroDivisionError, match="a bug"):
        world.apply()


def test_transfers_of_one_algorithm_run_at_the_same_time() -> None:
    world = one_algorithm("algorithm")
    for number in range(3):
        world.site.source.put(Address("data", "A", str(number)), "one")
    together = threading.Barrier(3)

    def meet(step: Step) -> None:
        if step.key.startswith("upload"):
            together.wait(timeout=30)  # fails unless all three are here at once

    world.site.during = meet
    assert sum(isinstance(event, StepDone) for event in world.apply()) == 7


def test_a_reader_that_leaves_waits_for_running_steps_and_starts_no_other() -> None:
    world = one_algorithm("source", "version")
    released = threading.Event()

    def wait(_: Step) -> None:
        released.wait(timeout=30)

    world.site.during = wait
    events = apply(world.plan(), world.flow, scene(world.site), world.site.ledger)
    assert isinstance(next(events), StepStarted)
    threading.Timer(0.05, released.set).start()
    events.close()
    assert world.site.ledger.log == ["push source.A", f"commit {SOURCE}"]


def test_the_schedule_holds_the_verbs_that_the_kinds_name() -> None:
    world: World = one_algorithm()
    steps = [step.key for step in schedule_of(world.plan(), scene(world.site)).steps]
    assert steps == [
        "create algorithm.A",
        'upload data.A["w.pb"]',
        "push source.A",
        "build version.A",
        'verify data.A["w.pb"]',
        "publish version.A",
    ]
