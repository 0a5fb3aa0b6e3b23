"""Nodes: the content of a JSON or YAML text with the location of each part. Both readers create them; the schema reads them.

A large file has a million nodes. Tuples take a third of the time of frozen dataclasses to create.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from algosync.workflow.fault import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from algosync.workflow.fault import Faults

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "MAX_SIZE",
    "SURROGATE",
    "FirstKeys",
    "ListNode",
    "MapNode",
    "Node",
    "Scalar",
    "child",
    "kind_of",
]

MAX_SIZE = 64 * 1024 * 1024  # bytes of a file; characters of its texts with aliases expanded
MAX_NODES = 2_000_000  # with aliases expanded
MAX_DEPTH = 100
SURROGATE = re.compile(r"[\ud800-\udfff]")

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")

ScalarKind: TypeAlias = Literal["text", "integer", "number", "boolean", "null", "broken"]


class Scalar(NamedTuple):
    """A leaf. For integers, numbers, booleans and null, `text` is their JSON text; numbers keep all digits of the file.

    `broken` marks a scalar whose fault has been reported already, so that it is not reported again.
    """

    line: int
    column: int
    kind: ScalarKind
    text: str


class ListNode(NamedTuple):
    line: int
    column: int
    items: tuple[Node, ...]


class MapNode(NamedTuple):
    """Values by key, in the order of the file; those from a YAML merge key come first.

    `places`: the line and the column of each key, one after the other. A node for each key would take much more time and memory,
    and few are ever asked for.
    """

    line: int
    column: int
    entries: Mapping[str, Node]
    places: tuple[int, ...]

    def key_nodes(self) -> Iterator[Scalar]:
        """Yield the nodes of the keys, in the order of the entries."""
        places = iter(self.places)
        for name in self.entries:
            yield Scalar(next(places), next(places), "text", name)

    def key(self, name: str) -> Scalar:
        """Return the node of a key that is present."""
        start = 2 * [*self.entries].index(name)
        return Scalar(self.places[start], self.places[start + 1], "text", name)


Node: TypeAlias = Scalar | ListNode | MapNode


class FirstKeys:
    """The keys so far of a map that is being read: `entries` and `places` are as of its `MapNode`.

    Nothing is kept before a key is repeated.
    """

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


_KIND_NAMES: Mapping[str, str] = {
    "text": "a text",
    "integer": "a number",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
    "broken": "broken",
}


def kind_of(node: Node) -> str:
    """Return the type of a node, for a message."""
    if isinstance(node, Scalar):
        return _KIND_NAMES[node.kind]
    return "a list" if isinstance(node, ListNode) else "a map"


def child(path: str, key: str) -> str:
    """Return the path of a map's value: `path.key`, or `path["key"]` if the key is not a plain word."""
    if not (key.isascii() and key.isidentifier()) and not _PLAIN.fullmatch(key):  # the first test is faster
        return f"{path}[{json.dumps(key[:60])}]"
    return f"{path}.{key}" if path else key
