"""Import: records what the destination has, and changes nothing there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.kinds import KINDS, scene
from worlds import HEADER, World, address, one_algorithm

from algosync.core.error import NotFound, Several
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import Selection, UnknownTarget
from algosync.core.resource import Record
from algosync.engine.adopt import Adopted, adopt
from algosync.engine.drift import find_drift
from algosync.engine.plan import make_plan


def there(*kinds: str, content: str = "two") -> World:
    """The source has everything, and the destination has these kinds, with other content of the same size."""
    world = one_algorithm()
    for kind in kinds:
        world.site.destination.put(address(kind), content)
    return world


def importing(world: World, *patterns: str) -> Adopted:
    return adopt(world.plan(), world.flow, scene(world.site), world.site.ledger, patterns)


def actions(plan: Plan) -> dict[str, tuple[Action, bool]]:
    return {change.address.kind: (change.action, change.drifted) for change in plan.changes}


def test_everything_that_is_there_is_recorded_as_it_is() -> None:
    world = there("algorithm", "data")
    items = dict(world.site.destination.items)
    assert importing(world) == Adopted((address("algorithm"), address("data")), (), ())
    assert world.site.destination.items == items
    assert world.site.ledger.wrote is False
    record = world.site.ledger.records[address("data")]
    item = items[address("data")]
    assert (record.digest, record.destination_stamp, record.source_stamp) == (item.digest, item.stamp, None)


def test_the_next_plan_changes_it_and_blames_nobody() -> None:
    world = there(*KINDS)
    importing(world)
    assert actions(world.plan()) == dict.fromkeys(KINDS, (Action.UPDATE, False))


def test_what_is_equal_needs_no_change_afterwards() -> None:
    world = there(*KINDS, content="one")
    importing(world)
    assert actions(world.plan()) == dict.fromkeys(KINDS, (Action.NONE, False))


@pytest.mark.parametrize("content", ["one", "two", "three"])
def test_there_is_no_drift_right_after_an_import(content: str) -> None:
    world = there(*KINDS, content=content)
    importing(world)
    assert find_drift(world.flow, scene(world.site), world.site.ledger.records) == ()


@pytest.mark.parametrize("pattern", ["data.A[*", 'data.A["w.pb"]'])
def test_only_what_is_named_is_recorded(pattern: str) -> None:
    world = there(*KINDS)
    assert importing(world, pattern).imported == (address("data"),)
    assert list(world.site.ledger.records) == [address("data")]


def test_a_name_means_all_of_the_algorithm_that_is_there() -> None:
    world = there("algorithm", "source")
    assert importing(world, "A").imported == (address("algorithm"), address("source"))


def test_a_record_stays_as_it_is() -> None:
    world = there("algorithm", "data")
    record = Record(address("data"), "digest", "source", "destination", 3)
    world.site.ledger.commit(record)
    assert importing(world) == Adopted((address("algorithm"),), (address("data"),), ())
    assert world.site.ledger.records[address("data")] == record


@pytest.mark.parametrize(
    ("pattern", "hint"), [('data.A["v.pb"]', 'the nearest there is data.A["w.pb"]'), ("source.*", "algosync apply creates it")]
)
def test_what_is_not_there_is_refused(pattern: str, hint: str) -> None:
    world = there("algorithm", "data")
    world.site.source.put(replace(address("data"), name="v.pb"), "one")
    with pytest.raises(NotFound) as refused:
        importing(world, 'data.A["w.pb"]', pattern)
    assert refused.value.message == f"{pattern} is not at the destination, so it cannot be imported"
    assert refused.value.hint == hint
    assert not world.site.ledger.records


def test_every_refusal_is_told() -> None:
    with pytest.raises(Several) as refused:
        importing(there("data"), "source.A", "version.A")
    assert len(refused.value.errors) == 2


def test_what_the_workflow_does_not_have_is_refused() -> None:
    world = there("data", "algorithm")
    world.site.destination.put(replace(address("data"), name="other"), "one")
    with pytest.raises(UnknownTarget) as refused:
        importing(world, "algorithm.A", 'data.A["other"]')
    assert refused.value.hint is not None
    assert not world.site.ledger.records


def test_a_plan_of_some_targets_imports_these() -> None:
    world = there(*KINDS)
    plan = make_plan(world.flow, scene(world.site), {}, HEADER, Selection(("source.A",)))
    adopted = adopt(plan, world.flow, scene(world.site), world.site.ledger, ("source.A",))
    assert adopted.imported == (address("source"),)
