"""What a plan does with algorithms that the workflow moved or removed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.kinds import KINDS, scene
from worlds import HEADER, World, address, one_algorithm

from algosync.core.planning.change import Action
from algosync.core.planning.diff import NOT_WANTED
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import Selection
from algosync.core.redaction import Redactor
from algosync.core.workflow import AlgorithmSpec, Move, Workflow
from algosync.engine.plan import make_plan
from algosync.views.plan import plan_lines


@pytest.fixture
def applied() -> World:
    """One algorithm `A`, applied. The source has the same under the name `B`."""
    world = one_algorithm()
    world.apply()
    for kind in KINDS:
        item = world.site.source.items[address(kind)]
        world.site.source.items[address(kind, "B")] = item
    return world


def without_a(world: World, **more: object) -> World:
    flow = Workflow("w", "/", (AlgorithmSpec("B", "python3"),))
    return World(replace(flow, **more), world.site)  # type: ignore[arg-type]  # any fields of a workflow


def reasons(plan: Plan) -> set[str]:
    return {change.reason for change in plan.changes if change.action is Action.FORGET}


def notes(plan: Plan) -> list[str]:
    return [f"{address}: {note}" for address, note in plan.notes()]


def test_a_moved_algorithm_is_created_and_its_old_name_is_forgotten(applied: World) -> None:
    world = without_a(applied, moved=(Move("A", "B"),))
    plan = world.plan()
    assert {(c.address.algorithm, c.action) for c in plan.changes} == {("A", Action.FORGET), ("B", Action.CREATE)}
    assert reasons(plan) == {"moved to B, and the platform cannot rename"}
    assert notes(plan) == [
        "algorithm.B: it was A; the platform cannot rename, so it gets a repository, versions and data files of its own"
    ]
    assert not any(change.drifted for change in plan.changes)


def test_the_record_of_the_old_name_tells_what_the_source_has(applied: World) -> None:
    digest = applied.site.ledger.records[address("data")].digest
    for moved, told in (((), None), ((Move("A", "B"),), digest)):
        plan = without_a(applied, moved=moved).plan()
        (data,) = (change for change in plan.changes if change.address == address("data", "B"))
        assert data.after is not None
        assert data.after.digest == told
        assert data.action is Action.CREATE


def test_after_the_apply_nothing_is_said_any_more(applied: World) -> None:
    world = without_a(applied, moved=(Move("A", "B"),))
    there = set(world.site.destination.items)
    world.apply()
    assert there <= set(world.site.destination.items), "the old algorithm stays"
    plan = world.plan()
    assert (plan.visible, notes(plan)) == ((), [])
    assert {a.algorithm for a in world.site.ledger.records} == {"B"}


def test_a_record_of_the_new_name_is_its_own(applied: World) -> None:
    applied.site.source.put(address("data", "B"), "two")
    world = without_a(applied)
    world.apply()
    world = without_a(applied, moved=(Move("A", "B"),))
    assert world.plan().visible == ()


def test_a_removed_algorithm_is_forgotten_with_that_reason(applied: World) -> None:
    assert reasons(without_a(applied).plan()) == {NOT_WANTED}
    plan = without_a(applied, removed=("A",)).plan()
    assert reasons(plan) == {"`removed` names it"}
    assert notes(plan) == []


def test_the_plan_says_it_in_words(applied: World) -> None:
    def told(world: World) -> list[str]:
        return [line for line in plan_lines(world.plan(), Redactor().redact) if line.strip().startswith("(")]

    assert told(without_a(applied, moved=(Move("A", "B"),))) == ["      (moved to B, and the platform cannot rename)"] * 4
    assert told(without_a(applied, removed=("A",))) == ["      (`removed` names it)"] * 4
    assert told(without_a(applied)) == []


def test_what_was_removed_is_not_pruned(applied: World) -> None:
    """Without `removed`, --prune deletes it."""
    for removed, action in (((), Action.DELETE), (("A",), Action.FORGET)):
        world = without_a(applied, removed=removed)
        plan = make_plan(world.flow, scene(world.site), world.site.ledger.records, HEADER, Selection(prune=True))
        assert {change.action for change in plan.changes if change.address.algorithm == "A"} == {action}


def test_a_destination_file_is_not_trusted_by_the_record_of_another_name(applied: World) -> None:
    """Size and time of two files may be equal, but only a record of the same file proves its content."""
    item = applied.site.destination.items[address("data")]
    applied.site.destination.items[address("data", "B")] = replace(item, content="two")
    plan = without_a(applied, moved=(Move("A", "B"),)).plan()
    (data,) = (change for change in plan.changes if change.address == address("data", "B"))
    assert data.action is Action.UPDATE


@pytest.mark.parametrize("prune", [False, True])
def test_a_moved_algorithm_stays_if_its_new_name_is_left_out(applied: World, *, prune: bool) -> None:
    world = without_a(applied, moved=(Move("A", "B"),))
    plan = make_plan(world.flow, scene(world.site), world.site.ledger.records, HEADER, Selection(exclude=("B",), prune=prune))
    assert (plan.changes, plan.excluded.left_out) == ((), ("A", "B"))
