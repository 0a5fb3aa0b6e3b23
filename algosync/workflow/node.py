"""Nodes: what a JSON or YAML text says, with the place of everything in it. Both readers make them, the schema reads them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "MAX_SIZE",
    "SURROGATE",
    "Entry",
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

Kind: TypeAlias = Literal["text", "integer", "number", "boolean", "null", "broken"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf. `text` of integers, numbers, booleans and null is what JSON writes for them, numbers digit by digit as in the file.

    `broken` stands where a fault has been told already; nobody tells another one about it.
    """

    line: int
    column: int
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class ListNode:
    line: int
    column: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """Entries by key, in the order of the file; what a YAML merge key brings comes first."""

    line: int
    column: int
    entries: Mapping[str, Entry]


Node: TypeAlias = Scalar | ListNode | MapNode

_NAMES: Mapping[str, str] = {
    "text": "a text",
    "integer": "a number",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
    "broken": "broken",
}


def kind_of(node: Node) -> str:
    """What a node is, for a message."""
    if isinstance(node, Scalar):
        return _NAMES[node.kind]
    return "a list" if isinstance(node, ListNode) else "a map"


def child(path: str, key: str) -> str:
    """The path of a map's value: `path.key`, or `path["key"]` where the key is not a plain word."""
    if not _PLAIN.fullmatch(key):
        return f"{path}[{json.dumps(key[:60])}]"
    return f"{path}.{key}" if path else key
