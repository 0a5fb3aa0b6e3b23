"""Exact JSON: values without loss of a digit. Whole numbers are `int`, all others `Decimal`; so 1 equals 1.0, and `==` is exact."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import NoReturn, TypeAlias, Union

from algosync.core.json_document import check_depth

__all__ = ["DEEPEST", "NotJson", "Value", "json_text", "read_exact", "read_marked", "read_rounded", "unmarked"]

Value: TypeAlias = Union[bool, int, Decimal, str, "list[Value]", "dict[str, Value]", None]

DEEPEST = 400
"""Levels of lists and objects. The interpreter's own limit is a thousand calls."""

_DIGITS = 600  # an int has at most as many: the interpreter converts no more than 640 for sure
_ANY_LENGTH = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation])
_MARK = os.urandom(16).hex()  # no text of an answer contains it
_MARKED = re.compile(f'"{_MARK}([^"]*)"')


class NotJson(ValueError):
    """The text is not JSON, or no JSON that can be judged. The message says why, as the rest of a sentence after "is"."""


def read_exact(text: str) -> Value:
    """The value of a JSON text. NotJson: it has none, or is nested too deep."""
    return _read(text, _EXACT)


def read_rounded(text: str) -> Value:
    """The same value with floats, for libraries that compare nothing else. NotJson: as `read_exact`."""
    return _read(text, _ROUNDED)


def read_marked(text: str) -> Value:
    """The same value with marked texts in the place of numbers, which `unmarked` turns back. NotJson: as `read_exact`."""
    return _read(text, _MARKING)


def json_text(value: Value) -> str:
    """A value of `read_exact` on one line, without escapes for letters."""
    return unmarked(json.dumps(value, ensure_ascii=False, default=lambda number: f"{_MARK}{number}"))


def unmarked(text: str) -> str:
    """A JSON text with numbers in the place of marked texts."""
    return _MARKED.sub(r"\1", text)


def _read(text: str, decoder: json.JSONDecoder) -> Value:
    try:
        if text.startswith("\ufeff"):
            raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
        value: Value = decoder.decode(text)
        if text.count("[") + text.count("{") > DEEPEST:  # with fewer brackets it cannot be nested too deep
            check_depth(value, DEEPEST)
    except NotJson:
        raise
    except (RecursionError, ValueError) as error:
        raise NotJson(_reason(error)) from None
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error}"
    return f"nested deeper than {DEEPEST} levels"


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _DIGITS else _fraction(text)


def _fraction(text: str) -> int | Decimal:
    """Equal numbers have one form, so that their texts are equal, too."""
    try:
        number = _ANY_LENGTH.normalize(Decimal(text))
    except InvalidOperation:
        raise NotJson(f"not judged: the number {text[:40]} has an exponent that is too large") from None
    whole = number.adjusted() < _DIGITS and number == number.to_integral_value()
    return int(number) if whole else number


def _no_number(text: str) -> NoReturn:
    raise NotJson(f"not JSON: {text} is not a number of JSON")


def _rounded(text: str) -> int | float:
    return int(text) if len(text) <= _DIGITS else float(text)


def _decoder(whole: Callable[[str], object], fraction: Callable[[str], object]) -> json.JSONDecoder:
    """Making a decoder takes longer than reading a short text with it."""
    return json.JSONDecoder(parse_int=whole, parse_float=fraction, parse_constant=_no_number)


_EXACT, _ROUNDED, _MARKING = _decoder(_whole, _fraction), _decoder(_rounded, float), _decoder(_MARK.__add__, _MARK.__add__)
