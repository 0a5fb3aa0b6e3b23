"""Pinning: which files are read when a plan is saved, and when it is applied."""

from __future__ import annotations

from dataclasses import replace

from fakes.kinds import scene
from worlds import HEADER, World, address, one_algorithm

from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.ports import Side
from algosync.engine.pinning import pinned, with_known_digests
from algosync.engine.plan import make_plan

DATA = address("data")


def again(world: World, saved: Plan) -> Plan:
    return make_plan(world.flow, with_known_digests(scene(world.site), saved.changes), world.site.ledger.records, HEADER)


def pin(world: World, *, stamps: bool = False) -> Plan:
    return pinned(world.plan(), world.flow, scene(world.site), stamps=stamps)


def test_each_file_to_upload_is_read_once() -> None:
    world = one_algorithm("data", "source")
    saved = pin(world)
    (change,) = (c for c in saved.changes if c.address == DATA)
    assert change.after is not None
    assert change.after.digest == world.site.source.items[DATA].digest
    assert world.site.reads == [(Side.SOURCE, DATA)]
    assert again(world, saved) == saved
    assert world.site.reads == [(Side.SOURCE, DATA)]


def test_a_digest_that_its_stamp_proves_is_not_read_again() -> None:
    world = one_algorithm("data")
    world.apply()
    world.site.destination.put(DATA, "three")  # so it is written again, with the recorded content
    saved = pin(world)
    (change,) = saved.changes
    assert (change.action, world.site.reads) == (Action.UPDATE, [])
    assert change.after is not None
    assert change.after.digest == world.site.source.items[DATA].digest


def test_what_is_not_written_is_not_read() -> None:
    world = one_algorithm("data")
    world.apply()
    pin(world)
    assert world.site.reads == []


def test_stamps_are_trusted_if_the_user_says_so() -> None:
    world = one_algorithm("data")
    saved = pin(world, stamps=True)
    assert world.site.reads == []
    assert again(world, saved) == saved


def test_bytes_that_decided_the_plan_are_not_read_again() -> None:
    """Both sides have the file in one size, and nothing is recorded."""
    world = one_algorithm("data")
    world.site.destination.put(DATA, "two")
    saved = pin(world)
    world.site.reads.clear()
    assert again(world, saved) == saved
    assert world.site.reads == []


def test_a_file_with_another_stamp_is_read_as_in_any_plan() -> None:
    world = one_algorithm("data")
    world.site.destination.put(DATA, "two")
    saved = pin(world)
    world.site.reads.clear()
    world.site.source.put(DATA, "six")
    (change,) = again(world, saved).changes
    assert change.after is not None
    assert change.after.digest == world.site.source.items[DATA].digest
    assert world.site.reads == [(Side.SOURCE, DATA)]


def test_a_file_without_a_stamp_is_read_each_time() -> None:
    world = one_algorithm("data")
    saved = pin(world)
    (change,) = saved.changes
    assert change.after is not None
    young = replace(saved, changes=(replace(change, after=replace(change.after, stamp=None)),))
    world.site.reads.clear()
    (found,) = again(world, young).changes
    assert found.after is not None
    assert found.after.digest == change.after.digest
    assert world.site.reads == [(Side.SOURCE, DATA)]
