"""JSON from servers, in bounded memory and depth."""

from __future__ import annotations

from algosync.core import json_document

__all__ = ["fits", "read_json"]

_DEEPEST = 64  # levels: far below what Python can read, because writing or comparing the value needs more stack than reading it
_MEMORY = 128 << 20  # bytes that the values may take
_COSTS = {b"{": 240, b"[": 72, b",": 40}  # bytes of memory for each of these in the text; CPython needs no more


def read_json(text: bytes) -> object:
    """The value of a server's reply. If an object has a name twice, the last one counts.

    ValueError: it is not JSON, holds NaN or numbers beyond floats, is nested more than 64 deep, or would take too much memory.
    """
    if not fits(text):
        raise ValueError("too many values")
    return json_document.read_json(text, unique=False, deepest=_DEEPEST)


def fits(text: bytes) -> bool:
    """Whether the values of a JSON text take at most 128 MiB. Does not parse the text."""
    if len(text) * max(_COSTS.values()) <= _MEMORY:
        return True
    return sum(text.count(mark) * cost for mark, cost in _COSTS.items()) <= _MEMORY
