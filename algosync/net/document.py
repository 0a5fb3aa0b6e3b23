"""Strict JSON reader for server replies. It limits depth and memory, so that every later step can compare, store and show the
value.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn

__all__ = ["fits", "read_json"]

_MAX_DEPTH = 64  # levels; values that Python's reader just manages would be too deep for code further down the stack
_MEMORY = 128 << 20  # bytes that the values may take
# Bytes in memory for each of these characters in the text, at least as many as CPython uses.
_VALUE_SIZES = {b"{": 240, b"[": 72, b",": 40}


def read_json(text: bytes) -> object:
    """Parse JSON. Raises ValueError for invalid JSON, NaN, numbers outside the float range, more than 64 levels, or too many
    values.
    """
    if not fits(text):
        raise ValueError("too many values")
    try:
        document = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check_depth(document)
    return document


def fits(text: bytes) -> bool:
    """Whether the values of a JSON text fit into the memory limit, estimated without parsing."""
    return sum(text.count(mark) * size for mark, size in _VALUE_SIZES.items()) <= _MEMORY


def _check_depth(document: object) -> None:
    level = [document]
    for _ in range(_MAX_DEPTH):
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
