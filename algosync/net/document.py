"""JSON from servers, as far as the rest of the program can bear it: compare it, write it down, show it, in bounded memory."""

from __future__ import annotations

import json
import math
from typing import NoReturn

__all__ = ["fits", "read_json"]

_DEEPEST = 64  # a text that Python's reader just manages is too deep for whoever writes or compares it further down the stack
_MEMORY = 128 << 20  # bytes that the values may take
_COSTS = {b"{": 240, b"[": 72, b",": 40}  # bytes in memory for each of these in the text, at least as many as CPython takes


def read_json(text: bytes) -> object:
    """ValueError: it is no JSON, holds NaN or numbers beyond floats, is nested more than 64 deep, or would fill the memory."""
    if not fits(text):
        raise ValueError("too many values")
    try:
        document = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check_depth(document)
    return document


def fits(text: bytes) -> bool:
    """Whether the values of a JSON text have room in memory, told without reading it."""
    return sum(text.count(mark) * cost for mark, cost in _COSTS.items()) <= _MEMORY


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(_DEEPEST):
        inner = [node.values() if isinstance(node, dict) else node for node in level if isinstance(node, (dict, list))]
        level = [child for children in inner for child in children if isinstance(child, (dict, list))]
        if not level:
            return
    raise ValueError("nested too deep")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"no number: {text[:20]}")
