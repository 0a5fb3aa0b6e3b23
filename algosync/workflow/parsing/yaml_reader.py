"""Parse YAML into nodes, from the parser's events. Handles locations, duplicate keys, merge keys, limits, and YAML 1.2 scalars.

Uses libyaml's parser if PyYAML was built with it, else PyYAML's own. Both are iterative, and so is this module: libyaml's own
composer crashes on deep nesting. Aliases share the node of their anchor; each alias counts with the full size of that node.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING, Any

from algosync.core.lean import dataclass
from algosync.workflow.fault import Faults, Location, UnreadableError, quote
from algosync.workflow.node import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_SIZE,
    SURROGATE,
    ListNode,
    MapEntry,
    MapNode,
    Scalar,
    child,
    kind_of,
)
from algosync.workflow.parsing.number import number_fault, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosync.core.error import Fault
    from algosync.workflow.node import Node, ScalarKind

__all__ = ["most_values", "read_yaml"]

# Characters that both parsers refuse, searched first because the parsers give no line, and those that YAML 1.1 treats as line
# breaks.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MERGE = "<<"
_TOO_LARGE = f"more than {MAX_NODES} values or {MAX_SIZE // 1024**2} Mi characters, with aliases expanded"


@dataclass(frozen=True, slots=True)
class _Part:
    """A finished node with its size, aliases expanded."""

    node: Node
    nodes: int
    size: int
    height: int
    merge: bool  # an unquoted `<<`


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not been read. The parts of a map are keys and values in turn.

    `merges`: the indexes of the parts that are an unquoted `<<`. The numbers are its own size so far.
    """

    is_map: bool
    place: Location
    path: str
    anchor: str | None
    parts: list[Node] = field(default_factory=list)
    merges: list[int] = field(default_factory=list)
    nodes: int = 1
    size: int = 0
    height: int = 1

    def next_path(self) -> str:
        """Return the path of the next part."""
        if not self.is_map:
            return f"{self.path}[{len(self.parts)}]"
        key = self.parts[-1] if len(self.parts) % 2 else None
        return child(self.path, key.text) if isinstance(key, Scalar) else self.path


