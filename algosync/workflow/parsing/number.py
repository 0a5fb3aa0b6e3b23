"""YAML 1.2 plain scalars: which ones are null, booleans or numbers (its core schema), and the JSON text of numbers.

`no`, `on`, `1:20`, `1_000` and dates are texts. All digits are kept; nothing becomes a float. A number with leading zeros is
refused: `014` is fourteen in YAML 1.2, twelve in YAML 1.1 and an error in JSON, and authors often mean a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.workflow.fault import quote

if TYPE_CHECKING:
    from algosync.workflow.node import ScalarKind

__all__ = ["WORDS", "number_fault", "resolve"]

WORDS: dict[str, tuple[ScalarKind, str]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", "null")),
    **dict.fromkeys(("true", "True", "TRUE"), ("boolean", "true")),
    **dict.fromkeys(("false", "False", "FALSE"), ("boolean", "false")),
}
_DECIMAL = re.compile(r"([-+]?)([0-9]*)(?:(\.)([0-9]*))?([eE][-+]?[0-9]+)?", re.ASCII)
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_RADIX_LENGTH = 1000  # converting more digits to decimal takes quadratic time


def resolve(text: str, *, quoted: bool) -> tuple[ScalarKind, str]:
    """Return the kind of a scalar and its JSON text. A quoted scalar is a text. For the kind `broken`, `number_fault` gives the
    reason.
    """
    if quoted:
        return "text", text
    word = WORDS.get(text)
    if word is not None:
        return word
    if text[0] not in "+-.0123456789":
        return "text", text
    if _SPECIAL.fullmatch(text):
        return "broken", text
    if _RADIX.fullmatch(text):
        return ("integer", str(int(text, 0))) if len(text) <= _MAX_RADIX_LENGTH else ("broken", text)
    return _decimal(text)


def number_fault(text: str) -> tuple[str, str, str]:
    """Return code, message and hint for a broken scalar."""
    if _LEADING_ZERO.match(text):
        message = f"{quote(text)} has leading zeros, which some parsers read as a different number or as a text"
        return "number-ambiguous", message, "write it in quotes if it is a text, without the zeros if it is a number"
    return "number-not-json", f"{quote(text)} cannot be written in JSON", "quote it"


def _decimal(text: str) -> tuple[ScalarKind, str]:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return "text", text
    sign, whole, point, fraction, exponent = match.groups()
    if not whole and not fraction:
        return "text", text  # only a sign or a point
    if _LEADING_ZERO.match(text):
        return "broken", text
    json = ("-" if sign == "-" else "") + (whole or "0")
    if point:
        json += "." + (fraction or "0")
    return ("number" if point or exponent else "integer"), json + (exponent or "")
