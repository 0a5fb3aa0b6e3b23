"""Deletions: `--prune`, `--destroy`, their order, and what a crash leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.kinds import KINDS, FakeSite, scene
from worlds import HEADER, World, address, one_algorithm, workflow

from algosync.core.address import Address
from algosync.core.error import Denied, TestFailed
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import Mode, Selection, UnknownTarget
from algosync.core.workflow import AlgorithmSpec
from algosync.engine.apply import schedule_of
from algosync.engine.plan import make_plan

DESTROY = Selection(mode=Mode.DESTROY)
PRUNE = Selection(prune=True)


def planned(world: World, selection: Selection) -> Plan:
    return make_plan(world.flow, scene(world.site), world.site.ledger.records, HEADER, selection)


def acts(plan: Plan) -> dict[str, Action]:
    return {str(c.address): c.action for c in plan.changes if c.action.visible}


def chain() -> World:
    """A, and B that depends on it, both applied."""
    site = FakeSite()
    for name in ("A", "B"):
        for kind in KINDS:
            site.source.put(address(kind, name), "one")
    world = World(workflow(AlgorithmSpec("A", "python3"), AlgorithmSpec("B", "python3", depends_on=("A",))), site)
    world.apply()
    return world


def done(world: World, plan: Plan) -> list[str]:
    return [event.step.key for event in world.apply(plan) if isinstance(event, StepDone)]


def test_destroy_deletes_everything_that_is_recorded_and_nothing_else() -> None:
    world = chain()
    other = Address("data", "A", "theirs.bin")
    world.site.destination.put(other, "theirs")
    plan = planned(world, DESTROY)
    assert set(acts(plan).values()) == {Action.DELETE}
    assert len(plan.changes) == 2 * len(KINDS)
    assert plan.checks == ()
    world.apply(plan)
    assert list(world.site.destination.items) == [other]
    assert dict(world.site.ledger.records) == {}
    assert planned(world, DESTROY).visible == ()


def test_deletions_are_in_reverse_order_and_an_algorithm_goes_before_its_data() -> None:
    world = chain()
    order = ("algorithm.{}", 'data.{}["w.pb"]', "source.{}", "version.{}")
    steps = schedule_of(planned(world, DESTROY), scene(world.site)).steps
    assert [step.key for step in steps] == [f"delete {each.format(name)}" for name in ("B", "A") for each in order]


def test_what_depends_on_a_failed_deletion_is_kept() -> None:
    world = chain()
    world.site.failures = {"delete algorithm.B": Denied("no")}
    events = world.apply(planned(world, DESTROY))
    assert [e.step.key for e in events if isinstance(e, StepFailed)] == ["delete algorithm.B"]
    assert not [e for e in events if isinstance(e, StepDone)]
    assert len([e for e in events if isinstance(e, StepSkipped)]) == 7
    assert len(world.site.ledger.records) == 8


@pytest.mark.parametrize("at", range(8))
def test_a_crash_in_the_middle_of_destroy_converges(at: int) -> None:
    world = chain()
    steps = []

    def crash(step: object) -> None:
        steps.append(step)
        if len(steps) > at:
            raise KeyboardInterrupt

    world.site.during = crash
    with pytest.raises(KeyboardInterrupt):
        world.apply(planned(world, DESTROY))
    world.site.during = lambda _: None
    world.apply(planned(world, DESTROY))
    assert (world.site.destination.items, dict(world.site.ledger.records)) == ({}, {})


def test_what_vanished_is_forgotten() -> None:
    world = one_algorithm("data")
    world.apply()
    world.site.destination.items.clear()
    assert acts(planned(world, DESTROY)) == {'data.A["w.pb"]': Action.FORGET}


def test_without_prune_what_left_the_workflow_is_forgotten_and_with_it_deleted() -> None:
    world = chain()
    left = World(workflow(AlgorithmSpec("A", "python3")), world.site)
    assert set(acts(planned(left, Selection())).values()) == {Action.FORGET}
    plan = planned(left, PRUNE)
    assert {str(c.address) for c in plan.changes if c.action is Action.DELETE} == {str(address(kind, "B")) for kind in KINDS}
    left.apply(plan)
    assert {a.algorithm for a in world.site.destination.items} == {a.algorithm for a in world.site.ledger.records} == {"A"}


def test_a_pruned_data_file_is_deleted_after_the_tests() -> None:
    world = one_algorithm(payload=True)
    world.apply()
    world.site.source.put(address("source"), "two")
    del world.site.source.items[address("data")]
    keys = done(world, planned(world, PRUNE))
    assert keys[-1] == 'delete data.A["w.pb"]'
    assert "test.A" in keys


def test_nothing_is_deleted_if_a_test_fails() -> None:
    world = one_algorithm(payload=True)
    world.apply()
    world.site.source.put(address("version"), "two")
    del world.site.source.items[address("data")]
    world.site.failures = {"test.A": TestFailed("no")}
    world.apply(planned(world, PRUNE))
    assert address("data") in world.site.destination.items


def test_a_deletion_of_what_somebody_changed_is_marked() -> None:
    world = one_algorithm("data")
    world.apply()
    for content, drifted in (("one", False), ("two", True), ("three", True)):
        world.site.destination.put(address("data"), content)
        (change,) = planned(world, DESTROY).changes
        assert (change.action, change.drifted) == (Action.DELETE, drifted)


def test_a_version_without_a_recorded_algorithm_is_only_forgotten() -> None:
    world = one_algorithm()
    world.apply()
    world.site.ledger.forget(address("algorithm"))
    found = acts(planned(world, DESTROY))
    assert found == {'data.A["w.pb"]': Action.DELETE, "source.A": Action.FORGET, "version.A": Action.FORGET}


@pytest.mark.parametrize(
    ("target", "deleted"),
    [
        ("B", {str(address(kind, "B")) for kind in KINDS}),
        ("A", {str(address(kind, name)) for kind in KINDS for name in ("A", "B")}),
        ('data.A["w.pb"]', {'data.A["w.pb"]'}),
        ("version.B", {"algorithm.B", "source.B", "version.B"}),
    ],
)
def test_a_target_is_destroyed_with_what_depends_on_it(target: str, deleted: set[str]) -> None:
    assert set(acts(planned(chain(), replace(DESTROY, targets=(target,))))) == deleted


def test_an_excluded_algorithm_is_not_looked_at() -> None:
    world = chain()
    world.site.looks.clear()
    plan = planned(world, Selection(exclude=("B",)))
    assert set(world.site.looks) == {"A"}
    assert plan.excluded.left_out == ("B",)
    assert {c.address.algorithm for c in plan.changes} == {"A"}


def test_a_target_and_an_exclusion_both_count() -> None:
    plan = planned(chain(), Selection(targets=("A", "B"), exclude=("version.B",)))
    assert {str(c.address) for c in plan.changes} == {str(address(k, n)) for k in KINDS for n in ("A", "B")} - {"version.B"}
    with pytest.raises(UnknownTarget, match="--exclude leaves out everything"):
        planned(chain(), Selection(targets=("B",), exclude=("A",)))


def test_an_excluded_record_is_not_forgotten() -> None:
    world = chain()
    left = World(workflow(AlgorithmSpec("A", "python3")), world.site)
    assert acts(planned(left, Selection(exclude=("B",)))) == {}
    assert acts(planned(left, Selection(prune=True, exclude=("B",)))) == {}


@pytest.mark.parametrize(
    ("scope", "deleted"),
    [
        (Selection(targets=('data.B["w.pb"]',)), {'data.B["w.pb"]'}),
        (Selection(targets=("version.B",)), {"algorithm.B", "source.B", "version.B"}),
        (Selection(targets=("B",)), {str(address(kind, "B")) for kind in KINDS}),
        (Selection(exclude=("version.B",)), set()),
        (Selection(exclude=("source.B",)), set()),
        (Selection(exclude=("algorithm.B",)), set()),
        (Selection(exclude=('data.B["w.pb"]',)), {"algorithm.B", "source.B", "version.B"}),
    ],
)
def test_prune_deletes_no_more_than_the_scope_names(scope: Selection, deleted: set[str]) -> None:
    left = World(workflow(AlgorithmSpec("A", "python3")), chain().site)
    assert set(acts(planned(left, replace(scope, prune=True)))) == deleted


def test_a_data_file_that_is_no_longer_wanted_stays_unless_a_target_names_it() -> None:
    world = one_algorithm()
    world.apply()
    del world.site.source.items[address("data")]
    assert acts(planned(world, replace(PRUNE, targets=("version.A",)))) == {}
    assert acts(planned(world, replace(PRUNE, targets=("A",)))) == {'data.A["w.pb"]': Action.DELETE}
    world = chain()
    del world.site.source.items[address("data")]
    assert acts(planned(world, replace(PRUNE, targets=("B",)))) == {}