def read_yaml(text: str, faults: Faults, *, pure: bool = False) -> Node:
    """Return the only document of the text. `pure` forces PyYAML's own parser.

    If the text is not YAML, reports that and raises UnreadableError.
    """
    import yaml

    if match := _UNPRINTABLE.search(text):
        place = Location(text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start()))
        faults.stop(place, "control-character", f"the character {quote(match.group())}", "write it as an escape in quotes")
    loader: Any = yaml.SafeLoader if pure else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if loader is not yaml.SafeLoader:  # counting with PyYAML's own parser would take as long as reading
        _refuse_many(text, loader, faults)
    try:
        return _Builder(faults).build(_events(text, loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark and (deep := _depth_fault(text[: mark.index], loader)):
            faults.stop(Location(deep.line, deep.column), deep.code, deep.message)
        faults.stop(_place(mark) if mark else Location(1, 1), "syntax", " ".join(filter(None, (error.context, error.problem))))
    except yaml.YAMLError as error:  # errors of the decoder: encodings and characters, which are checked before
        faults.stop(Location(1, 1), "syntax", str(error))


def _refuse_many(text: str, loader: Any, faults: Faults) -> None:
    """Report a text with too many values before any node is created: nodes take most of the time and memory of reading."""
    import yaml

    if most_values(text) <= MAX_NODES:  # aliases are counted later
        return
    values = 0
    with suppress(yaml.YAMLError):  # the reader reports it
        for event in _events(text, loader):
            values += isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
            if values > MAX_NODES:
                faults.stop(_place(event.start_mark), "too-large", _TOO_LARGE)


def most_values(text: str) -> int:
    """An upper limit of the number of values, which takes no parser.

    A sign begins each part of a list or map: an item follows one of `-[,`, a key and its value have one of `:?{,` together. In a
    list, a key and its value may be a map of their own.
    """
    signs = {sign: text.count(sign) for sign in ":?{,-["}
    return 1 + 2 * sum(signs.values()) + signs[","] + signs["["]


def _events(text: str, loader: Any) -> Iterator[Any]:
    """The parser's events. `yaml.parse` gives the same ones, and takes twice the time because it asks for each one first."""
    parser = loader(text)
    try:
        yield from iter(parser.get_event, None)
    finally:
        parser.dispose()


def _depth_fault(text: str, loader: Any) -> Fault | None:
    """Return the `too-deep` fault of the text before a syntax error, if it has one.

    A parser scans up to 1,024 characters ahead of its events, so it can report an error there before it reports the open lists and
    maps in front of it. One such error is libyaml's own limit on nesting (1,000 levels since libyaml 0.2.6).
    """
    import yaml

    faults = Faults()
    with suppress(UnreadableError, yaml.YAMLError):
        _Builder(faults).build(_events(text, loader))
    return next((fault for fault in faults.found if fault.code == "too-deep"), None)


def _place(mark: Any) -> Location:
    """Convert a parser's mark, which counts from 0."""
    return Location(mark.line + 1, mark.column + 1)


class _Builder:
    __slots__ = ("anchors", "faults", "nodes", "root", "size", "stack")

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.anchors: dict[str, _Part | None] = {}  # None: not finished yet
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.nodes = self.size = 0

    def build(self, events: Iterator[Any]) -> Node:
        import yaml

        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self.scalar(event, event.start_mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                self.open(event, event.start_mark, is_map=isinstance(event, yaml.MappingStartEvent))
            elif isinstance(event, yaml.CollectionEndEvent):
                self.close()
            elif isinstance(event, yaml.AliasEvent) and event.anchor:
                self.alias(event.anchor, event.start_mark)
            elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
                message = "a second document begins here"
                self.faults.stop(_place(event.start_mark), "second-document", message, "one file, one workflow")
        return self.root or Scalar(1, 1, "null", "null")

    def path(self) -> str:
        return self.stack[-1].next_path() if self.stack else ""

    def scalar(self, event: Any, mark: Any) -> None:
        text = event.value
        kind, json = resolve(text, quoted=bool(event.style))
        if event.tag is not None or kind == "broken" or not text.isascii():
            kind, json = self.check_scalar(event, kind, json)
        size = len(json)
        self.count(1, size, mark)
        node = Scalar(mark.line + 1, mark.column + 1, kind, json)
        merge = text == _MERGE and not event.style
        if event.anchor:
            self.anchors[event.anchor] = _Part(node, 1, size, 0, merge)
        self.add(node, 1, size, 0, merge=merge)

    def check_scalar(self, event: Any, kind: ScalarKind, json: str) -> tuple[ScalarKind, str]:
        place = _place(event.start_mark)
        self.refuse_tag(event.tag, place)
        if kind == "broken":
            self.faults.add(place, self.path(), *number_fault(json))
        elif SURROGATE.search(json):
            self.faults.add(place, self.path(), "lone-surrogate", "half of a surrogate pair")
            return "broken", ""
        return kind, json

    def open(self, event: Any, mark: Any, *, is_map: bool) -> None:
        place = _place(mark)
        self.refuse_tag(event.tag, place)
        if len(self.stack) >= MAX_DEPTH:
            self.faults.stop(place, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        self.count(1, 0, mark)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(is_map, place, self.path(), event.anchor))

    def close(self) -> None:
        done = self.stack.pop()
        node = self.map(done) if done.is_map else ListNode(done.place.line, done.place.column, tuple(done.parts))
        if done.anchor:
            self.anchors[done.anchor] = _Part(node, done.nodes, done.size, done.height, merge=False)
        self.add(node, done.nodes, done.size, done.height)

    def alias(self, name: str, mark: Any) -> None:
        place = _place(mark)
        part = self.anchors.get(name)
        if part is None:
            inside = name in self.anchors
            code, message = ("alias-cycle", "inside its own anchor") if inside else ("unknown-alias", "without an anchor before it")
            self.faults.add(place, self.path(), code, f"the alias {quote(name)} is {message}")
            part = _Part(Scalar(place.line, place.column, "broken", ""), 1, 0, 0, merge=False)
        if len(self.stack) + part.height > MAX_DEPTH:
            self.faults.stop(place, "too-deep", f"nested deeper than {MAX_DEPTH} levels with this alias")
        self.count(part.nodes, part.size, mark)
        self.add(part.node, part.nodes, part.size, part.height, merge=part.merge)

    def count(self, nodes: int, size: int, mark: Any) -> None:
        self.nodes += nodes
        self.size += size
        if self.nodes > MAX_NODES or self.size > MAX_SIZE:
            self.faults.stop(_place(mark), "too-large", _TOO_LARGE)

    def add(self, node: Node, nodes: int, size: int, height: int, *, merge: bool = False) -> None:
        """Add a finished node, with its size, to what is open."""
        if not self.stack:
            self.root = node
            return
        place = self.stack[-1]
        if merge:
            place.merges.append(len(place.parts))
        place.parts.append(node)
        place.nodes += nodes
        place.size += size
        if height >= place.height:
            place.height = height + 1

    def refuse_tag(self, tag: str | None, place: Location) -> None:
        if tag is not None:
            self.faults.add(place, self.path(), "tag", f"the tag {quote(tag)}", "remove it: values have the types of JSON")

    def map(self, done: _Open) -> MapNode:
        lines: dict[str, int] = {}
        own: dict[str, MapEntry] = {}
        merged: dict[str, MapEntry] = {}
        for index, (key, value) in enumerate(zip(done.parts[::2], done.parts[1::2], strict=True)):
            if not isinstance(key, Scalar) or key.kind != "text":
                self.refuse_key(key, done.path)
            elif (text := key.text) in lines:
                message = f"the key {quote(text)} is on line {lines[text]} already"
                self.faults.add(key, child(done.path, text), "duplicate-key", message)
            else:
                lines[text] = key.line
                if 2 * index in done.merges:
                    self.merge(merged, value, done.path)
                else:
                    own[text] = MapEntry(key, value)
        return MapNode(done.place.line, done.place.column, {**merged, **own})

    def merge(self, merged: dict[str, MapEntry], value: Node, path: str) -> None:
        """Add entries whose keys are not present yet: of several maps the first one wins."""
        for source in value.items if isinstance(value, ListNode) else (value,):
            if isinstance(source, MapNode):
                for name, entry in source.entries.items():
                    merged.setdefault(name, entry)
            elif not (isinstance(source, Scalar) and source.kind == "broken"):
                message = f"<< takes a map or a list of maps, not {kind_of(source)}"
                self.faults.add(source, child(path, _MERGE), "merge", message)

    def refuse_key(self, key: Node, path: str) -> None:
        if isinstance(key, Scalar) and key.kind == "broken":
            return
        hint = f'write "{key.text}" in quotes' if isinstance(key, Scalar) else None
        self.faults.add(key, path, "key-not-text", f"a key is a text, not {kind_of(key)}", hint)
