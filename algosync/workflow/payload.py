"""Payloads and other JSON values: convert a node to the canonical JSON text that the algorithm receives.

Keys in the order of the file, no spaces, ASCII only, numbers with the digits of the file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from algosync.workflow.node import MAX_SIZE, ListNode, MapNode, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from algosync.workflow.node import Node

__all__ = ["MAX_PAYLOAD", "PLACEHOLDER", "json_text", "payload_text"]

MAX_PAYLOAD = 10 * 1024 * 1024  # bytes of a request (PLATFORM.md §6)
PLACEHOLDER = "<algo>"


def payload_text(node: Node, algorithm: str) -> str | None:
    """Return the JSON text with `<algo>` replaced by the algorithm's name in all values. None if it exceeds `MAX_PAYLOAD`.

    Stops at the limit: aliases can expand a short file into a very long payload.
    """
    return _within(MAX_PAYLOAD, _write(node, lambda text: _replace(text, algorithm)))


def json_text(node: Node) -> str | None:
    """Return the JSON text as it is. None if it exceeds `MAX_SIZE`."""
    return _within(MAX_SIZE, _write(node, str))


def _within(limit: int, text: Iterator[str]) -> str | None:
    parts, length = [], 0
    for part in text:
        parts.append(part)
        length += len(part)
        if length > limit:
            return None
    return "".join(parts)


def _replace(text: str, algorithm: str) -> str:
    if PLACEHOLDER not in text:
        return text
    if len(text) + text.count(PLACEHOLDER) * len(algorithm) > 2 * MAX_PAYLOAD:
        return text[: 2 * MAX_PAYLOAD]  # too long in any case: do not build it
    return text.replace(PLACEHOLDER, algorithm)


def _write(node: Node, replace: Callable[[str], str]) -> Iterator[str]:
    """Yield the parts of the text. The recursion is at most `MAX_DEPTH` deep."""
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
        for key, value in node.entries.items():
            yield f"{separator}{json.dumps(key)}:"
            yield from _write(value, replace)
            separator = ","
        yield "}" if node.entries else "{}"
