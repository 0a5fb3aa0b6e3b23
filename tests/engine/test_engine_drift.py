"""Drift: the destination against the record, without the source."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.kinds import scene
from worlds import World, address, one_algorithm, workflow

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied, SourceError, Unreachable
from algosync.core.planning.change import Drift, Finding
from algosync.core.ports import Side
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.engine.drift import find_drift, in_progress, managed_by

DATA, SOURCE = address("data"), address("source")


@pytest.fixture
def world() -> World:
    """Applied, and the source is out of reach since."""
    made = one_algorithm()
    made.apply()
    made.site.unreadable = {(Side.SOURCE, kind): SourceError("out of reach") for kind in ("algorithm", "data", "source", "version")}
    return made


def found(world: World) -> dict[Address, Finding]:
    findings = find_drift(world.flow, scene(world.site), world.site.ledger.records)
    assert [f.address for f in findings] == sorted(f.address for f in findings)
    return {finding.address: finding for finding in findings}


def test_what_was_left_as_it_was_is_no_drift(world: World) -> None:
    assert found(world) == {}
    assert world.site.reads == []


@pytest.mark.parametrize(("content", "read"), [("two", True), ("three", False)])
def test_other_content_is_drift_and_is_read_only_if_its_size_is_the_same(world: World, content: str, read: bool) -> None:
    world.site.destination.put(DATA, content)
    (finding,) = found(world).values()
    assert (finding.address, finding.drift) == (DATA, Drift.CHANGED)
    assert finding.before is not None
    assert finding.before.digest == world.site.ledger.records[DATA].digest
    assert world.site.reads == ([(Side.DESTINATION, DATA)] if read else [])


def test_the_same_content_written_again_is_no_drift(world: World) -> None:
    world.site.destination.put(DATA, "one")
    assert found(world) == {}


def test_what_is_gone_is_missing(world: World) -> None:
    del world.site.destination.items[SOURCE]
    assert {a: f.drift for a, f in found(world).items()} == {SOURCE: Drift.MISSING}


def test_what_nobody_recorded_is_unmanaged(world: World) -> None:
    theirs = Address("data", "A", "theirs")
    world.site.destination.put(theirs, "x")
    assert {a: f.drift for a, f in found(world).items()} == {theirs: Drift.UNMANAGED}
    assert found(world)[theirs].in_workflow is False


def test_what_the_workflow_names_and_nobody_recorded_is_marked(world: World) -> None:
    (spec,) = world.flow.algorithms
    named = replace(spec, data_files=(DataFile("data://.my/models/w.pb", "w.pb"),))
    world.flow = replace(world.flow, algorithms=(named,))
    for each in (SOURCE, DATA):
        world.site.ledger.forget(each)
    assert {a: (f.drift, f.in_workflow) for a, f in found(world).items()} == dict.fromkeys((SOURCE, DATA), (Drift.UNMANAGED, True))


def test_what_cannot_be_listed_is_unknown(world: World) -> None:
    world.site.unreadable = {(Side.DESTINATION, "source"): Denied("403")}
    assert {a: (f.drift, f.reason) for a, f in found(world).items()} == {SOURCE: (Drift.UNKNOWN, "403")}


def test_what_cannot_be_read_is_unknown(world: World) -> None:
    world.site.destination.put(DATA, "two")
    world.site.unreadable = {(Side.DESTINATION, DATA): Denied("403")}
    assert {a: (f.drift, f.reason) for a, f in found(world).items()} == {DATA: (Drift.UNKNOWN, "403")}


@pytest.mark.parametrize("where", ["data", DATA])
def test_a_destination_that_does_not_answer_proves_nothing(world: World, where: Address | str) -> None:
    world.site.destination.put(DATA, "two")
    failures: dict[tuple[Side, Address | str], AlgosyncError] = {(Side.DESTINATION, where): Unreachable("no answer")}
    world.site.unreadable = failures
    with pytest.raises(Unreachable):
        found(world)


def test_records_of_algorithms_that_left_the_workflow_are_ignored(world: World) -> None:
    world.site.destination.items.clear()
    assert found(World(workflow(AlgorithmSpec("B", "python3")), world.site)) == {}


def test_an_algorithm_that_was_never_applied_is_neither_looked_at_nor_unmanaged(world: World) -> None:
    world.site.destination.put(address("source", "B"), "theirs")
    wider = World(workflow(*world.flow.algorithms, AlgorithmSpec("B", "python3")), world.site)
    world.site.looks.clear()
    assert found(wider) == {}
    assert set(world.site.looks) == {"A"}
    assert {a.algorithm for a in managed_by(wider.flow, world.site.ledger.records)} == {"A"}
    assert managed_by(workflow(), world.site.ledger.records) == ()


def test_differences_of_what_is_changing_are_in_progress() -> None:
    sorts = {address(kind): drift for kind, drift in zip("abcdef", Drift, strict=False)}
    findings = [Finding(where, drift) for where, drift in sorts.items()]
    now = {f.address: f.drift for f in in_progress(findings, sorts.keys)}
    resources = {Drift.CHANGED, Drift.MISSING, Drift.REWRITTEN, Drift.UNMANAGED}
    assert now == {where: Drift.IN_PROGRESS if drift in resources else drift for where, drift in sorts.items()}
    assert {f.address: f.drift for f in in_progress(findings, set)} == sorts


def test_without_differences_nobody_looks_what_is_changing() -> None:
    def look() -> set[Address]:
        raise AssertionError

    failing = (Finding(DATA, Drift.FAILING), Finding(SOURCE, Drift.UNKNOWN))
    assert in_progress(failing, look) == failing
