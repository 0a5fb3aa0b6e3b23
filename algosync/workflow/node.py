"""Nodes: the content of a JSON or YAML text with the location of each part. Both readers create them; the schema reads them.

A large file has a million nodes. Tuples take a third of the time of frozen dataclasses to create.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_DEPTH",
    "MAX_NODES",
    "MAX_SIZE",
    "SURROGATE",
    "ListNode",
    "MapEntry",
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


class MapEntry(NamedTuple):
    key: Scalar
    value: Node


class MapNode(NamedTuple):
    """Entries by key, in the order of the file; entries from a YAML merge key come first."""

    line: int
    column: int
    entries: Mapping[str, MapEntry]


Node: TypeAlias = Scalar | ListNode | MapNode

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
