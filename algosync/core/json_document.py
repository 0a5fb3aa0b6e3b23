"""Strict reading of JSON documents from files and servers.

The reader of workflow files is another one (`workflow.parsing.json_reader`): it reports each fault with its line and
column and reads on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

from algosync.core.resource import Json

__all__ = ["TooDeep", "check_depth", "read_json"]


class TooDeep(ValueError):
    """The lists and objects of a JSON text are nested too deep."""


def read_json(text: bytes | str, *, unique: bool = True, finite: bool = True, deepest: int | None = None) -> Json:
    """The value of one JSON text. Bytes may be in any encoding that JSON allows.

    `unique`: no object has a name twice. `finite`: no NaN, and no number beyond the range of floats.
    `deepest`: how many levels of objects and lists there may be; None leaves that to the interpreter.
    TooDeep: it has more levels. Any other ValueError: the text is not JSON, or breaks one of these rules.
    """
    decoded = text if isinstance(text, str) else text.decode(_encoding(text), "surrogatepass")
    if decoded.startswith("\ufeff"):
        raise ValueError("a text that is not bytes begins with a byte order mark")
    try:
        value: Json = _decoder(unique=unique, finite=finite).decode(decoded)
    except RecursionError:
        raise TooDeep("nested too deep") from None
    if deepest is not None and decoded.count("[") + decoded.count("{") > deepest:  # a flat text cannot be too deep
        check_depth(value, deepest)
    return value


def _encoding(text: bytes) -> str:
    """Nearly every document begins like one in UTF-8; asking the standard library takes as long as reading a short one."""
    return "utf-8" if text[:1] in (b"{", b"[") and text[1:2] != b"\0" else json.detect_encoding(text)


@cache
def _decoder(*, unique: bool, finite: bool) -> json.JSONDecoder:
    """Making one takes longer than reading a short text with it."""
    number: Callable[[str], float] | None = _finite if finite else None
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = _unique if unique else None
    return json.JSONDecoder(object_pairs_hook=pairs, parse_float=number, parse_constant=number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"{name[:80]!r} is there twice")
            seen.add(name)
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a finite number")
    return number


def check_depth(document: object, deepest: int) -> None:
    """TooDeep: the value has more than `deepest` levels of lists and dicts."""
    level = [document]
    for _ in range(deepest):
        inner = [node.values() if isinstance(node, dict) else node for node in level if isinstance(node, (dict, list))]
        level = [child for children in inner for child in children if isinstance(child, (dict, list))]
        if not level:
            return
    raise TooDeep("nested too deep")
