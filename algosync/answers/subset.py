"""Subset: whether an answer contains an expected value, at any depth. deepdiff has nothing for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from algosync.answers.difference import ABSENT, Place, ValueDifference
from algosync.answers.equality import same_leaf
from algosync.answers.exact_json import Value
from algosync.answers.ordering import matched
from algosync.core.testing.case import Tolerance

__all__ = ["Subset"]


class Subset:
    """An object contains another one if it has its members, and their values contain the expected ones.

    A list contains another one if it has elements that contain the expected ones: in the same order, if that counts, and each only
    once. Anything else contains what it equals.
    """

    def __init__(self, tolerance: Tolerance, *, ignore_order: bool) -> None:
        self._tolerance = tolerance
        self._ignore_order = ignore_order

    def holds(self, expected: Value, got: Value) -> bool:
        return next(self.missing(expected, got), None) is None

    def missing(self, expected: Value, got: Value, place: Place = ()) -> Iterator[ValueDifference]:
        """What the value does not contain. Where order counts, the cost is linear in the size of the answer."""
        if isinstance(expected, dict) and isinstance(got, dict):
            for name, value in expected.items():
                if name in got:
                    yield from self.missing(value, got[name], (*place, name))
                else:
                    yield ValueDifference((*place, name), value, ABSENT)
        elif isinstance(expected, list) and isinstance(got, list):
            yield from self._missing_elements(expected, got, place)
        elif isinstance(expected, (dict, list)) or not same_leaf(expected, got, self._tolerance):
            yield ValueDifference(place, expected, got)

    def _missing_elements(self, expected: Sequence[Value], got: Sequence[Value], place: Place) -> Iterator[ValueDifference]:
        pairs = matched(expected, got, self.holds) if self._ignore_order else self._in_order(expected, got)
        missing = [at for at in range(len(expected)) if at not in pairs]
        if not missing:
            return
        if len(expected) == len(got):
            free = set(pairs.values()) if self._ignore_order else set()
            partners = [at for at in range(len(got)) if at not in free]
            for one, at in zip(missing if self._ignore_order else range(len(expected)), partners, strict=True):
                yield from self.missing(expected[one], got[at], (*place, at))
        elif self._ignore_order:
            for one in missing:
                yield ValueDifference(place, expected[one], ABSENT, "no other element of the list contains this one")
        else:
            yield ValueDifference(place, expected[missing[0]], ABSENT, f"no element contains this one{_behind(pairs)}")

    def _in_order(self, expected: Sequence[Value], got: Sequence[Value]) -> dict[int, int]:
        """Each expected element with the first one that contains it, behind those before. If one is missing, so is the rest."""
        pairs: dict[int, int] = {}
        for at, one in enumerate(got):
            if len(pairs) < len(expected) and self.holds(expected[len(pairs)], one):
                pairs[len(pairs)] = at
        return pairs


def _behind(pairs: dict[int, int]) -> str:
    return f", behind element {max(pairs.values())}" if pairs else ""
