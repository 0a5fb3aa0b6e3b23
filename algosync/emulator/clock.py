"""Times as the platform writes them: UTC, ISO 8601."""

import time
from datetime import datetime, timezone
from email.utils import formatdate
from functools import lru_cache


def now_text() -> str:
    """Now, with milliseconds and `Z`."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{_text(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1)
def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def seconds_text(seconds: int) -> str:
    """A Unix time with the fraction `.000` that clients insist on."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def http_date() -> bytes:
    """Now, as HTTP's `Date` has it."""
    return _http_date(int(time.time()))


@lru_cache(maxsize=1)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()
