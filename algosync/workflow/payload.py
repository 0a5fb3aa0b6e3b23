"""Payloads: node → canonical JSON text, which is what the algorithm receives.

Keys in the order of the file, no spaces, ASCII only, numbers digit by digit as they were written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from algosync.workflow.node import ListNode, MapNode, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from algosync.workflow.node import Node

__all__ = ["MAX_PAYLOAD", "PLACEHOLDER", "payload_text"]

MAX_PAYLOAD = 10 * 1024 * 1024  # bytes of a request; PLATFORM.md §6
PLACEHOLDER = "<algo>"


def payload_text(node: Node, algorithm: str) -> str | None:
    """The JSON text with `<algo>` in its values, at any depth, replaced by the algorithm's name. None: over `MAX_PAYLOAD`.

    Gives up as soon as it is too long: aliases can make a short file stand for a very long payload.
    """
    parts, length = [], 0
    for part in _write(node, lambda text: _replace(text, algorithm)):
        parts.append(part)
        length += len(part)
        if length > MAX_PAYLOAD:
            return None
    return "".join(parts)


def _replace(text: str, algorithm: str) -> str:
    if PLACEHOLDER not in text:
        return text
    if len(text) + text.count(PLACEHOLDER) * len(algorithm) > 2 * MAX_PAYLOAD:
        return text[: 2 * MAX_PAYLOAD]  # too long either way: do not build it
    return text.replace(PLACEHOLDER, algorithm)


def _write(node: Node, replace: Callable[[str], str]) -> Iterator[str]:
    """The parts of the text. Nodes are at most `MAX_DEPTH` deep."""
    if isinstance(node, Scalar):
        yield json.dumps(replace(node.text)) if node.kind == "text" else node.text
    elif isinstance(node, ListNode):
        separator = "["
        for item in node.items:
            yield separator
            yield from _write(item, replace)
            separator = ","
        yield "]" if node.items else "[]"
    elif isinstance(node, MapNode):
        separator = "{"
        for key, entry in node.entries.items():
            yield f"{separator}{json.dumps(key)}:"
            yield from _write(entry.value, replace)
            separator = ","
        yield "}" if node.entries else "{}"
