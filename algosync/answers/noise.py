"""Noise: the places at which two answers to one payload differ although the same algorithm gave them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from algosync.answers.difference import ABSENT, Place, ValueDifference
from algosync.answers.exact_json import Value
from algosync.core.lean import dataclass

__all__ = ["Noise", "is_length"]

_ANY = -1  # an index of a place: every element


def is_length(difference: ValueDifference) -> bool:
    """Whether one of two lists has an element at the end that the other one has not."""
    place = difference.place
    return ABSENT in (difference.expected, difference.got) and bool(place) and isinstance(place[-1], int)


@dataclass(slots=True)
class _Spot:
    """A place and those below it. `hidden`: its value does not count. `absent`: nor does it whether the member is there.

    `length`: elements of the list from this index on do not count, and neither does whether they are there.
    """

    below: dict[str | int, _Spot] = field(default_factory=dict)
    hidden: bool = False
    absent: bool = False
    length: int | None = None

    def masked(self, value: Value) -> Value:
        if self.hidden:
            return None
        if isinstance(value, dict):
            return {name: self._below(name, one) for name, one in value.items() if not self._drops(name)}
        if isinstance(value, list):
            return [self._below(at, one) for at, one in enumerate(value[: self.length])]
        return value

    def fit(self, value: Value) -> None:
        if isinstance(value, list) and self.length is not None:
            self.length = min(self.length, len(value))
        for part, spot in self.below.items():
            for one in _at(value, part):
                spot.fit(one)

    def _below(self, part: str | int, value: Value) -> Value:
        spot = self.below.get(part) or (self.below.get(_ANY) if isinstance(part, int) else None)
        return spot.masked(value) if spot else value

    def _drops(self, name: str) -> bool:
        return name in self.below and self.below[name].absent


class Noise:
    """Places that do not count when values are compared. `ignore_order`: an element may be at another index each time, so a place
    in one element of a list is that place in all of them.
    """

    def __init__(self, *, ignore_order: bool) -> None:
        self._ignore_order = ignore_order
        self._top = _Spot()

    def add(self, difference: ValueDifference, *, widened: bool = False) -> None:
        """From now on the place of a difference does not count. `widened`: nor does anything else in the value around it."""
        place = difference.place
        absent = ABSENT in (difference.expected, difference.got)
        if widened and place:
            self._spot(place[:-1]).hidden = True
        elif is_length(difference):
            parent = self._spot(place[:-1])
            index = 0 if self._ignore_order else int(place[-1])
            parent.length = index if parent.length is None else min(parent.length, index)
        else:
            spot = self._spot(place)
            spot.hidden, spot.absent = True, spot.absent or absent

    def fit(self, value: Value) -> None:
        """A list whose length does not count is compared as far as it goes in all values that were given here."""
        self._top.fit(value)

    def masked(self, value: Value) -> Value:
        """The value with null in the place of what does not count."""
        return self._top.masked(value)

    def _spot(self, place: Place) -> _Spot:
        spot = self._top
        for part in place:
            spot = spot.below.setdefault(_ANY if self._ignore_order and isinstance(part, int) else part, _Spot())
        return spot


def _at(value: Value, part: str | int) -> Iterator[Value]:
    """What is at a part of a place; nothing if there is no such part."""
    if isinstance(value, dict) and isinstance(part, str) and part in value:
        yield value[part]
    elif isinstance(value, list) and isinstance(part, int):
        yield from value if part == _ANY else value[part : part + 1]
