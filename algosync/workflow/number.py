"""YAML 1.2 plain scalars: which are null, booleans or numbers (its core schema), and how JSON writes the numbers.

`no`, `on`, `1:20`, `1_000` and dates are texts. Digits are kept, however many: nothing becomes a float. A number with leading zeros
is refused: `014` is fourteen to YAML 1.2, twelve to YAML 1.1 and an error to JSON, and whoever writes it often means a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.workflow.fault import quote

if TYPE_CHECKING:
    from algosync.workflow.node import Kind

__all__ = ["number_fault", "resolve"]

_WORDS: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", "null")),
    **dict.fromkeys(("true", "True", "TRUE"), ("boolean", "true")),
    **dict.fromkeys(("false", "False", "FALSE"), ("boolean", "false")),
}
_DECIMAL = re.compile(r"([-+]?)([0-9]*)(?:(\.)([0-9]*))?([eE][-+]?[0-9]+)?", re.ASCII)
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_RADIX_LENGTH = 1000  # turning more digits into decimal takes quadratic time


def resolve(text: str, *, quoted: bool) -> tuple[Kind, str]:
    """The kind of a scalar and its JSON text; a quoted one is a text. Kind `broken`: `number_fault` says why."""
    if quoted:
        return "text", text
    word = _WORDS.get(text)
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
    """Code, message and hint for a scalar that is broken."""
    if _LEADING_ZERO.match(text):
        message = f"{quote(text)} has leading zeros: a number to some readers, another one or a text to others"
        return "number-ambiguous", message, "write it in quotes if it is a text, without the zeros if it is a number"
    return "number-not-json", f"{quote(text)} cannot be written in JSON", "quote it"


def _decimal(text: str) -> tuple[Kind, str]:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return "text", text
    sign, whole, point, fraction, exponent = match.groups()
    if not whole and not fraction:
        return "text", text  # a sign or a point alone
    if _LEADING_ZERO.match(text):
        return "broken", text
    json = ("-" if sign == "-" else "") + (whole or "0")
    if point:
        json += "." + (fraction or "0")
    return ("number" if point or exponent else "integer"), json + (exponent or "")
