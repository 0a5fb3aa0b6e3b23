"""Guards: which plans they refuse, by numbers and by records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.guards import FOREIGN_COMMIT, PREVENT_DESTROY, Guard, Situation, exceeds, guarded
from algosync.core.planning.plan import Plan, PlanHeader, live_untested, targeted
from algosync.core.planning.target import Mode
from algosync.core.resource import Json, KindTraits, Record, Resource
from algosync.core.workflow import AlgorithmSpec, GuardLimits, Workflow

HEADER = PlanHeader("w", None, "local", "me")
GREETER = Address("algorithm", "Greeter")


def data(number: int) -> Address:
    return Address("data", "Greeter", f"{number:02}.bin")


def record(address: Address, private: Mapping[str, Json] | None = None) -> Record:
    return Record(address, "d", "s", "t", private=private or {})


def change(address: Address, action: Action, *, drifted: bool = False) -> Change:
    after = None if action in (Action.DELETE, Action.FORGET) else Resource(address)
    return Change(address, action, Resource(address), after, drifted=drifted)


def workflow(limits: GuardLimits | None = None, *specs: AlgorithmSpec) -> Workflow:
    return Workflow("w", "/", specs, guards=limits or GuardLimits())


def refused(changes: Iterable[Change], situation: Situation, mode: Mode = Mode.APPLY) -> list[str]:
    return [refusal.guard for refusal in guarded(Plan(HEADER, tuple(changes), (), mode=mode), situation).refusals]


def many(action: Action, percent: int, existing: int, *, drifted: bool) -> tuple[list[Change], dict[Address, Record], int]:
    """Changes of at least `percent` of the resources, or one less than that where it is 29 %."""
    count = existing * percent // 100 if percent != 31 else existing * 30 // 100 + 1
    changes = [change(data(n), action, drifted=drifted) for n in range(count)]
    rest = [change(data(n), Action.NONE) for n in range(count, existing)]
    return [*changes, *rest], {data(n): record(data(n)) for n in range(existing)}, count


@pytest.mark.parametrize("existing", [9, 10, 11])
@pytest.mark.parametrize("percent", [0, 29, 30, 31, 100])
def test_more_than_thirty_percent_of_at_least_ten_is_refused(percent: int, existing: int) -> None:
    too_many = existing >= 10 and percent > 30
    for action, guard in ((Action.DELETE, Guard.DELETES), (Action.UPDATE, Guard.OVERWRITES)):
        changes, recorded, count = many(action, percent, existing, drifted=action is Action.UPDATE)
        assert refused(changes, Situation(workflow(), recorded)) == ([guard.value] if too_many else [])
        assert exceeds(count, existing, 30) is too_many


@pytest.mark.parametrize(
    ("limit", "count", "expected"), [(0, 1, True), (0, 0, False), (50, 5, False), (50, 6, True), (100, 10, False)]
)
def test_the_workflow_sets_the_limit(limit: int, count: int, expected: bool) -> None:
    changes = [change(data(n), Action.DELETE if n < count else Action.NONE) for n in range(10)]
    recorded = {data(n): record(data(n)) for n in range(10)}
    assert refused(changes, Situation(workflow(GuardLimits(max_deletes=limit)), recorded)) == (["deletes"] if expected else [])


def test_the_message_has_the_numbers_the_key_and_the_flag() -> None:
    changes, recorded, _ = many(Action.DELETE, 31, 11, drifted=False)
    (refusal,) = guarded(Plan(HEADER, tuple(changes), ()), Situation(workflow(), recorded)).refusals
    assert refusal.message == "the plan deletes 4 of 11 recorded resources (36.4%); at most 30% are allowed"
    assert "`guards: {max_deletes: …%}`" in refusal.hint
    assert "--allow deletes" in refusal.hint


def test_what_is_allowed_is_not_refused() -> None:
    changes, recorded, _ = many(Action.DELETE, 100, 10, drifted=False)
    assert refused(changes, Situation(workflow(), recorded, allowed={Guard.DELETES})) == []
    assert refused(changes, Situation(workflow(), recorded, allowed={Guard.OVERWRITES})) == ["deletes"]


def test_a_plan_that_destroys_has_no_threshold() -> None:
    changes, recorded, _ = many(Action.DELETE, 100, 11, drifted=False)
    assert refused(changes, Situation(workflow(), recorded), Mode.DESTROY) == []


def test_overwriting_what_did_not_drift_and_what_is_not_recorded_does_not_count() -> None:
    recorded = {data(n): record(data(n)) for n in range(10)}
    ours = [change(data(n), Action.UPDATE) for n in range(10)]
    assert refused(ours, Situation(workflow(), recorded)) == []
    assert refused([change(data(n), Action.UPDATE, drifted=True) for n in range(10)], Situation(workflow(), {})) == []


def test_deleting_what_somebody_changed_is_refused() -> None:
    situation = Situation(workflow(), {data(0): record(data(0))})
    assert refused([change(data(0), Action.DELETE, drifted=True)], situation) == ["drifted"]
    assert refused([change(data(0), Action.FORGET, drifted=True)], situation) == []


PROTECTED = record(GREETER, {PREVENT_DESTROY: True})


@pytest.mark.parametrize(
    ("specs", "recorded", "action", "expected"),
    [
        ((), PROTECTED, Action.DELETE, True),
        ((), PROTECTED, Action.FORGET, True),
        ((), record(GREETER), Action.DELETE, False),
        ((), record(GREETER), Action.FORGET, False),
        ((AlgorithmSpec("Greeter", "python3", prevent_destroy=True),), record(GREETER), Action.DELETE, True),
        ((AlgorithmSpec("Greeter", "python3"),), PROTECTED, Action.DELETE, False),
        ((AlgorithmSpec("Greeter", "python3", prevent_destroy=True),), PROTECTED, Action.UPDATE, False),
    ],
)
def test_a_protected_algorithm_is_neither_deleted_nor_forgotten(
    specs: tuple[AlgorithmSpec, ...], recorded: Record, action: Action, expected: bool
) -> None:
    situation = Situation(workflow(None, *specs), {GREETER: recorded})
    assert refused([change(GREETER, action)], situation) == (["protected"] if expected else [])


def test_a_data_file_of_a_protected_algorithm_may_be_forgotten_and_not_deleted() -> None:
    situation = Situation(workflow(None, AlgorithmSpec("Greeter", "python3", prevent_destroy=True)), {GREETER: PROTECTED})
    assert refused([change(data(0), Action.FORGET)], situation) == []
    assert refused([change(data(0), Action.DELETE)], situation) == ["protected"]


@pytest.mark.parametrize(("action", "expected"), [(Action.UPDATE, ["adopt"]), (Action.ADOPT, []), (Action.CREATE, [])])
def test_an_algorithm_of_others_is_not_overwritten(action: Action, expected: list[str]) -> None:
    changes = [replace(change(GREETER, action), details={FOREIGN_COMMIT: "1a2b3c of Somebody <x@y>"})]
    assert refused(changes, Situation(workflow(), {})) == expected


@pytest.mark.parametrize(("action", "expected"), [(Action.CREATE, ["same-cluster"]), (Action.NONE, [])])
def test_a_plan_that_writes_to_its_own_source_is_refused(action: Action, expected: list[str]) -> None:
    assert refused([change(GREETER, action)], Situation(workflow(), {}, same_cluster="local, me")) == expected


@pytest.mark.parametrize(
    ("targets", "version", "expected"),
    [
        (("data.*",), Action.UPDATE, ["untested"]),  # the new version is left out
        (("Greeter",), Action.UPDATE, []),
        (("data.*",), Action.NONE, []),  # `publish.on` has no data: no new version is due
    ],
)
def test_data_of_a_published_algorithm_is_not_overwritten_without_its_new_version(
    targets: tuple[str, ...], version: Action, expected: list[str]
) -> None:
    traits = {"data": KindTraits(is_file=True), "version": KindTraits(publishes=True, needs=frozenset({"data"}))}
    changes = (change(data(1), Action.UPDATE), change(Address("version", "Greeter"), version))
    whole = Plan(HEADER, changes, (), depends_on=(("Greeter", ()),), kinds=traits)
    part = targeted(whole, targets)
    part = replace(part, untested_data=live_untested(whole, part))
    assert [refusal.guard for refusal in guarded(part, Situation(workflow(), {})).refusals] == expected
    allowed = Situation(workflow(), {}, allowed=frozenset({Guard.UNTESTED}))
    assert guarded(part, allowed).refusals == ()
