"""Change: what an apply does to one resource, and why. Finding: how a resource differs from its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.resource import Json, Resource

__all__ = ["Action", "Change", "Drift", "Finding"]


class Action(Enum):
    """`REFRESH`: nothing differs, but the record is out of date. It is not shown to people.

    `HOLD`: it differs, and is left as it is, because the test of this change failed and nothing has changed since.
    `RECORD`: only the record changes. It takes over what is at the destination, or a changed protection of the algorithm.
    """

    NONE = "no-op"
    REFRESH = "refresh"
    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    HOLD = "hold"
    FORGET = "forget"
    RECORD = "record"
    DELETE = "delete"

    @property
    def writes(self) -> bool:
        """Whether it sends something to the destination."""
        return self in (Action.CREATE, Action.UPDATE)

    @property
    def has_steps(self) -> bool:
        """Whether it changes the destination."""
        return self.writes or self is Action.DELETE

    @property
    def visible(self) -> bool:
        return self not in (Action.NONE, Action.REFRESH)


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is what the destination has, `after` what it will have.

    `drifted`: somebody else changed or removed it since it was `recorded`. `details`: values that the kind computes for views.
    """

    address: Address
    action: Action
    before: Resource | None
    after: Resource | None
    drifted: bool = False
    reason: str = ""
    details: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    recorded: Resource | None = None


class Drift(Enum):
    """`REWRITTEN`: somebody wrote it again with the same content, such as a version. It is a note, as `UNMANAGED` is.

    `FAILING`: a test, not a resource. It failed when it last ran. `BEHAVIOUR`: a test, too. Its answer changed, although version
    and payload did not. `IN_PROGRESS`: it differs, and a command that runs now may be the reason.
    """

    CHANGED = "changed"
    MISSING = "missing"
    REWRITTEN = "rewritten"
    UNMANAGED = "unmanaged"
    FAILING = "failing"
    BEHAVIOUR = "behaviour"
    IN_PROGRESS = "in progress"
    UNKNOWN = "unknown"

    @property
    def differs(self) -> bool:
        """Whether the destination differs from the record, so that `algosync drift` exits with 2."""
        return self in (Drift.CHANGED, Drift.MISSING, Drift.FAILING, Drift.BEHAVIOUR)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one resource at the destination differs from its record, or a test that failed when it last ran.

    `since`: when the test first failed, in ISO 8601 and UTC; empty for resources. `in_workflow`: nothing is recorded of the
    resource, and yet the workflow names it. `details`: what the destination tells of how it came about, as of `Kind.trace`.
    `first_seen`: the time of the first report that had a finding of this address, ISO 8601 in UTC; empty: not known. `age`: the
    seconds since then.
    """

    address: Address
    drift: Drift
    before: Resource | None = None
    after: Resource | None = None
    reason: str = ""
    since: str = ""
    in_workflow: bool = False
    details: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    first_seen: str = ""
    age: int | None = None
