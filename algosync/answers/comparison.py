"""Comparison: whether an answer equals an expected value, and where it does not (deepdiff)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, TypeAlias

from algosync.answers.difference import ABSENT, Place, ValueDifference
from algosync.answers.equality import same
from algosync.answers.exact_json import Value
from algosync.answers.excerpt import visible
from algosync.answers.ordering import Arranged
from algosync.core.lean import dataclass
from algosync.core.testing.case import Tolerance

__all__ = ["MOST_DIFFERENCES", "differences"]

Members: TypeAlias = "dict[str | int, Value]"

MOST_DIFFERENCES = 1000
"""deepdiff stops after as many: it takes some 50 µs for each."""


def differences(expected: Value, got: Value, tolerance: Tolerance, *, ignore_order: bool) -> Iterator[ValueDifference]:
    """The places at which the values differ, at most MOST_DIFFERENCES. None: they are equal.

    Lists are compared index by index, so that a place is the same in both.
    """
    if same(expected, got, tolerance):
        return
    arranged = Arranged(expected, got, tolerance) if ignore_order else None
    if arranged is not None:
        expected, got = arranged.expected, arranged.got
        if same(expected, got, tolerance):
            return
    found = _named(expected, got, tolerance) or [ValueDifference((), expected, got)]
    for each in found:
        yield each if arranged is None else replace(each, place=arranged.original(each.place))


def _named(expected: Value, got: Value, tolerance: Tolerance) -> list[ValueDifference]:
    from deepdiff import DeepDiff

    tree = DeepDiff(
        expected,
        got,
        view="tree",
        custom_operators=[_JsonRules(tolerance)],
        ignore_private_variables=False,  # names that begin with `__` count
        threshold_to_diff_deeper=0,  # objects are compared by member however few they share
    )
    found = [_difference(level) for items in tree.values() for level in items]
    return _with_names_alike(sorted(found, key=lambda each: _sortable(each.place))[:MOST_DIFFERENCES])


def _with_names_alike(found: list[ValueDifference]) -> list[ValueDifference]:
    """Notes for members that are expected under a name which looks like one of the answer."""
    shown = {(each.place[:-1], visible(each.place[-1])) for each in found if each.expected is ABSENT}
    return [
        replace(each, note="the answer has another name here, which looks the same")
        if each.got is ABSENT and (each.place[:-1], visible(each.place[-1])) in shown
        else each
        for each in found
    ]


@dataclass(slots=True)
class _JsonRules:
    """An operator of deepdiff: leaves it only pairs of objects, with those members that differ.

    deepdiff itself takes True for 1, compares numbers of different types as texts, makes diffs of texts line by line, and aligns
    lists, which is quadratic and shifts the places. A list becomes an object by index.
    """

    tolerance: Tolerance
    found: int = 0

    def match(self, level: Any) -> bool:  # noqa: ARG002  # deepdiff's interface
        return True

    def give_up_diffing(self, level: Any, diff_instance: Any) -> bool:
        expected, got = level.t1, level.t2
        if self.found >= MOST_DIFFERENCES or same(expected, got, self.tolerance):
            return True
        if any(isinstance(expected, kind) and isinstance(got, kind) for kind in (dict, list)):
            level.t1, level.t2 = self._differing(_members(expected), _members(got))
            return False
        self.found += 1
        diff_instance.custom_report_result("values_changed", level)
        return True

    def _differing(self, expected: Members, got: Members) -> tuple[Members, Members]:
        """The first members that differ or are on one side only."""
        differing = (name for name in {**expected, **got} if not self._agree(name, expected, got))
        names = list(islice(differing, MOST_DIFFERENCES))
        self.found += sum((name in expected) != (name in got) for name in names)
        return {name: expected[name] for name in names if name in expected}, {name: got[name] for name in names if name in got}

    def _agree(self, name: str | int, expected: Members, got: Members) -> bool:
        return name in expected and name in got and same(expected[name], got[name], self.tolerance)


def _members(value: dict[str, Value] | list[Value]) -> Members:
    pairs: Iterable[tuple[str | int, Value]] = value.items() if isinstance(value, dict) else enumerate(value)
    return dict(pairs)


def _difference(level: Any) -> ValueDifference:
    place = tuple(level.path(output_format="list"))
    return ValueDifference(place, _side(level.t1), _side(level.t2))


def _side(value: Any) -> Any:
    return ABSENT if type(value).__name__ == "NotPresent" else value


def _sortable(place: Place) -> list[tuple[bool, str | int]]:
    return [(isinstance(part, str), part) for part in place]
