"""What the values of a fault may be: the checks that its kinds share."""

import math
import re
from collections.abc import Sequence

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD = re.compile(r"[^\x00\s](?:[^\x00\r\n\f\v]*[^\x00\s])?|")
"""What HTTP carries in a header exactly as it was given."""

FRAMING = ("content-length", "transfer-encoding", "connection", "date")
"""What the server says itself; faults of framing have kinds of their own."""

DAY = 24 * 60 * 60


class FaultError(Exception):
    """What is wrong with a file of faults, and with which entry."""


def whole(name: str, value: object, least: int, most: int) -> int:
    """A whole number. Raises `FaultError`, as all of these do."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FaultError(f"{name} is no whole number from {least} to {most}")
    return value


def number(name: str, value: object, least: float, most: float) -> None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
        raise FaultError(f"{name} is no number from {least:g} to {most:g}")


def flag(name: str, value: object) -> None:
    """Nothing but true: without the fault there is nothing to say."""
    if value is not True:
        raise FaultError(f"{name} is not true")


def word(name: str, value: object, words: Sequence[str]) -> None:
    """One of a few words."""
    if not isinstance(value, str) or value not in words:
        raise FaultError(f"{name} is none of {', '.join(words)}")


def text(name: str, value: object) -> str:
    """Text that can be sent as UTF-8."""
    if not isinstance(value, str):
        raise FaultError(f"{name} is no text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FaultError(f"{name} has half of a surrogate pair") from None
    return value


def header(name: str, value: object) -> None:
    """The value of a header: Latin-1, one line, no space around it."""
    if not isinstance(value, str) or not FIELD.fullmatch(value) or any(ord(character) > 255 for character in value):
        raise FaultError(f"{name} is no value of a header")


def header_map(name: str, value: object) -> None:
    """Headers by their names."""
    if not isinstance(value, dict):
        raise FaultError(f"{name} is no object")
    for key, each in value.items():
        if not TOKEN.fullmatch(key):
            raise FaultError(f"{name}: {key!r} is no name of a header")
        if key.lower() in FRAMING:
            raise FaultError(f"{name}: {key} is not for a fault to say")
        header(f"{name}: {key}", each)
