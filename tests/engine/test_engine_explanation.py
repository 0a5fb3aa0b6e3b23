"""Explanations: the reason of each change, from a closed list, and the facts that decide it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.kinds import scene
from worlds import HEADER, World, address, one_algorithm, workflow

import algosync.cli
from algosync.core.planning.change import Action, Change
from algosync.core.planning.explanation import DATA_CHANGES, DATA_WRITTEN, Explanation, Reason, explanations, reason_of
from algosync.core.planning.target import Selection, UnknownTarget
from algosync.core.resource import SENSITIVE, Record, Resource
from algosync.core.workflow import AlgorithmSpec
from algosync.engine.plan import make_plan

DATA = address("data")


def applied() -> World:
    world = one_algorithm("data")
    world.apply()
    return world


def explained(world: World) -> Explanation:
    (found,) = explanations(world.plan(), world.site.ledger.records, [str(DATA)])
    return found


def test_what_is_new_equal_or_vanished() -> None:
    world = one_algorithm("data")
    assert explained(world).reason is Reason.NEW
    world.apply()
    assert explained(world).reason is Reason.EQUAL
    del world.site.destination.items[DATA]
    assert explained(world).reason is Reason.VANISHED


def test_which_side_has_changed() -> None:
    world = applied()
    world.site.source.put(DATA, "two")
    assert explained(world).reason is Reason.SOURCE_CHANGED
    world.site.destination.put(DATA, "three")
    assert explained(world).reason is Reason.BOTH_CHANGED
    world = applied()
    world.site.destination.put(DATA, "three")
    assert explained(world).reason is Reason.DESTINATION_CHANGED
    world.site.destination.put(DATA, "one")
    assert explained(world).reason is Reason.RECORD_OUTDATED


def test_what_is_not_recorded() -> None:
    world = one_algorithm("data")
    world.site.destination.put(DATA, "one")
    assert explained(world).reason is Reason.ALREADY_THERE
    world.site.destination.put(DATA, "two")
    assert explained(world).reason is Reason.NOT_RECORDED


def test_what_left_the_workflow() -> None:
    world = applied()
    left = World(workflow(AlgorithmSpec("B", "python3")), world.site)
    assert explained(left).reason is Reason.NOT_IN_WORKFLOW


def test_what_is_replaced() -> None:
    world = applied()
    traits = replace(scene(world.site).kinds["data"].TRAITS, replaceable=True)
    kinds = {**scene(world.site).kinds}
    kinds["data"].TRAITS, before = traits, kinds["data"].TRAITS
    try:
        plan = make_plan(world.flow, scene(world.site), world.site.ledger.records, HEADER, Selection(replace=(str(DATA),)))
    finally:
        kinds["data"].TRAITS = before
    (change,) = plan.changes
    assert reason_of(change, world.site.ledger.records[DATA]) is Reason.REPLACE


HERE = Resource(DATA, stamp="s", digest="d")
RECORD = Record(DATA, "d", "s", "t")


@pytest.mark.parametrize(
    ("change", "record", "reason"),
    [
        (Change(DATA, Action.HOLD, HERE, HERE), RECORD, Reason.TEST_FAILED),
        (Change(DATA, Action.UPDATE, HERE, HERE, reason=DATA_CHANGES), RECORD, Reason.DATA_CHANGES),
        (Change(DATA, Action.UPDATE, HERE, HERE, reason=DATA_WRITTEN), RECORD, Reason.DATA_WRITTEN),
        (Change(DATA, Action.UPDATE, HERE, HERE, details={"renewed_by": ["data"]}), RECORD, Reason.DATA_CHANGES),
        (Change(DATA, Action.UPDATE, HERE, HERE), RECORD, Reason.UNFINISHED),
        (Change(DATA, Action.UPDATE, HERE, Resource(DATA, stamp="s")), RECORD, Reason.UNFINISHED),
        (Change(DATA, Action.UPDATE, HERE, Resource(DATA, stamp="s2")), RECORD, Reason.SOURCE_CHANGED),
        (Change(DATA, Action.UPDATE, HERE, Resource(DATA, digest="d2")), RECORD, Reason.SOURCE_CHANGED),
        (Change(DATA, Action.UPDATE, HERE, HERE, drifted=True), replace(RECORD, digest=SENSITIVE), Reason.DESTINATION_CHANGED),
        (Change(DATA, Action.UPDATE, HERE, HERE), replace(RECORD, digest=SENSITIVE), Reason.SOURCE_CHANGED),
    ],
)
def test_reasons_that_only_a_kind_or_a_record_tells(change: Change, record: Record, reason: Reason) -> None:
    assert reason_of(change, record) is reason


def test_a_digest_tells_where_it_comes_from() -> None:
    world = applied()
    assert [side and side.digest_from for side in (explained(world).change.after, explained(world).change.before)] == ["record"] * 2
    world.site.source.put(DATA, "two")
    change = explained(world).change
    assert [side and side.digest_from for side in (change.after, change.before)] == ["read now", "record"]


def test_a_pattern_may_be_an_address_an_algorithm_or_a_glob() -> None:
    world = one_algorithm("data", "source")
    plan = world.plan()

    def named(*patterns: str) -> list[str]:
        return [str(each.change.address) for each in explanations(plan, {}, patterns)]

    assert named("A") == named("*") == [str(DATA), "source.A"]
    assert named("data.*", str(DATA)) == [str(DATA)]
    assert named() == []
    with pytest.raises(UnknownTarget, match=r"nothing in this workflow is called sorce\.A") as caught:
        named("data.*", "sorce.A")
    assert caught.value.hint is not None


def test_every_reason_is_told_in_the_manual() -> None:
    manual = (Path(algosync.cli.__file__).parent / "README.md").read_text()
    rows = manual.partition("| reason | |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert rows == [f"| `{reason.value}` | {reason.sentence} |" for reason in Reason]
