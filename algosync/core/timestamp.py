"""Times as servers write them: every form of ISO 8601, and the three forms of HTTP dates. The same on every version of Python."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import lru_cache

__all__ = ["read_http_date", "read_iso_time"]

_ISO_TIME = re.compile(
    r"""(?P<year>[0-9]{4})
    (?: -?W(?P<week>[0-9]{2})(?:-?(?P<weekday>[1-7]))? | -?(?P<month>[0-9]{2})-?(?P<day>[0-9]{2}) | -?(?P<ordinal>[0-9]{3}) )
    [Tt\ ]
    (?P<hour>[0-9]{2}) (?: :?(?P<minute>[0-9]{2}) (?: :?(?P<second>[0-9]{2}) )? )? (?: [.,](?P<fraction>[0-9]+) )?
    [ ]?
    (?: [Zz] | (?P<sign>[-+\u2212])
        (?P<zone_hour>[0-9]{2}) (?: :?(?P<zone_minute>[0-9]{2}) (?: :?(?P<zone_second>[0-9]{2}) )? )? )""",
    re.VERBOSE,
)

# The form in listings (PLATFORM.md §2.3).
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000Z")


@lru_cache(maxsize=4096)  # many files were written together
def read_iso_time(text: str) -> datetime | None:
    """Return a time in UTC; None if the text is not a date with a time and a zone."""
    if _USUAL.fullmatch(text):
        with suppress(ValueError):  # a leap second, the end of a day, or no time at all
            return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)
    return _read_any_form(text)


def _read_any_form(text: str) -> datetime | None:
    match = _ISO_TIME.fullmatch(text.strip())
    if match is None:
        return None
    part = match.groupdict()
    try:
        return (_date(part) + _clock(part) - _offset(part)).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)  # a server sends many replies in one second
def read_http_date(text: str) -> datetime | None:
    """Return the time of a header such as `Date` in UTC; None if it is invalid. A date without a zone is in UTC (RFC 9110)."""
    from email.utils import parsedate_to_datetime

    try:
        time = parsedate_to_datetime(text)
        return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _date(part: dict[str, str | None]) -> datetime:
    year = int(part["year"] or 0)
    if part["week"]:
        return datetime.fromisocalendar(year, int(part["week"]), int(part["weekday"] or 1))
    if part["ordinal"]:
        day = datetime(year, 1, 1) + timedelta(int(part["ordinal"]) - 1)
        if day.year != year:
            raise ValueError
        return day
    return datetime(year, int(part["month"] or 0), int(part["day"] or 0))


def _clock(part: dict[str, str | None]) -> timedelta:
    """The time since midnight. 24:00 is the end of the day, second 60 a leap second. A fraction belongs to the last number."""
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError
    smallest = 1 if part["second"] else 60 if part["minute"] else 3600  # seconds
    fraction = float(f"0.{(part['fraction'] or '0')[:30]}")
    return timedelta(hours=hour, minutes=minute, seconds=second + fraction * smallest)


def _offset(part: dict[str, str | None]) -> timedelta:
    hour, minute, second = (int(part[name] or 0) for name in ("zone_hour", "zone_minute", "zone_second"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    offset = timedelta(hours=hour, minutes=minute, seconds=second)
    return offset if part["sign"] == "+" else -offset
