"""Change: what has to happen to one resource, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.resource import Json, Resource

__all__ = ["Action", "Change", "Drift", "Finding"]


class Action(Enum):
    """`REFRESH` is the one that nobody is shown: nothing differs, only the record of it is out of date."""

    NONE = "no-op"
    REFRESH = "refresh"
    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    FORGET = "forget"

    @property
    def writes(self) -> bool:
        """Whether it changes the destination."""
        return self in (Action.CREATE, Action.UPDATE)

    @property
    def visible(self) -> bool:
        return self not in (Action.NONE, Action.REFRESH)


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is what the destination has, `after` what it shall have; `drifted`: somebody else changed or removed it."""

    address: Address
    action: Action
    before: Resource | None
    after: Resource | None
    drifted: bool = False
    reason: str = ""
    details: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))  # what only its kind can tell, for views


class Drift(Enum):
    CHANGED = "changed"
    MISSING = "missing"
    UNMANAGED = "unmanaged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a drift report: how the destination differs from the record."""

    address: Address
    drift: Drift
    before: Resource | None = None
    after: Resource | None = None
    reason: str = ""
