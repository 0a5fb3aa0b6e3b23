"""A section: one map of the file, read key by key into typed values. Whatever does not fit is told, and reading goes on."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from algosync.workflow.fault import quote
from algosync.workflow.node import ListNode, MapNode, Scalar, child, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["Section", "nearest", "section_of", "text_of"]

_Word = TypeVar("_Word", bound=str)
_MAX_COMPARED = 200  # comparing takes long, and a file may have a thousand faults
_YES, _NO = {"yes", "on", "y", "true"}, {"no", "off", "n", "false"}


def nearest(word: str, words: Iterable[str]) -> str | None:
    """A hint that names the word that was probably meant."""
    words = list(words)
    same = [known for known in words if known.casefold() == word.casefold()]
    close = same or get_close_matches(word[:100], words[:_MAX_COMPARED], n=1)
    return f"did you mean {close[0]}?" if close else None


def section_of(node: Node, path: str, faults: Faults, keys: tuple[str, ...]) -> Section | None:
    """The node as a map that has no keys but these. None: it is no map, which has been told."""
    if isinstance(node, MapNode):
        return Section(node, path, faults, keys)
    _wrong_type(node, path, faults, "a map")
    return None


def text_of(node: Node, path: str, faults: Faults, *, blank: bool = False) -> Scalar | None:
    """The node as a text, which is empty only if it may be `blank`. None: it is none, which has been told."""
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
    """Each method takes a key and gives its value, or None where it is absent, null or wrong. Wrong ones have been told."""

    __slots__ = ("faults", "node", "path")

    def __init__(self, node: MapNode, path: str, faults: Faults, keys: tuple[str, ...]) -> None:
        self.node, self.path, self.faults = node, path, faults
        for key, entry in node.entries.items():
            if key not in keys:
                hint = nearest(key, keys) or f"known are {', '.join(keys)}"
                faults.add(entry.key, child(path, key), "unknown-key", f"the key {quote(key)} is not known here", hint)

    def where(self, key: str) -> str:
        return child(self.path, key)

    def find(self, key: str) -> Node | None:
        """The node under a key, null included. None: the key is absent."""
        entry = self.node.entries.get(key)
        return entry.value if entry else None

    def get(self, key: str) -> Node | None:
        """The node under a key. None: it is absent or null."""
        node = self.find(key)
        return None if isinstance(node, Scalar) and node.kind == "null" else node

    def spelling(self, *keys: str) -> str:
        """The one of these keys, which mean the same, that is there; the first where none is. Told: two of them."""
        present = [key for key in self.node.entries if key in keys]
        for other in present[1:]:
            message = f"{quote(present[0])} and {quote(other)} mean the same"
            self.faults.add(self.node.entries[other].key, self.where(other), "two-spellings", message, "keep one of them")
        return present[0] if present else keys[0]

    def require(self, key: str) -> Node | None:
        """The node under a key, null included. None: the key is absent, which has been told."""
        node = self.find(key)
        if node is None:
            self.faults.add(self.node, self.where(key), "missing-key", f"the key {quote(key)} is missing")
        return node

    def text(self, key: str, *, required: bool = False, blank: bool = False) -> Scalar | None:
        node = self.require(key) if required else self.get(key)
        return text_of(node, self.where(key), self.faults, blank=blank) if node else None

    def note(self, key: str) -> str | None:
        """A text for people, which may be empty."""
        node = self.text(key, blank=True)
        return node.text if node else None

    def choice(self, key: str, words: tuple[_Word, ...], default: _Word) -> _Word:
        node = self.text(key)
        if node is None:
            return default
        for word in words:
            if word == node.text:
                return word
        hint = nearest(node.text, words)
        message = f"{quote(node.text)} is none of {', '.join(words)}"
        self.faults.add(node, self.where(key), "not-one-of", message, hint)
        return default

    def boolean(self, key: str, *, default: bool) -> bool:
        node = self.get(key)
        if isinstance(node, Scalar) and node.kind == "boolean":
            return node.text == "true"
        if node:
            word = node.text.lower() if isinstance(node, Scalar) and node.kind == "text" else ""
            hint = "write true" if word in _YES else "write false" if word in _NO else "write true or false"
            _wrong_type(node, self.where(key), self.faults, "a boolean", hint)
        return default

    def list(self, key: str, *, required: bool = False) -> list[tuple[Node, str]]:
        """The items under a key with their paths; none where it is absent or wrong."""
        node = self.require(key) if required else self.get(key)
        if isinstance(node, ListNode):
            return [(item, f"{self.where(key)}[{index}]") for index, item in enumerate(node.items)]
        if node:
            _wrong_type(node, self.where(key), self.faults, "a list")
        return []

    def section(self, key: str, keys: tuple[str, ...]) -> Section | None:
        node = self.get(key)
        return section_of(node, self.where(key), self.faults, keys) if node else None
