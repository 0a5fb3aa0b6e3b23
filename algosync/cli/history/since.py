"""The argument of `--since`: a time, a day, or an age."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from algosync.core.error import UsageError
from algosync.core.text import printable
from algosync.core.timestamp import read_iso_time

__all__ = ["since", "until"]

_AGE = re.compile(r"([0-9]{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def since(text: str, now: datetime) -> datetime:
    """`7d`, `12h`, `2026-11-30` (UTC), or a time with its zone. UsageError: it is neither."""
    return _time(text, now, "--since")


def until(text: str, now: datetime) -> datetime:
    """As `since`, but the end of a day."""
    found = _time(text, now, "--until")
    return found + timedelta(days=1, microseconds=-1) if _DAY.fullmatch(text) else found


def _time(text: str, now: datetime, option: str) -> datetime:
    age = _AGE.fullmatch(text)
    if age is None:
        found = read_iso_time(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    else:
        found = now - timedelta(**{_UNITS[age[2]]: int(age[1])})
    if found is None:
        raise UsageError(f"{option} {printable(text, 60)}: not a time", hint="give an age (30m, 12h, 7d, 2w), a day, or a time")
    return found.astimezone(timezone.utc)
