"""Origin: who wrote a resource at the destination, and when, as far as the destination tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from algosync.core.lean import dataclass
from algosync.core.planning.change import Change, Finding
from algosync.core.resource import Json
from algosync.core.timestamp import read_iso_time

__all__ = ["ORIGIN", "Origin", "time_of", "with_origin"]

ORIGIN = "origin"
"""The member of a change's details that has the origin."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Origin:
    """`by`: the author of a commit, `Name <mail>`; empty: not known. `at`: ISO 8601 in UTC; empty: not known."""

    by: str = ""
    at: str = ""

    @classmethod
    def of(cls, change: Change | Finding) -> Origin:
        """The origin that `with_origin` or `Kind.trace` added, or an empty one."""
        found = change.details.get(ORIGIN)
        given = found if isinstance(found, Mapping) else {}
        at = str(given.get("at") or "")
        return cls(str(given.get("by") or ""), at if read_iso_time(at) else "")

    def details(self) -> Mapping[str, Json]:
        """The member of the details that has it. Empty: nothing is known."""
        return {ORIGIN: {"by": self.by or None, "at": self.at or None}} if self != Origin() else {}


def with_origin(change: Change, origin: Origin) -> Change:
    """The change with the origin of what the destination has. A change that did not drift stays as it is."""
    return replace(change, details={**change.details, **origin.details()}) if change.drifted else change


def time_of(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC. Empty: no calendar has that time; a commit may have any number."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return ""
