"""A section: one map of the file, read key by key into typed values. Faults are reported, and reading goes on."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from algosync.workflow.fault import quote
from algosync.workflow.node import ListNode, MapNode, Scalar, child, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["Section", "nearest", "section_of", "text_of"]

_Word = TypeVar("_Word", bound=str)
_MAX_COMPARED = 200  # comparing is slow, and a file may have a thousand faults
_known = lru_cache(256)(frozenset[str])
_YES, _NO = {"yes", "on", "y", "true"}, {"no", "off", "n", "false"}


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return a hint with the word that was probably meant, or None."""
    words = list(words)
    same = [known for known in words if known.casefold() == word.casefold()]
    close = same or get_close_matches(word[:100], words[:_MAX_COMPARED], n=1)
    return f"did you mean {close[0]}?" if close else None


def section_of(node: Node, path: str, faults: Faults, keys: tuple[str, ...]) -> Section | None:
    """Return the node as a map with these keys only. If it is not a map, report that and return None."""
    if isinstance(node, MapNode):
        return Section(node, path, faults, keys)
    _wrong_type(node, path, faults, "a map")
    return None


def text_of(node: Node, path: str, faults: Faults, *, blank: bool = False) -> Scalar | None:
    """Return the node as a text, which is not empty unless `blank`. If it is not one, report that and return None."""
    if not isinstance(node, Scalar) or node.kind != "text":
        hint = "put it in quotes" if isinstance(node, Scalar) and node.kind != "null" else None
        _wrong_type(node, path, faults, "a text", hint)
        return None
    if not blank and not node.text.strip():
        faults.add(node, path, "empty", "an empty text")
        return None
    return node


def _wrong_type(node: Node, path: str, faults: Faults, wanted: str, hint: str | None = None) -> None:
    if not (isinstance(node, Scalar) and node.kind == "broken"):
        faults.add(node, path, "type", f"{wanted} is needed here, not {kind_of(node)}", hint)


