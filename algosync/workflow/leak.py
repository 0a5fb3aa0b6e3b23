"""API keys in the file: told with their places, never shown.

A key of at least eight characters is found wherever it is part of anything: comments, texts, keys of maps, what a template makes.
A shorter one could be part of anything by chance, so only a value or a map's key that equals it is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from algosync.workflow.fault import CODES, Place
from algosync.workflow.node import ListNode, Scalar, child

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from algosync.core.error import Fault
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["check_nodes", "check_text", "without_texts"]

_CODE = "key-in-file"
_LONG = 8  # characters
_MESSAGE = "one of the API keys that are given in the environment stands here"
_HINT = "remove it and replace the key at its cluster: whoever has seen the file knows it"


def check_text(text: str, keys: Iterable[str], faults: Faults) -> frozenset[str]:
    """Tell the first place of each key in a file's text. The keys that were found."""
    found = {key: start for key in keys if len(key) >= _LONG and (start := text.find(key)) >= 0}
    for start in found.values():
        place = Place(text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
        faults.add(place, "", _CODE, _MESSAGE, _HINT)
    return frozenset(found)


def check_nodes(root: Node, keys: Sequence[str], faults: Faults) -> None:
    """Tell what holds a key only when it is understood: escapes resolved, variables filled in."""
    seen: set[int] = set()
    stack = [(root, "")] if keys else []
    while stack:
        node, path = stack.pop()
        if id(node) in seen:  # aliases share their anchor's node
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            if _holds(node.text, keys):
                faults.add(node, path, _CODE, _MESSAGE, _HINT)
        elif isinstance(node, ListNode):
            stack.extend((item, f"{path}[{index}]") for index, item in enumerate(node.items))
        else:
            for name, entry in node.entries.items():
                held = _holds(name, keys)
                if held:
                    faults.add(entry.key, path, _CODE, _MESSAGE, _HINT)
                stack.append((entry.value, child(path, "***" if held else name)))


def without_texts(found: list[Fault]) -> list[Fault]:
    """The faults without what they quote, if one of them is of a key: the others may quote it too."""
    if all(fault.code != _CODE for fault in found):
        return found
    hint = "an API key is involved, so the text is not shown"
    return [fault if fault.code == _CODE else replace(fault, path="", message=CODES[fault.code], hint=hint) for fault in found]


def _holds(text: str, keys: Iterable[str]) -> bool:
    return any(key == text or (len(key) >= _LONG and key in text) for key in keys)
