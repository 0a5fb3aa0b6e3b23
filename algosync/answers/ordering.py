"""Ordering: lists whose order does not count, arranged so that elements that equal each other have one index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from algosync.answers.difference import Place
from algosync.answers.equality import EXACT, same
from algosync.answers.exact_json import Value, json_text
from algosync.core.testing.case import Tolerance

__all__ = ["Arranged", "matched"]


class Arranged:
    """Two values whose lists have the elements that equal each other first, and then the others.

    Elements that are exactly equal are found by their text. deepdiff pairs elements by distance instead, which is quadratic even if
    nothing differs.
    """

    def __init__(self, expected: Value, got: Value, tolerance: Tolerance) -> None:
        self._tolerance = tolerance
        self._orders: dict[int, list[int]] = {}
        self.expected, self.got = self._arranged(expected, got)

    def original(self, place: Place) -> Place:
        """A place in the answer as it was sent. An element that the answer does not have is at the place of the list."""
        found: list[str | int] = []
        node: Value = self.got
        for part in place:
            if isinstance(node, list) and isinstance(part, int):
                order = self._orders.get(id(node))
                if part >= len(node):
                    break
                found.append(part if order is None else order[part])
                node = node[part]
            else:
                found.append(part)
                node = node.get(str(part)) if isinstance(node, dict) else None
        return tuple(found)

    def _arranged(self, expected: Value, got: Value) -> tuple[Value, Value]:
        if isinstance(expected, dict) and isinstance(got, dict):
            pairs = {name: self._arranged(expected[name], got[name]) for name in expected if name in got}
            return (
                {name: pairs[name][0] if name in pairs else value for name, value in expected.items()},
                {name: pairs[name][1] if name in pairs else value for name, value in got.items()},
            )
        if isinstance(expected, list) and isinstance(got, list):
            return self._lists(expected, got)
        return expected, got

    def _lists(self, expected: list[Value], got: list[Value]) -> tuple[Value, Value]:
        pairs = self._pairs(expected, got)
        used = set(pairs.values())
        wanted = [*pairs, *(at for at in range(len(expected)) if at not in pairs)]
        order = [*pairs.values(), *(at for at in range(len(got)) if at not in used)]
        both = [self._arranged(expected[one], got[other]) for one, other in zip(wanted, order, strict=False)]
        arranged = [*(pair[1] for pair in both), *(got[at] for at in order[len(both) :])]
        self._orders[id(arranged)] = order
        return [*(pair[0] for pair in both), *(expected[at] for at in wanted[len(both) :])], arranged

    def _pairs(self, expected: Sequence[Value], got: Sequence[Value]) -> dict[int, int]:
        """Indices of expected elements, each with that of an element that equals it."""
        if self._tolerance != EXACT:
            return matched(expected, got, self._equal)
        by_text: dict[str, list[int]] = defaultdict(list)
        for at in reversed(range(len(got))):
            by_text[_unordered_text(got[at])].append(at)
        return {at: places.pop() for at, one in enumerate(expected) if (places := by_text[_unordered_text(one)])}

    def _equal(self, expected: Value, got: Value) -> bool:
        both = Arranged(expected, got, self._tolerance)
        return same(both.expected, both.got, self._tolerance)


def matched(expected: Sequence[Value], got: Sequence[Value], fits: Callable[[Value, Value], bool]) -> dict[int, int]:
    """As many pairs of indices as possible, such that the elements fit and each is used once (augmenting paths)."""
    fitting = [[at for at, other in enumerate(got) if fits(one, other)] for one in expected]
    owner: dict[int, int] = {}

    def placed(one: int, seen: set[int]) -> bool:
        for at in fitting[one]:
            if at not in seen:
                seen.add(at)
                if at not in owner or placed(owner[at], seen):
                    owner[at] = one
                    return True
        return False

    for one in range(len(expected)):
        placed(one, set())
    return {one: at for at, one in sorted(owner.items(), key=lambda pair: pair[1])}


def _unordered_text(value: Value) -> str:
    """Equal for values that are equal without regard to order."""
    return json_text(_sorted(value))


def _sorted(value: Value) -> Value:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted((_sorted(one) for one in value), key=json_text)
    return value
