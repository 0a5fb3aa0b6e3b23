"""`moved` together with `--prune`: the old algorithm is deleted after the new one is published, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.kinds import KINDS, scene
from worlds import HEADER, World, address, one_algorithm

from algosync.core.error import AlgosyncError, Denied, TestFailed
from algosync.core.event import StepDone, StepFailed
from algosync.core.planning.change import Action
from algosync.core.planning.moves import keeping_unreplaced
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import Selection, UnknownTarget
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, Move, Workflow
from algosync.engine.plan import make_plan

PRUNE = Selection(prune=True)


@pytest.fixture
def world() -> World:
    """`A` is applied. The workflow has `B` in its place, with a payload and a test."""
    world = one_algorithm()
    world.apply()
    for kind in KINDS:
        world.site.source.items[address(kind, "B")] = world.site.source.items[address(kind)]
    specs = (AlgorithmSpec("B", "python3", tests=(TestCase("", "1"),)),)
    flow = Workflow("w", "/", specs, entrypoint="B", tests=(TestCase("t", "1"),), moved=(Move("A", "B"),))
    return World(flow, world.site)


def planned(world: World, selection: Selection = PRUNE) -> Plan:
    return make_plan(world.flow, scene(world.site), world.site.ledger.records, HEADER, selection)


def deleted(plan: Plan) -> set[str]:
    return {change.address.algorithm for change in plan.changes if change.action is Action.DELETE}


def test_the_old_one_is_deleted_after_the_new_one_is_published(world: World) -> None:
    done = [event.step.key for event in world.apply(planned(world)) if isinstance(event, StepDone)]
    first = next(place for place, key in enumerate(done) if key.startswith("delete"))
    assert done.index("publish version.B") < first
    assert all(key.split()[1].startswith(("algorithm.A", "data.A", "source.A", "version.A")) for key in done[first:])
    assert {a.algorithm for a in world.site.destination.items} == {"B"}
    assert planned(world).visible == ()


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("push source.B", Denied("no")),
        ("build version.B", Denied("no")),
        ("test.B", TestFailed("no")),
        ('test.B["t"]', TestFailed("no")),
        ("publish version.B", Denied("no")),
    ],
)
def test_the_old_one_stays_if_the_new_one_is_not_published(world: World, step: str, error: AlgosyncError) -> None:
    world.site.failures[step] = error
    events = world.apply(planned(world))
    assert [event.step.key for event in events if isinstance(event, StepFailed)] == [step]
    assert {address(kind) for kind in KINDS} <= set(world.site.destination.items)
    assert {address(kind) for kind in KINDS} <= set(world.site.ledger.records)
    world.site.failures.clear()
    world.apply(planned(world))
    assert {a.algorithm for a in world.site.destination.items} == {"B"}


@pytest.mark.parametrize("target", ["A", "version.A", "algorithm.A"])
def test_a_target_does_not_delete_the_old_one_alone(world: World, target: str) -> None:
    with pytest.raises(UnknownTarget, match="A stays until B, which takes its place, is published") as raised:
        planned(world, Selection(prune=True, targets=(target,)))
    assert raised.value.hint == "--target B publishes it; name both to delete A"
    with pytest.raises(UnknownTarget):
        planned(world, Selection(prune=True, targets=(target, "source.B")))
    assert deleted(planned(world, Selection(prune=True, targets=("A", "B")))) == {"A"}
    world.apply(planned(world, Selection(targets=("B",))))
    assert deleted(planned(world, Selection(prune=True, targets=("A",)))) == {"A"}


@pytest.mark.parametrize("exclude", ["version.B", "source.B", 'data.B["w.pb"]'])
def test_the_old_one_stays_while_the_new_version_is_left_out(world: World, exclude: str) -> None:
    plan = planned(world, Selection(prune=True, exclude=(exclude,)))
    assert deleted(plan) == set()
    assert "A" in plan.excluded.left_out
    assert [note for _, note in plan.notes()] == ["A is not deleted before this algorithm is published"]
    world.apply(plan)
    assert {address(kind) for kind in KINDS} <= set(world.site.ledger.records)
    world.apply(planned(world))
    assert {a.algorithm for a in world.site.destination.items} == {"B"}


def test_the_old_one_stays_while_the_new_version_is_held(world: World) -> None:
    whole = planned(world)
    (version,) = (change for change in whole.versions if change.address.algorithm == "B")
    held = replace(whole, changes=tuple(replace(c, action=Action.HOLD) if c == version else c for c in whole.changes))
    assert deleted(keeping_unreplaced(whole, whole, world.flow, {})) == {"A"}
    assert deleted(keeping_unreplaced(held, held, world.flow, {})) == set()
