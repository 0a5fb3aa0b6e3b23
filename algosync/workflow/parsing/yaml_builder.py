"""Builds nodes from the events of a YAML parser.

The parser does not call itself for nested lists and maps. The builder does, for at most `MAX_DEPTH` levels.

Aliases share the node of their anchor; each alias counts with the full size of that node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from algosync.core.lean import dataclass
from algosync.workflow.fault import Location, quote
from algosync.workflow.node import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_SIZE,
    SURROGATE,
    FirstKeys,
    ListNode,
    MapNode,
    Scalar,
    child,
    kind_of,
)
from algosync.workflow.parsing.number import WORDS, number_fault, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node, ScalarKind

__all__ = ["TOO_LARGE", "built", "place_of"]

TOO_LARGE = f"more than {MAX_NODES} values or {MAX_SIZE // 1024**2} Mi characters, with aliases expanded"
_MERGE = "<<"
_made: Any = tuple.__new__  # makes named tuples in half of the time


@dataclass(frozen=True, slots=True)
class _Part:
    """A finished node with its size, aliases expanded. `height`: the levels of lists and maps in it."""

    node: Node
    nodes: int
    size: int
    height: int
    merge: bool  # an unquoted `<<`


def built(text: str, loader: Any, faults: Faults) -> Node:
    parser = loader(text)
    try:
        return _Builder(parser.get_event, faults).document()
    finally:
        parser.dispose()


def place_of(mark: Any) -> Location:
    """Convert a parser's mark, which counts from 0."""
    return Location(mark.line + 1, mark.column + 1)