class Section:
    """Each method returns the value of a key, or None if it is missing, null or invalid. Invalid values are reported.

    Keys that begin with `x-` may have any value: they hold anchors for other parts of the file.
    """

    __slots__ = ("faults", "node", "path")

    def __init__(self, node: MapNode, path: str, faults: Faults, keys: tuple[str, ...]) -> None:
        self.node, self.path, self.faults = node, path, faults
        if not node.entries.keys() <= _known(keys):
            self._report_unknown(keys)

    def _report_unknown(self, keys: tuple[str, ...]) -> None:
        for key in self.node.key_nodes():
            if key.text not in keys and not key.text.startswith("x-"):
                hint = nearest(key.text, keys) or f"known keys: {', '.join(keys)}"
                message = f"the key {quote(key.text)} is not known here"
                self.faults.add(key, self.where(key.text), "unknown-key", message, hint)

    def where(self, key: str) -> str:
        return child(self.path, key)

    def find(self, key: str) -> Node | None:
        """Return the node of a key, including null. None if the key is missing."""
        return self.node.entries.get(key)

    def get(self, key: str) -> Node | None:
        """Return the node of a key. None if it is missing or null."""
        node = self.node.entries.get(key)
        return None if isinstance(node, Scalar) and node.kind == "null" else node

    def report(self, key: str, code: str, message: str, hint: str | None = None) -> None:
        """Add a fault at the value of a key; if the key is missing, at the map."""
        self.faults.add(self.find(key) or self.node, self.where(key), code, message, hint)

    def wrong_type(self, key: str, wanted: str) -> None:
        """Report the value of a key, which is present, because of its type."""
        node = self.find(key)
        if node:
            _wrong_type(node, self.where(key), self.faults, wanted)

    def spelling(self, *keys: str) -> str:
        """Return the one of these synonymous keys that is present, or the first if none is. Reports a second one."""
        present = [key for key in self.node.entries if key in keys]
        for other in present[1:]:
            message = f"{quote(present[0])} and {quote(other)} mean the same"
            self.faults.add(self.node.key(other), self.where(other), "two-spellings", message, "keep one of them")
        return present[0] if present else keys[0]

    def require(self, key: str) -> Node | None:
        """Return the node of a key, including null. If it is missing, report that and return None."""
        node = self.find(key)
        if node is None:
            self.faults.add(self.node, self.where(key), "missing-key", f"the key {quote(key)} is missing")
        return node

    def require_value(self, key: str, wanted: str) -> None:
        """Report a key that is missing or null."""
        if self.require(key) and self.get(key) is None:
            self.wrong_type(key, wanted)

    def text(self, key: str, *, required: bool = False, blank: bool = False) -> Scalar | None:
        node = self.require(key) if required else self.get(key)
        if isinstance(node, Scalar) and node.kind == "text" and (blank or node.text.strip()):
            return node  # the usual case, which needs no path
        return text_of(node, self.where(key), self.faults, blank=blank) if node else None

    def note(self, key: str) -> str | None:
        """Return a text for people, which may be empty."""
        node = self.text(key, blank=True)
        return node.text if node else None

    def choice(self, key: str, words: tuple[_Word, ...], default: _Word) -> _Word:
        node = self.text(key)
        return (self._one_of(node, self.where(key), words) if node else None) or default

    def choices(self, key: str, words: tuple[_Word, ...]) -> tuple[_Word, ...]:
        """Return the words of a list in its order. A list without a word is reported."""
        items = self.list(key)
        if not items and isinstance(node := self.get(key), ListNode):
            message = f"at least one of {', '.join(words)} is needed here"
            self.faults.add(node, self.where(key), "empty", message)
        found = (self._one_of(text_of(node, path, self.faults), path, words) for node, path in items)
        return tuple(word for word in found if word is not None)

    def _one_of(self, node: Scalar | None, path: str, words: tuple[_Word, ...]) -> _Word | None:
        if node is None:
            return None
        for word in words:
            if word == node.text:
                return word
        message = f"{quote(node.text)} is not one of {', '.join(words)}"
        self.faults.add(node, path, "not-one-of", message, nearest(node.text, words))
        return None

    def boolean(self, key: str, *, default: bool) -> bool:
        node = self.get(key)
        if isinstance(node, Scalar) and node.kind == "boolean":
            return node.text == "true"
        if node:
            word = node.text.lower() if isinstance(node, Scalar) and node.kind == "text" else ""
            hint = "write true" if word in _YES else "write false" if word in _NO else "write true or false"
            _wrong_type(node, self.where(key), self.faults, "a boolean", hint)
        return default

    def whole(self, key: str, least: int, most: int, default: int) -> int:
        """Return a whole number from `least` to `most`."""
        node = self.get(key)
        if node is None or (isinstance(node, Scalar) and node.kind == "broken"):
            return default
        if not isinstance(node, Scalar) or node.kind != "integer":
            _wrong_type(node, self.where(key), self.faults, f"a whole number from {least} to {most}")
        elif len(node.text) <= len(str(most)) + 1 and least <= int(node.text) <= most:
            return int(node.text)
        else:
            self.faults.add(node, self.where(key), "out-of-range", f"{quote(node.text)} is not from {least} to {most}")
        return default

    def number(self, key: str, least: float = 0.0, most: float = sys.float_info.max, hint: str | None = None) -> float | None:
        """Return a number from `least` to `most`. `hint`: for one that is not."""
        node = self.get(key)
        if node is None or (isinstance(node, Scalar) and node.kind == "broken"):
            return None
        if not isinstance(node, Scalar) or node.kind not in ("integer", "number"):
            _wrong_type(node, self.where(key), self.faults, "a number")
        elif least <= (value := float(node.text)) <= most:
            return value
        else:
            wanted = f"from {least:g} to {most:g}" if most < sys.float_info.max else f"at least {least:g}, and finite"
            self.faults.add(node, self.where(key), "out-of-range", f"{quote(node.text)}: a number {wanted} is needed here", hint)
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts of a list, or the only text in its place."""
        node = self.get(key)
        if node is None:
            return ()
        items = [(node, self.where(key))] if isinstance(node, Scalar) else self.list(key)
        found = (text_of(item, path, self.faults) for item, path in items)
        return tuple(text.text for text in found if text)

    def list(self, key: str, *, required: bool = False) -> list[tuple[Node, str]]:
        """Return the items of a list with their paths; empty if it is missing or invalid."""
        node = self.require(key) if required else self.get(key)
        if isinstance(node, ListNode):
            where = self.where(key)
            return [(item, f"{where}[{index}]") for index, item in enumerate(node.items)]
        if node:
            _wrong_type(node, self.where(key), self.faults, "a list")
        return []

    def section(self, key: str, keys: tuple[str, ...]) -> Section | None:
        node = self.get(key)
        return section_of(node, self.where(key), self.faults, keys) if node else None
