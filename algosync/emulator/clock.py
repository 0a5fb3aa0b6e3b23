"""Times as the platform writes them: UTC, ISO 8601."""

import time
from datetime import datetime, timezone
from email.utils import formatdate


def now_text() -> str:
    """The current time, with milliseconds and `Z`."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{_text(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


def seconds_text(seconds: int) -> str:
    """A Unix time in whole seconds. It ends in `.000Z`, because clients require a fraction."""
    return f"{_text(seconds)}.000Z"


def http_date() -> bytes:
    """The current time in the format of HTTP's `Date` header."""
    return formatdate(usegmt=True).encode()


def _text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
