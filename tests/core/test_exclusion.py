"""What `--exclude` leaves out: resources, what is built on them, and the algorithms that depend on them."""

from __future__ import annotations

import pytest

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.exclusion import excluding, left_out_algorithms
from algosync.core.planning.plan import Check, Plan, PlanHeader
from algosync.core.planning.target import Mode, Selection, UnknownTarget
from algosync.core.resource import KindTraits, Resource
from algosync.core.testing.case import TestCase

KINDS = {
    "algorithm": KindTraits(),
    "data": KindTraits(is_file=True),
    "source": KindTraits(needs=frozenset({"algorithm", "data"}), deleted_with="algorithm"),
    "version": KindTraits(needs=frozenset({"algorithm", "data", "source"}), publishes=True, deleted_with="algorithm"),
}
DEPENDS_ON: dict[str, tuple[str, ...]] = {"A": (), "B": ("A",), "C": ("B",), "D": ()}


def address(kind: str, algorithm: str) -> Address:
    return Address(kind, algorithm, "w" if kind == "data" else None)


def plan(mode: Mode = Mode.APPLY) -> Plan:
    action = Action.DELETE if mode is Mode.DESTROY else Action.UPDATE
    names = [address(kind, name) for name in DEPENDS_ON for kind in KINDS]
    changes = tuple(Change(a, action, Resource(a), None if action is Action.DELETE else Resource(a)) for a in names)
    checks = tuple(Check(Address("test", name), TestCase("", "1", 1), of_algorithm=True, candidate=True) for name in DEPENDS_ON)
    return Plan(PlanHeader("w", None, "local", "me"), changes, checks, tuple(DEPENDS_ON.items()), kinds=KINDS, mode=mode)


def kept(*patterns: str, mode: Mode = Mode.APPLY) -> tuple[set[str], tuple[str, ...]]:
    """The addresses that are left, and the names of what is not."""
    algorithms = left_out_algorithms(
        Selection(exclude=patterns, mode=mode), DEPENDS_ON, [address("source", name) for name in DEPENDS_ON]
    )
    found = excluding(plan(mode), patterns, algorithms)
    return {str(change.address) for change in found.changes}, found.excluded.left_out


def of(*algorithms: str) -> set[str]:
    return {str(address(kind, name)) for name in algorithms for kind in KINDS}


@pytest.mark.parametrize(
    ("pattern", "left", "left_out"),
    [
        ("A", of("D"), ("A", "B", "C")),
        ("B", of("A", "D"), ("B", "C")),
        ("[AB]", of("D"), ("A", "B", "C")),
        ("D", of("A", "B", "C"), ("D",)),
        ("version.C", of("A", "B", "C", "D") - {"version.C"}, ("version.C",)),
        ("version.B", of("A", "D") | of("B") - {"version.B"}, ("C", "version.B")),
        ('data.C["w"]', of("A", "B", "D") | {"algorithm.C"}, ('data.C["w"]', "source.C", "version.C")),
        ("source.D", of("A", "B", "C", "D") - {"source.D", "version.D"}, ("source.D", "version.D")),
    ],
)
def test_what_depends_on_it_is_left_out_too(pattern: str, left: set[str], left_out: tuple[str, ...]) -> None:
    found, names = kept(pattern)
    assert found == left
    assert tuple(name for name in names if not name.startswith("test.")) == left_out


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("C", of("D")),
        ("A", of("B", "C", "D")),
        ("version.C", of("D")),
        ('data.C["w"]', of("A", "B", "C", "D") - {'data.C["w"]'}),
    ],
)
def test_a_plan_that_destroys_leaves_out_what_it_depends_on(pattern: str, left: set[str]) -> None:
    assert kept(pattern, mode=Mode.DESTROY)[0] == left


def test_a_plan_that_destroys_leaves_out_only_what_is_recorded() -> None:
    assert left_out_algorithms(Selection(exclude=("D",), mode=Mode.DESTROY), DEPENDS_ON, []) == set()
    assert left_out_algorithms(Selection(exclude=("D",), mode=Mode.DESTROY), DEPENDS_ON, [address("source", "D")]) == {"D"}


def test_a_test_is_left_out_alone() -> None:
    found = excluding(plan(), ("test.A",), ())
    assert [str(check.address) for check in found.checks] == ["test.B", "test.C", "test.D"]
    assert len(found.changes) == len(plan().changes)
    assert found.excluded.left_out == ("test.A",)


def test_a_version_that_is_left_out_is_tested_as_published() -> None:
    found = excluding(plan(), ("version.D",), ())
    (check,) = (check for check in found.checks if check.address.algorithm == "D")
    assert check.candidate is False


def test_a_name_that_nothing_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownTarget) as caught:
        excluding(plan(), ("source.a",), ())
    assert caught.value.hint == "did you mean source.A?"


def test_a_data_file_may_be_named_by_a_glob_of_its_algorithm() -> None:
    assert 'data.A["w"]' in kept('data.[AD]["w"]')[1]
    assert kept('data.*["w"]', mode=Mode.REFRESH)[0] == of("A", "B", "C", "D") - {f'data.{name}["w"]' for name in DEPENDS_ON}
