"""Counts of bytes, as options name them."""

import re

from algosync.core.error import UsageError
from algosync.core.text import printable

__all__ = ["byte_count", "byte_rate"]

_UNITS = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SHORT_UNITS = {"k": 2**10, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"([0-9]{1,15}) ?([A-Za-z]*)")
_RATE = r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]+)(?:/s)?"


def byte_count(text: str, option: str) -> int:
    """The bytes of a text such as `10GiB`. UsageError: it is no size."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or found[2] not in _UNITS:
        units = ", ".join(filter(None, _UNITS))
        raise UsageError(f"{option} {printable(text, 80)}: not a size", hint=f"write a number and one of {units}")
    return int(found[1]) * _UNITS[found[2]]


def byte_rate(text: str, option: str) -> float:
    """The bytes a second of a text such as `10M` or `1.5MiB`, where M is MiB as for rclone. UsageError: it is no rate.

    A number without a unit is refused: for some programs it means bytes, for others KiB.
    """
    found, units = re.fullmatch(_RATE, text.strip()), {**_UNITS, **_SHORT_UNITS}
    if found is None or found[2] not in units:
        named = ", ".join(filter(None, units))
        raise UsageError(
            f"{option} {printable(text, 80)}: not a rate", hint=f"write a number and one of {named}; it means bytes a second"
        )
    return float(found[1]) * units[found[2]]
