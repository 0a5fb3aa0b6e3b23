"""Find API keys in the file. Faults give their locations and never show them.

A key of at least eight characters is found anywhere: in comments, texts, keys of maps, and in the output of a template. A shorter
one could occur by chance, so it is found only if it equals a whole value or a key of a map.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from algosync.workflow.fault import CODES, Location
from algosync.workflow.node import ListNode, Scalar, child

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from algosync.core.error import Fault
    from algosync.workflow.fault import Faults
    from algosync.workflow.node import Node

__all__ = ["check_nodes", "check_text", "without_texts"]

_CODE = "key-in-file"
_MIN_PART = 8  # characters
_BETWEEN = "\0"  # no variable of the environment has it
_MESSAGE = "this is one of the API keys given in the environment"
_HINT = "remove it and replace the key on its cluster: everybody who has seen the file knows it"


def check_text(text: str, keys: Iterable[str], faults: Faults) -> frozenset[str]:
    """Report the first location of each key in a file's text. Return the keys that were found."""
    found = {key: start for key in keys if len(key) >= _MIN_PART and (start := text.find(key)) >= 0}
    for start in found.values():
        place = Location(text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
        faults.add(place, "", _CODE, _MESSAGE, _HINT)
    return frozenset(found)


def check_nodes(root: Node, keys: Sequence[str], faults: Faults) -> None:
    """Report keys that only appear after parsing: with escapes resolved and variables inserted."""
    if not keys or not _may_contain(root, keys):
        return
    seen: set[int] = set()
    stack = [(root, "")]
    while stack:
        node, path = stack.pop()
        if id(node) in seen:  # aliases share their anchor's node
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            if _contains_key(node.text, keys):
                faults.add(node, path, _CODE, _MESSAGE, _HINT)
        elif isinstance(node, ListNode):
            stack.extend((item, f"{path}[{index}]") for index, item in enumerate(node.items))
        else:
            for key, value in zip(node.key_nodes(), node.entries.values(), strict=True):
                leaked = _contains_key(key.text, keys)
                if leaked:
                    faults.add(key, path, _CODE, _MESSAGE, _HINT)
                stack.append((value, child(path, "***" if leaked else key.text)))


def _may_contain(root: Node, keys: Iterable[str]) -> bool:
    """Whether a key may be in one of the texts. All are searched at once, which takes a fifth of the time."""
    texts, seen, stack = [""], set[int](), [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            texts.append(node.text)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.extend(node.items if isinstance(node, ListNode) else node.entries.values())
            texts.extend(() if isinstance(node, ListNode) else node.entries)
    whole = _BETWEEN.join((*texts, ""))
    return any(_BETWEEN in key or (key if len(key) >= _MIN_PART else f"{_BETWEEN}{key}{_BETWEEN}") in whole for key in keys)


def without_texts(found: list[Fault]) -> list[Fault]:
    """If one of the faults is about a key, return all faults without quoted text: it could contain the key."""
    if all(fault.code != _CODE for fault in found):
        return found
    hint = "an API key is involved, so the text is not shown"
    return [fault if fault.code == _CODE else replace(fault, path="", message=CODES[fault.code], hint=hint) for fault in found]


def _contains_key(text: str, keys: Iterable[str]) -> bool:
    return any(key == text or (len(key) >= _MIN_PART and key in text) for key in keys)
