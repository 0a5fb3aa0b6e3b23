"""Excerpt: a value or a text as people see it in a mismatch, and what they cannot see."""

from __future__ import annotations

import unicodedata
from decimal import MAX_EMAX, MAX_PREC, Context, Decimal

from algosync.answers.difference import ABSENT, Absent
from algosync.answers.equality import is_number
from algosync.answers.exact_json import Value, json_text

__all__ = ["excerpt", "shortened", "unseen", "visible"]

_KEPT = 2000
_LINE = 72
_LONG_NUMBER = 40
_COMPARED = 100_000  # characters: each is looked up
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def excerpt(value: Value | Absent) -> str:
    """JSON text of at most 2,000 characters; empty if there is no value. `shortened` makes it fit on a line.

    Longer than a line, because a secret can be recognised and hidden only if it is whole.
    """
    if value is ABSENT:
        return ""
    text = json_text(value)
    if is_number(value) and len(text) > _LONG_NUMBER:
        text = min(text, f"{Decimal(value).normalize(Context(prec=MAX_PREC, Emax=MAX_EMAX))}", key=len)
    return shortened(text, _KEPT)


def shortened(text: str, length: int = _LINE) -> str:
    """A text of at most this many characters, with `…` in the place of its middle."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[: length - 1 - head]}…{text[len(text) - head :]}"


def unseen(expected: Value | Absent, got: Value | Absent) -> str:
    """How two texts differ that look the same, or long ones; empty for other values."""
    if not isinstance(expected, str) or not isinstance(got, str):
        return ""
    longer = max(len(expected), len(got))
    if longer > _COMPARED:
        return ""
    if unicodedata.normalize("NFC", expected) == unicodedata.normalize("NFC", got):
        return f"the texts differ only in their normalisation form of Unicode: {_forms(expected)}, got {_forms(got)}"
    if visible(expected) == visible(got):
        return f"the texts differ only in invisible characters: {_invisible(expected)}, got {_invisible(got)}"
    if longer > _LINE:
        pairs = enumerate(zip(expected, got, strict=False))
        at = next((at for at, (one, other) in pairs if one != other), min(len(expected), len(got)))
        return f"the texts differ from character {at + 1} on"
    return ""


def _forms(text: str) -> str:
    return next((form for form in ("NFC", "NFD", "NFKC", "NFKD") if unicodedata.is_normalized(form, text)), "mixed forms")


def visible(text: str | int) -> str:
    """A text, or an index, as it looks: composed, without what does not show, and with one kind of spaces."""
    composed = unicodedata.normalize("NFC", str(text))
    kinds = ((one, unicodedata.category(one)) for one in composed)
    return "".join(" " if kind == "Zs" else one for one, kind in kinds if kind not in _INVISIBLE)


def _invisible(text: str) -> str:
    odd = [f"U+{ord(one):04X}" for one in text if unicodedata.category(one) in {*_INVISIBLE, "Zs"} and one != " "]
    return " ".join(odd[:5]) or "none"
