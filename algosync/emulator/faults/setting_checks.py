"""Checks of a fault's settings. All raise `FaultError` for an invalid value."""

import math
import re
from collections.abc import Callable, Sequence

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD = re.compile(r"[^\x00\s](?:[^\x00\r\n\f\v]*[^\x00\s])?|")
"""Values of headers that HTTP transmits unchanged."""

FRAMING = ("content-length", "transfer-encoding", "connection", "date")
"""Headers that the server sets itself. Other kinds of faults break the framing."""

DAY = 24 * 60 * 60


class FaultError(Exception):
    """The file of faults is invalid; tells the reason and the entry."""


def checked(check: Callable[..., object], *arguments: object) -> dict[str, object]:
    """Metadata of a field whose value is checked by one of the following functions, with these arguments."""
    return {"check": lambda name, value: check(name, value, *arguments)}


def check_integer(name: str, value: object, least: int, most: int) -> int:
    """Returns the value if it is an integer in the range."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FaultError(f"{name} is not an integer from {least} to {most}")
    return value


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Accepts a finite number in the range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
        raise FaultError(f"{name} is not a number from {least:g} to {most:g}")


def check_true(name: str, value: object) -> None:
    """Accepts true only."""
    if value is not True:
        raise FaultError(f"{name} is not true")


def check_choice(name: str, value: object, words: Sequence[str]) -> None:
    """Accepts one of the words."""
    if not isinstance(value, str) or value not in words:
        raise FaultError(f"{name} is not one of {', '.join(words)}")


def check_text(name: str, value: object) -> str:
    """Returns the value if it is a string that UTF-8 can encode."""
    if not isinstance(value, str):
        raise FaultError(f"{name} is not a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FaultError(f"{name} has an unpaired surrogate") from None
    return value


def check_header(name: str, value: object) -> None:
    """Accepts the value of a header: Latin-1, one line, no surrounding spaces."""
    if not isinstance(value, str) or not FIELD.fullmatch(value) or any(ord(character) > 255 for character in value):
        raise FaultError(f"{name} is not a valid header value")


def check_headers(name: str, value: object) -> None:
    """Accepts an object of headers by name."""
    if not isinstance(value, dict):
        raise FaultError(f"{name} is not an object")
    for key, each in value.items():
        if not TOKEN.fullmatch(key):
            raise FaultError(f"{name}: {key!r} is not a valid header name")
        if key.lower() in FRAMING:
            raise FaultError(f"{name}: {key} cannot be set by a fault")
        check_header(f"{name}: {key}", each)
