"""Planning: what is read, what is explained, and what a failed look says."""

from __future__ import annotations

import pytest
from fakes.kinds import FakeSite, scene
from worlds import HEADER, World, address, one_algorithm, workflow

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied, NotFound, Several, SourceError
from algosync.core.planning.change import Action
from algosync.core.planning.target import Selection, UnknownTarget
from algosync.core.ports import Side
from algosync.core.resource import Record
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec
from algosync.engine.plan import make_plan

DATA = address("data")
BOTH = [(Side.SOURCE, DATA), (Side.DESTINATION, DATA)]


def counted(world: World) -> dict[Action, int]:
    return dict(world.plan().counted())


def test_sizes_that_differ_are_not_read() -> None:
    world = one_algorithm("data")
    world.site.destination.put(DATA, "three")
    assert counted(world) == {Action.UPDATE: 1}
    assert world.site.reads == []


def test_equal_sizes_without_a_record_are_read_on_both_sides() -> None:
    world = one_algorithm("data")
    world.site.destination.put(DATA, "two")
    assert counted(world) == {Action.UPDATE: 1}
    assert sorted(world.site.reads, key=str) == sorted(BOTH, key=str)


def test_what_stands_as_recorded_is_not_read() -> None:
    world = one_algorithm("data")
    world.apply()
    assert counted(world) == {Action.NONE: 1}
    assert world.site.reads == []


def test_only_the_side_whose_stamp_moved_is_read() -> None:
    world = one_algorithm("data")
    world.apply()
    world.site.destination.put(DATA, "two")
    (change,) = world.plan().changes
    assert (change.action, change.drifted) == (Action.UPDATE, True)
    assert world.site.reads == [(Side.DESTINATION, DATA)]


def test_visible_changes_are_explained_by_their_kind() -> None:
    world = one_algorithm("data", "algorithm")
    world.site.destination.put(DATA, "one")
    world.apply()
    world.site.source.put(address("algorithm"), "two")
    explained = {change.address: bool(change.details) for change in world.plan().changes}
    assert explained == {DATA: False, address("algorithm"): True}


def test_what_is_forgotten_is_not_explained() -> None:
    world = one_algorithm("data")
    world.apply()
    del world.site.source.items[DATA]
    (change,) = world.plan().changes
    assert (change.action, dict(change.details)) == (Action.FORGET, {})


def test_records_of_an_algorithm_that_left_the_workflow_are_forgotten() -> None:
    world = one_algorithm("data")
    world.apply()
    left = World(workflow(AlgorithmSpec("B", "python3")), world.site)
    assert [(c.address, c.action) for c in left.plan().changes] == [(DATA, Action.FORGET)]


def test_a_failed_look_at_the_source_names_the_algorithm() -> None:
    world = one_algorithm("data")
    world.site.unreadable = {(Side.SOURCE, "data"): SourceError("no such file", hint="look again")}
    with pytest.raises(SourceError) as caught:
        world.plan()
    assert (caught.value.message, caught.value.hint) == ("A: no such file", "look again")


def test_all_failed_looks_are_told() -> None:
    site = FakeSite(unreadable={(Side.SOURCE, "source"): SourceError("gone")})
    world = World(workflow(AlgorithmSpec("A", "python3"), AlgorithmSpec("B", "python3")), site)
    with pytest.raises(Several) as caught:
        world.plan()
    assert [error.message for error in caught.value.errors] == ["A: gone", "B: gone"]


def test_every_failure_of_every_algorithm_is_told_once() -> None:
    told = {"data": "no file", "source": "no x", "version": "no x"}
    failures: dict[tuple[Side, Address | str], AlgosyncError] = {
        (Side.SOURCE, kind): SourceError(text) for kind, text in told.items()
    }
    world = World(workflow(AlgorithmSpec("A", "python3"), AlgorithmSpec("B", "python3")), FakeSite(unreadable={**failures}))
    with pytest.raises(Several) as caught:
        world.plan()
    assert [error.message for error in caught.value.errors] == ["A: no file", "A: no x", "B: no file", "B: no x"]


def test_one_failure_that_strikes_every_look_is_told_once() -> None:
    site = FakeSite(unreadable={(Side.DESTINATION, "source"): Denied("the key is wrong")})
    world = World(workflow(AlgorithmSpec("A", "python3"), AlgorithmSpec("B", "python3")), site)
    with pytest.raises(Denied, match="the key is wrong"):
        world.plan()


def test_drift_keeps_what_was_recorded() -> None:
    world = one_algorithm("data")
    world.apply()
    recorded = world.site.ledger.records[DATA]
    world.site.destination.put(DATA, "three")
    (change,) = world.plan().changes
    assert change.recorded is not None
    assert (change.recorded.digest, change.recorded.size) == (recorded.digest, recorded.size)


def named(*names: str) -> World:
    """A world with a source file for each algorithm, of which C depends on B."""
    site = FakeSite()
    for name in names:
        site.source.put(address("source", name), "one")
    specs = (AlgorithmSpec(name, "python3", depends_on=("B",) if name == "C" else ()) for name in names)
    return World(workflow(*specs), site)


@pytest.mark.parametrize(
    ("target", "looked_at"),
    [("B", "B"), ("C", "BC"), ("source.A", "A"), ("source.*", "ABC"), ("A*", "A"), ("data.A*", "A"), ('data.B["w.pb"]', "B")],
)
def test_only_targets_and_what_they_depend_on_are_looked_at(target: str, looked_at: str) -> None:
    world = named("A", "B", "C")
    for name in "ABC":
        world.site.destination.put(address("data", name), "recorded")
        world.site.ledger.commit(Record(address("data", name), "x", None, None))
    plan = make_plan(world.flow, scene(world.site), world.site.ledger.records, HEADER, Selection((target,)))
    assert set(world.site.looks) == set(looked_at)
    assert {c.address.algorithm for c in plan.changes} <= set(looked_at)
    assert plan.targets == (target,)


def test_a_fault_of_another_algorithm_does_not_fail_a_target() -> None:
    world = named("A", "B")
    world.site.unreadable = {(Side.SOURCE, address("source", "A")): SourceError("gone")}
    with pytest.raises(SourceError):
        world.plan()
    plan = make_plan(world.flow, scene(world.site), {}, HEADER, Selection(("B",)))
    assert [c.address for c in plan.changes] == [address("source", "B")]


def test_a_target_without_a_name_is_an_error_before_anything_is_looked_at() -> None:
    world = named("A", "B")
    with pytest.raises(UnknownTarget, match="is called Nope"):
        make_plan(world.flow, scene(world.site), {}, HEADER, Selection(("Nope",)))
    assert world.site.looks == []


def test_a_failed_read_is_raised() -> None:
    world = one_algorithm("data")
    world.site.destination.put(DATA, "two")
    world.site.unreadable = {(Side.DESTINATION, DATA): Denied("the key is wrong")}
    with pytest.raises(Denied):
        world.plan()


def test_run_only_needs_every_algorithm_and_compares_nothing() -> None:
    world = one_algorithm("source")
    flow = workflow(AlgorithmSpec("A", "python3", tests=(TestCase("", "1"),)), tests=1, run_only=True)
    with pytest.raises(NotFound, match="A is not at the destination"):
        make_plan(flow, scene(world.site), {}, HEADER)
    world.apply()
    plan = make_plan(flow, scene(world.site), world.site.ledger.records, HEADER)
    assert (plan.changes, plan.compared, len(plan.checks)) == ((), False, 2)
