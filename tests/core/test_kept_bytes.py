"""Which overwritten data files are kept: it depends on the version, the workflow, and the room."""

from __future__ import annotations

import pytest

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import KEPT_OF_ALGORITHM, KEPT_OF_RUN, Plan, PlanHeader, plan_of, targeted, with_kept_bytes
from algosync.core.resource import KindTraits, Resource
from algosync.core.workflow import AlgorithmSpec, Publish, Workflow

KINDS = {"data": KindTraits(is_file=True), "version": KindTraits(publishes=True, needs=frozenset({"data"}))}
GIB = 1 << 30


def file(algorithm: str, name: str, size: int, *, new: bool = False) -> Change:
    address = Address("data", algorithm, name)
    before = None if new else Resource(address, size=size)
    return Change(address, Action.CREATE if new else Action.UPDATE, before, Resource(address, size=1))


def version(algorithm: str, action: Action = Action.UPDATE, *, first: bool = False) -> Change:
    address = Address("version", algorithm)
    return Change(address, action, None if first else Resource(address), Resource(address))


def planned(*changes: Change, restore_data: bool = True, targets: tuple[str, ...] = ()) -> Plan:
    names = dict.fromkeys(change.address.algorithm for change in changes)
    specs = tuple(AlgorithmSpec(name, "python3", publish=Publish(restore_data=restore_data)) for name in names)
    workflow = Workflow("w", "/", specs)
    return with_kept_bytes(targeted(plan_of(workflow, PlanHeader("w", None, "d", "me"), changes, KINDS), targets), workflow)


def keeps(plan: Plan) -> dict[str, object]:
    return {str(c.address): c.details["keep"] for c in plan.changes if "keep" in c.details}


def test_a_file_of_a_published_algorithm_with_a_new_version_is_kept() -> None:
    assert keeps(planned(file("A", "w", 5), version("A"))) == {'data.A["w"]': True}


@pytest.mark.parametrize(
    "changes",
    [
        (file("A", "w", 5, new=True), version("A")),
        (file("A", "w", 5), version("A", first=True)),
        (file("A", "w", 5), version("A", Action.NONE)),
        (file("A", "w", 5), version("A", Action.HOLD)),
        (file("A", "w", 5),),
    ],
    ids=["new file", "never published", "no new version", "held version", "no version"],
)
def test_nothing_is_decided_where_nothing_can_come_back(changes: tuple[Change, ...]) -> None:
    assert keeps(planned(*changes)) == {}


def test_a_target_that_leaves_out_the_version_keeps_nothing() -> None:
    changes = file("A", "w", 5), version("A")
    assert keeps(planned(*changes, targets=('data.A["w"]',))) == {}
    assert keeps(planned(*changes, targets=("version.A",))) == {'data.A["w"]': True}


def test_the_workflow_may_keep_nothing() -> None:
    assert keeps(planned(file("A", "w", 5), version("A"), restore_data=False)) == {'data.A["w"]': False}


def test_an_algorithm_has_room_for_one_gib() -> None:
    assert KEPT_OF_ALGORITHM == GIB
    plan = planned(file("A", "a", GIB - 1), file("A", "b", 2), file("A", "c", 1), file("B", "d", GIB), version("A"), version("B"))
    assert keeps(plan) == {'data.A["a"]': True, 'data.A["b"]': False, 'data.A["c"]': True, 'data.B["d"]': True}


def test_a_run_has_room_for_ten_gib() -> None:
    assert KEPT_OF_RUN == 10 * GIB
    names = [f"A{number}" for number in range(11)]
    plan = planned(*(file(name, "w", GIB) for name in names), *(version(name) for name in names))
    assert list(keeps(plan).values()) == [True] * 10 + [False]


def test_a_file_that_is_only_put_back_is_not_sent() -> None:
    change = file("A", "w", 5)
    back = Change(change.address, change.action, change.before, change.after, details={"put_back_only": True})
    plan = planned(back, version("A"))
    assert (keeps(plan), plan.upload(), plan.live()) == ({}, (0, 0), ())
