"""Times as the platform writes them: UTC, ISO 8601."""

from datetime import datetime, timezone


def now_text() -> str:
    """The current time, with milliseconds and `Z`."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_text(seconds: int) -> str:
    """A Unix time in whole seconds. It ends in `.000Z`, because clients require a fraction."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
