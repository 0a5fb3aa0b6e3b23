"""What every kind promises to the engine. A kind is added to the suite by one line in `CASES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fakes import kinds
from kind_case import KindCase
from release_case import algorithm_case, data_case, source_case

from algosync.core.address import Address
from algosync.core.event import Note, Progress
from algosync.core.planning.change import Action
from algosync.core.planning.schedule import PHASES
from algosync.core.ports import Side
from algosync.core.workflow import AlgorithmSpec


def fake(name: str) -> KindCase[kinds.FakeSite]:
    site, address = kinds.FakeSite(), Address(name, "A", "w" if name == "data" else None)
    site.source.put(address, "first")
    return KindCase(
        name,
        kinds.KINDS[name],
        site,
        AlgorithmSpec("A", "python3"),
        site.ledger,
        edit=lambda: site.source.put(address, "second one"),
        tamper=lambda: site.destination.put(address, "theirs"),
    )


CASES: Mapping[str, Callable[[], KindCase[Any]]] = {
    "fake algorithm": lambda: fake("algorithm"),
    "fake data": lambda: fake("data"),
    "fake source": lambda: fake("source"),
    "fake version": lambda: fake("version"),
    "algorithm": algorithm_case,
    "data": data_case,
    "source": source_case,
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> KindCase[Any]:
    return CASES[request.param]()


def test_lists_name_resources_of_this_kind_and_algorithm_only(case: KindCase[Any]) -> None:
    case.carry_out(case.changes())
    for listed in (case.desired(), case.observed()):
        assert {(a.kind, a.algorithm) for a in listed} == {(case.name, case.spec.name)}


def test_what_is_only_at_the_source_is_to_be_created(case: KindCase[Any]) -> None:
    assert case.observed() == {}
    assert {c.action for c in case.changes()} == {Action.CREATE}


def test_verbs_are_in_the_order_of_their_phases(case: KindCase[Any]) -> None:
    for change in case.changes():
        phases = [PHASES[verb] for verb in case.kind.verbs(change)]
        assert phases
        assert phases == sorted(phases)


def test_after_all_steps_nothing_is_left_to_do(case: KindCase[Any]) -> None:
    case.carry_out(case.changes())
    assert {c.action for c in case.changes()} == {Action.NONE}


def test_a_record_holds_the_stamps_of_both_sides_and_the_digest_that_both_have(case: KindCase[Any]) -> None:
    case.carry_out(case.changes())
    desired, observed = case.desired(), case.observed()
    for address, record in case.ledger.records.items():
        assert record.source_stamp == desired[address].stamp
        assert record.destination_stamp == observed[address].stamp
        for side, found in ((Side.SOURCE, desired[address]), (Side.DESTINATION, observed[address])):
            assert case.kind.read(found, side, case.spec, case.site).digest == record.digest


def test_reading_adds_a_digest_and_changes_no_identity(case: KindCase[Any]) -> None:
    for listed in case.desired().values():
        read = case.kind.read(listed, Side.SOURCE, case.spec, case.site)
        assert read.digest is not None
        assert (read.address, read.stamp) == (listed.address, listed.stamp)


def test_an_edit_at_the_source_is_an_update_that_is_nobodys_drift(case: KindCase[Any]) -> None:
    case.carry_out(case.changes())
    case.edit()
    changes = case.changes()
    assert [(c.action, c.drifted) for c in changes] == [(Action.UPDATE, False)]
    case.carry_out(changes)
    assert {c.action for c in case.changes()} == {Action.NONE}


def test_an_edit_at_the_destination_is_drift_and_is_undone(case: KindCase[Any]) -> None:
    case.carry_out(case.changes())
    case.tamper()
    changes = case.changes()
    assert [(c.action, c.drifted) for c in changes] == [(Action.UPDATE, True)]
    case.carry_out(changes)
    assert {c.action for c in case.changes()} == {Action.NONE}


def test_explaining_adds_details_only(case: KindCase[Any]) -> None:
    for change in case.changes():
        explained = case.kind.explain(change, case.spec, case.site)
        assert (explained.address, explained.action, explained.before, explained.after, explained.drifted) == (
            change.address,
            change.action,
            change.before,
            change.after,
            change.drifted,
        )


def test_what_a_step_tells_is_about_that_step(case: KindCase[Any]) -> None:
    changes = case.changes()
    for event in case.carry_out(changes):
        assert isinstance(event, (Note, Progress))
        assert event.step.address in {c.address for c in changes}


def test_every_write_is_announced_to_the_ledger(case: KindCase[Any]) -> None:
    assert case.ledger.wrote is False
    case.carry_out(case.changes())
    assert case.ledger.wrote is True