class _Builder:
    """Makes nodes of events. A large file has a million of them, so the usual scalars and keys take few steps.

    `steps`: the keys and indexes that lead to the node that is read, one for each list or map that is open; None is a key that is a
    list or a map. `deepest`: how many were open at most inside of the innermost anchor. `plain`: unquoted keys that are texts.
    """

    __slots__ = ("anchors", "deepest", "faults", "next", "nodes", "plain", "size", "steps")

    def __init__(self, get_event: Callable[[], Any], faults: Faults) -> None:
        self.next, self.faults = get_event, faults
        self.anchors: dict[str, _Part | None] = {}  # None: not finished yet
        self.steps: list[str | int | None] = []
        self.plain: dict[str, str] = {}
        self.nodes = self.size = self.deepest = 0

    def document(self) -> Node:
        root: Node | None = None
        while (event := self.next()) is not None:
            if isinstance(event, NodeEvent):
                root = self.node(event)
            elif isinstance(event, DocumentStartEvent) and root is not None:
                message = "a second document begins here"
                self.faults.stop(place_of(event.start_mark), "second-document", message, "one file, one workflow")
        return root or Scalar(1, 1, "null", "null")

    def path(self) -> str:
        path = ""
        for step in self.steps:
            path = child(path, step) if isinstance(step, str) else path if step is None else f"{path}[{step}]"
        return path

    def node(self, event: Any) -> Node:
        kind = type(event)
        if kind is ScalarEvent:
            return self.scalar(event)
        return self.alias(event.anchor, place_of(event.start_mark)).node if kind is AliasEvent else self.collection(event)

    def scalar(self, event: Any) -> Scalar:
        text, mark = event.value, event.start_mark
        kind: ScalarKind = "text"
        if not event.style and (text < ":" or text in WORDS):  # numbers begin with a character below the colon
            kind, text = resolve(text, quoted=False)
        if event.tag is not None or kind == "broken" or not text.isascii():
            kind, text = self.check_scalar(event, kind, text)
        self.nodes += 1
        self.size += len(text)
        if self.nodes > MAX_NODES or self.size > MAX_SIZE:
            self.faults.stop(place_of(mark), "too-large", TOO_LARGE)
        node: Scalar = _made(Scalar, (mark.line + 1, mark.column + 1, kind, text))
        if event.anchor:
            self.anchors[event.anchor] = _Part(node, 1, len(text), 0, merge=_is_merge(event))
        return node

    def check_scalar(self, event: Any, kind: ScalarKind, json: str) -> tuple[ScalarKind, str]:
        place = place_of(event.start_mark)
        self.refuse_tag(event.tag, place)
        if kind == "broken":
            self.faults.add(place, self.path(), *number_fault(json))
        elif SURROGATE.search(json):
            self.faults.add(place, self.path(), "lone-surrogate", "half of a surrogate pair")
            return "broken", ""
        return kind, json

    def collection(self, start: Any) -> ListNode | MapNode:
        """Read a list or a map to its end."""
        depth = len(self.steps)
        if start.tag is not None:
            self.refuse_tag(start.tag, place_of(start.start_mark))
        if depth >= MAX_DEPTH:
            self.faults.stop(place_of(start.start_mark), "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.faults.stop(place_of(start.start_mark), "too-large", TOO_LARGE)
        if start.anchor is not None:
            return self.anchored(start)
        if depth >= self.deepest:
            self.deepest = depth + 1
        return self.mapping(start.start_mark) if type(start) is MappingStartEvent else self.sequence(start.start_mark)

    def anchored(self, start: Any) -> ListNode | MapNode:
        """Read a list or a map that aliases may share, with its size."""
        nodes, size, depth, deepest = self.nodes - 1, self.size, len(self.steps), self.deepest
        self.deepest = depth + 1
        self.anchors[start.anchor] = None
        node = self.mapping(start.start_mark) if type(start) is MappingStartEvent else self.sequence(start.start_mark)
        self.anchors[start.anchor] = _Part(node, self.nodes - nodes, self.size - size, self.deepest - depth, merge=False)
        self.deepest = max(self.deepest, deepest)
        return node

    def sequence(self, mark: Any) -> ListNode:
        items: list[Node] = []
        self.steps.append(0)
        while type(event := self.next()) is not SequenceEndEvent:
            self.steps[-1] = len(items)
            items.append(self.node(event))
        self.steps.pop()
        return ListNode(mark.line + 1, mark.column + 1, tuple(items))

    def mapping(self, start: Any) -> MapNode:
        entries: dict[str, Node] = {}
        places: list[int] = []
        first: FirstKeys | None = None
        merge = False
        steps, plain, read = self.steps, self.plain, self.next
        steps.append(None)
        while type(event := read()) is not MappingEndEvent:
            name = plain.get(event.value) if type(event) is ScalarEvent and event.tag is None and event.anchor is None else None
            if name is None or name in entries:
                steps[-1] = None
                first = first or FirstKeys(entries, places)
                merge = self.entry(event, first) or merge
                continue
            mark = event.start_mark
            self.nodes += 1
            self.size += len(name)
            if self.nodes > MAX_NODES or self.size > MAX_SIZE:
                self.faults.stop(place_of(mark), "too-large", TOO_LARGE)
            steps[-1] = name
            event = read()
            entries[name] = self.scalar(event) if type(event) is ScalarEvent else self.node(event)
            places += (mark.line + 1, mark.column + 1)
        steps.pop()
        made: MapNode = _made(MapNode, (start.line + 1, start.column + 1, entries, tuple(places)))
        return self.merged(made) if merge else made

    def entry(self, event: Any, first: FirstKeys) -> bool:
        """Read any entry of a map. It is added if its key is a text and the first such. Return whether it is to be merged."""
        key, merge = self.key(event)
        self.steps[-1] = key.text if isinstance(key, Scalar) else None
        value = self.node(self.next())
        self.steps[-1] = None
        if not isinstance(key, Scalar) or key.kind != "text":
            self.refuse_key(key)
        elif key.text in first.entries:
            first.report(key, self.path(), self.faults)
        else:
            first.entries[key.text] = value
            first.places += key[:2]
            return merge
        return False

    def key(self, event: Any) -> tuple[Node, bool]:
        """Read a key. Return whether it is an unquoted `<<`, too."""
        if type(event) is AliasEvent:
            part = self.alias(event.anchor or "", place_of(event.start_mark))
            return part.node, part.merge
        node = self.node(event)
        merge = _is_merge(event)
        if isinstance(node, Scalar) and node.kind == "text" and not event.style and not merge:
            self.plain[node.text] = node.text
        return node, merge

    def merged(self, own: MapNode) -> MapNode:
        """Return a map with what its key `<<` merges: keys that are not there yet. Of several maps the first one wins."""
        entries = _located(own)
        value, *_ = entries.pop(_MERGE)
        merged: dict[str, tuple[Node, int, int]] = {}
        for source in value.items if isinstance(value, ListNode) else (value,):
            if isinstance(source, MapNode):
                for name, entry in _located(source).items():
                    merged.setdefault(name, entry)
            elif not (isinstance(source, Scalar) and source.kind == "broken"):
                message = f"<< takes a map or a list of maps, not {kind_of(source)}"
                self.faults.add(source, child(self.path(), _MERGE), "merge", message)
        found = {**merged, **entries}
        places = tuple(number for _, line, column in found.values() for number in (line, column))
        return MapNode(own.line, own.column, {name: node for name, (node, _, _) in found.items()}, places)

    def alias(self, name: str, place: Location) -> _Part:
        part = self.anchors.get(name)
        if part is None:
            inside = name in self.anchors
            code, message = ("alias-cycle", "inside its own anchor") if inside else ("unknown-alias", "without an anchor before it")
            self.faults.add(place, self.path(), code, f"the alias {quote(name)} is {message}")
            part = _Part(Scalar(place.line, place.column, "broken", ""), 1, 0, 0, merge=False)
        if len(self.steps) + part.height > MAX_DEPTH:
            self.faults.stop(place, "too-deep", f"nested deeper than {MAX_DEPTH} levels with this alias")
        self.deepest = max(self.deepest, len(self.steps) + part.height)
        self.nodes += part.nodes
        self.size += part.size
        if self.nodes > MAX_NODES or self.size > MAX_SIZE:
            self.faults.stop(place, "too-large", TOO_LARGE)
        return part

    def refuse_tag(self, tag: str | None, place: Location) -> None:
        if tag is not None:
            self.faults.add(place, self.path(), "tag", f"the tag {quote(tag)}", "remove it: values have the types of JSON")

    def refuse_key(self, key: Node) -> None:
        if isinstance(key, Scalar) and key.kind == "broken":
            return
        hint = f'write "{key.text}" in quotes' if isinstance(key, Scalar) else None
        self.faults.add(key, self.path(), "key-not-text", f"a key is a text, not {kind_of(key)}", hint)


def _is_merge(event: Any) -> bool:
    """Whether a node is an unquoted `<<`."""
    return type(event) is ScalarEvent and event.value == _MERGE and not event.style


def _located(source: MapNode) -> dict[str, tuple[Node, int, int]]:
    """Return the entries of a map with the places of their keys."""
    places = iter(source.places)
    return {name: (node, next(places), next(places)) for name, node in source.entries.items()}
