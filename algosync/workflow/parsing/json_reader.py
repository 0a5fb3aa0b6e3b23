"""Parse JSON into nodes with locations. Accepts RFC 8259 and no extensions.

Reading continues after duplicate keys, trailing commas, NaN, infinity and lone surrogates; it stops at any other fault.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from algosync.workflow.fault import Location, quote
from algosync.workflow.node import MAX_DEPTH, MAX_NODES, SURROGATE, FirstKeys, ListNode, MapNode, Scalar, child

if TYPE_CHECKING:
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node, ScalarKind

__all__ = ["read_json", "read_json_value"]

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
# The usual scalars: the token, its text, fraction and exponent. Anything else, such as a text with escapes, is read in small steps.
_USUAL = (
    r'("([^"\\\x00-\x1f\ud800-\udfff]*)"|(?:-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|true|false|null)(?=[ \t\r\n,\]}]))'
)
_ITEM = re.compile(rf"{_USUAL}[ \t\r\n]*")
# A key and the space before its value, and if that is usual the value as well, with the comma before the next key.
_ENTRY = re.compile(rf'"([^"\\\x00-\x1f\ud800-\udfff]*)"[ \t\r\n]*:[ \t\r\n]*(?:{_USUAL}[ \t\r\n]*(,[ \t\r\n]*(?="))?)?')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# A string, an empty list or map, or one character that has a value before or behind it.
_COUNTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|\[[ \t\r\n]*\]|\{[ \t\r\n]*\}|[,\[{]', re.DOTALL)
_WORD = re.compile(r"[^\s\[\]{}:,\"]+")
_LITERALS: dict[str, ScalarKind] = {"true": "boolean", "false": "boolean", "null": "null"}
_made: Any = tuple.__new__  # makes named tuples in half of the time
_SPECIAL = ("NaN", "Infinity", "-Infinity")


def read_json(text: str, faults: Faults) -> Node:
    """Return the only value of the text. Reports a fault and raises UnreadableError if it is not JSON."""
    _refuse_many(text, faults)
    reader = _Reader(text, 0, faults)
    value = reader.value("", 0)
    if reader.position < len(text):
        reader.stop("there is more text after the end of the value")
    return value


def _refuse_many(text: str, faults: Faults) -> None:
    """Report a text with too many values before any node is created: nodes take most of the time and memory of reading.

    A list or map of n values has n - 1 commas. So there is one value for each comma and each start of a list or map that is not
    empty, and one more.
    """
    if sum(map(text.count, ",[{")) < MAX_NODES:
        return
    signs = (match.start() for match in _COUNTED.finditer(text) if match.end() - match.start() == 1 and match.group() != '"')
    start = next(islice(signs, MAX_NODES - 1, None), None)
    if start is not None:
        place = Location(text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
        faults.stop(place, "too-large", f"more than {MAX_NODES} values")


def read_json_value(text: str, position: int, faults: Faults) -> tuple[Node, int]:
    """Return the value at a position, and the position after it. Locations refer to the whole text."""
    reader = _Reader(text, position, faults)
    return reader.value("", 0), reader.position


class _Reader:
    """A position in the text. Strings contain no line breaks. Places are asked for in the order of the text."""

    __slots__ = ("_line", "_line_end", "_line_start", "faults", "nodes", "position", "text")

    def __init__(self, text: str, position: int, faults: Faults) -> None:
        self.text, self.faults, self.nodes = text, faults, 0
        self._line, self._line_end = 1, -1
        self._turn(position)
        self.position = position
        self.step(0)

    def at(self, position: int) -> tuple[int, int]:
        """Return the line and the column of a position that is not before the last one that was asked for."""
        if position > self._line_end:
            self._turn(position)
        return self._line, position - self._line_start + 1

    def _turn(self, position: int) -> None:
        """Go on to the line of a position behind the end of this one."""
        self._line += self.text.count("\n", max(self._line_end, 0), position)
        self._line_start = self.text.rfind("\n", 0, position) + 1
        end = self.text.find("\n", position)
        self._line_end = len(self.text) if end < 0 else end

    def stop(self, message: str, hint: str | None = None) -> NoReturn:
        self.faults.stop(Location(*self.at(self.position)), "syntax", message, hint)

    def next(self) -> str:
        """Return the character at the position; empty at the end of the text."""
        return self.text[self.position : self.position + 1]

    def step(self, length: int = 1) -> None:
        """Go on, to the next character that is no space."""
        space = _SPACE.match(self.text, self.position + length)
        self.position = space.end() if space else len(self.text)

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.faults.stop(Location(*self.at(self.position)), "too-large", f"more than {MAX_NODES} values")

    def value(self, path: str, depth: int) -> Node:
        self.count()
        if depth > MAX_DEPTH:
            self.faults.stop(Location(*self.at(self.position)), "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        match self.next():
            case "{":
                return self.map(path, depth)
            case "[":
                return self.list(path, depth)
            case '"':
                return self.string(path)
            case _:
                return self.number(path)

    def map(self, path: str, depth: int) -> MapNode:
        line, column = self.at(self.position)
        first = FirstKeys({}, [])
        entries, places = first.entries, first.places
        self.step()
        while True:
            entry = _ENTRY.match(self.text, self.position)
            if entry is not None and entry[1] not in entries:
                places += self.at(self.position)
                name, token, text, fraction, exponent, comma = entry.groups()
                if token is not None and depth < MAX_DEPTH:
                    self.position = entry.start(2)
                    entries[name] = self.usual(token, text, fraction or exponent, entry.end())
                    if comma:
                        continue
                else:
                    self.position = entry.start(2) if token else entry.end()
                    entries[name] = self.value(child(path, name), depth + 1)
            elif self.next() == "}":
                break
            else:
                self.entry(first, path, depth)
            self.comma(path, "}", "map")
        self.step()
        return MapNode(line, column, entries, tuple(places))

    def usual(self, token: str, text: str | None, more: str | None, end: int) -> Scalar:
        """Return the usual scalar that is at the position, and go on to `end`. `more`: the fraction or exponent of a number."""
        self.count()
        line, column = self.at(self.position)
        self.position = end
        kind: ScalarKind = "text"
        if text is None:
            kind = _LITERALS.get(token) or ("number" if more else "integer")
            text = token
        node: Scalar = _made(Scalar, (line, column, kind, text))
        return node

    def entry(self, first: FirstKeys, path: str, depth: int) -> None:
        """Read any entry of a map. It is added if its key is the first such."""
        if self.next() != '"':
            message = "a key in double quotes is missing here" if self.next() else "the text ends inside of a map"
            self.stop(message, _hint(self.text[self.position : self.position + 5]))
        key = self.string(path)
        if self.next() != ":":
            self.stop(f"a colon is missing after the key {quote(key.text)}")
        self.step()
        value = self.value(child(path, key.text), depth + 1)
        if key.text in first.entries:
            first.report(key, path, self.faults)
        else:
            first.entries[key.text] = value
            first.places += key[:2]

    def list(self, path: str, depth: int) -> ListNode:
        line, column = self.at(self.position)
        items: list[Node] = []
        self.step()
        while self.next() != "]":
            item = _ITEM.match(self.text, self.position)
            if item is not None and depth < MAX_DEPTH:
                token, text, fraction, exponent = item.groups()
                items.append(self.usual(token, text, fraction or exponent, item.end()))
            else:
                items.append(self.value(f"{path}[{len(items)}]", depth + 1))
            self.comma(path, "]", "list")
        self.step()
        return ListNode(line, column, tuple(items))

    def comma(self, path: str, end: str, name: str) -> None:
        """Read the comma before the next member, or nothing before the end."""
        if self.next() == end:
            return
        if self.next() != ",":
            self.stop(f"a comma or {end} is missing here" if self.next() else f"the text ends inside of a {name}")
        place = Location(*self.at(self.position))
        self.step()
        if self.next() == end:
            self.faults.add(place, path, "syntax", "a comma without a value after it", "remove it: JSON allows none")

    def string(self, path: str) -> Scalar:
        line, column = self.at(self.position)
        text = self.escaped()
        if not text.isascii() and SURROGATE.search(text):
            self.faults.add(Location(line, column), path, "lone-surrogate", "half of a surrogate pair")
            return Scalar(line, column, "broken", "")
        return Scalar(line, column, "text", text)

    def escaped(self) -> str:
        match = _STRING.match(self.text, self.position)
        start, end = self.position, match.end() if match else self.position
        if self.text[end : end + 1] != '"':
            self.position = end
            self.stop(_string_error(self.text[end : end + 2]))
        self.step(end + 1 - start)
        text: str = json.loads(self.text[start : end + 1])
        return text

    def number(self, path: str) -> Scalar:
        line, column = self.at(self.position)
        match = _WORD.match(self.text, self.position)
        word = match.group() if match else ""
        number = _NUMBER.fullmatch(word)
        if number:
            kind: ScalarKind = "integer" if number.lastindex is None else "number"
        elif word in _SPECIAL:
            self.faults.add(Location(line, column), path, "number-not-json", f"{word} is not a JSON value")
            kind = "broken"
        elif word in _LITERALS:
            kind = _LITERALS[word]
        else:
            self.stop(f"{quote(word)} is not a JSON value" if word else "a value is missing here", _hint(word))
        self.step(len(word))
        return Scalar(line, column, kind, word)


def _string_error(rest: str) -> str:
    """Explain why a string stops before this text."""
    if rest.startswith("\\"):
        return f"{quote(rest)} is not an escape of JSON"
    return "the text ends inside of a string" if not rest else "a line break or control character inside of a string"


def _hint(word: str) -> str | None:
    if word.lower() in {"true", "false", "none", "null"}:
        return "JSON knows true, false and null"
    if word.startswith(("//", "/*", "#")):
        return "JSON has no comments"
    return None if not word or word[0] in "+-.0123456789" else "texts need double quotes"
