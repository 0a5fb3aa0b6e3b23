"""Payloads and other JSON values: convert a node to the canonical JSON text that the algorithm receives.

Keys in the order of the file, no spaces, ASCII only, numbers with the digits of the file.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as _encoded
from typing import TYPE_CHECKING

from algosync.workflow.node import MAX_SIZE, ListNode, Scalar

if TYPE_CHECKING:
    from algosync.workflow.node import Node

__all__ = ["MAX_PAYLOAD", "PLACEHOLDER", "json_text", "payload_text"]

MAX_PAYLOAD = 10 * 1024 * 1024  # bytes of a request (PLATFORM.md §6)
PLACEHOLDER = "<algo>"


def payload_text(node: Node, algorithm: str) -> str | None:
    """Return the JSON text with `<algo>` replaced by the algorithm's name in all values. None if it exceeds `MAX_PAYLOAD`.

    Stops at the limit: aliases can expand a short file into a very long payload.
    """
    return _text(node, MAX_PAYLOAD, algorithm)


def json_text(node: Node) -> str | None:
    """Return the JSON text as it is. None if it exceeds `MAX_SIZE`."""
    return _text(node, MAX_SIZE, None)


def _text(node: Node, limit: int, algorithm: str | None) -> str | None:
    parts: list[str] = []
    return "".join(parts) if _write(node, parts, limit, algorithm) >= 0 else None


def _replace(text: str, algorithm: str) -> str:
    if len(text) + text.count(PLACEHOLDER) * len(algorithm) > 2 * MAX_PAYLOAD:
        return text[: 2 * MAX_PAYLOAD]  # too long in any case: do not build it
    return text.replace(PLACEHOLDER, algorithm)


def _write(node: Node, parts: list[str], left: int, algorithm: str | None) -> int:
    """Add the parts of the text, of which `left` characters are allowed. Return how many are left; less than 0: it is too long.

    `algorithm`: replaces `<algo>`. The recursion is at most `MAX_DEPTH` deep.
    """
    if isinstance(node, Scalar):
        text = node.text
        if node.kind == "text":
            text = _encoded(_replace(text, algorithm) if algorithm is not None and PLACEHOLDER in text else text)
        parts.append(text)
        return left - len(text)
    if isinstance(node, ListNode):
        separator = "["
        for item in node.items:
            parts.append(separator)
            left = _write(item, parts, left - 1, algorithm)
            if left < 0:
                return left
            separator = ","
        end = "]" if node.items else "[]"
    else:
        separator = "{"
        for key, value in node.entries.items():
            start = f"{separator}{_encoded(key)}:"
            parts.append(start)
            left = _write(value, parts, left - len(start), algorithm)
            if left < 0:
                return left
            separator = ","
        end = "}" if node.entries else "{}"
    parts.append(end)
    return left - len(end)
