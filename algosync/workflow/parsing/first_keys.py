"""The keys that a map has so far, to tell where one that is repeated was first."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from algosync.workflow.fault import quote
from algosync.workflow.node import child

if TYPE_CHECKING:
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node, Scalar

__all__ = ["FirstKeys"]


class FirstKeys:
    """Of one map that is being read: `entries` and `places` are as of its `MapNode`. Nothing is kept before a key is repeated."""

    __slots__ = ("_lines", "entries", "places")

    def __init__(self, entries: dict[str, Node], places: list[int]) -> None:
        self.entries, self.places = entries, places
        self._lines: dict[str, int] = {}

    def report(self, key: Scalar, path: str, faults: Faults) -> None:
        """Report a key that the map has already. `path`: of the map."""
        if new := len(self.entries) - len(self._lines):
            names = list(islice(reversed(self.entries), new))
            self._lines.update(zip(reversed(names), self.places[-2 * new :: 2], strict=True))
        message = f"the key {quote(key.text)} is on line {self._lines[key.text]} already"
        faults.add(key, child(path, key.text), "duplicate-key", message)
