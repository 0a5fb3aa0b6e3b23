"""Coverage: which resources a drift report looked at, which it did not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Finding
from algosync.core.planning.target import Checksum

__all__ = ["Coverage", "Examined", "Gap", "LeftOut", "Reading"]


class Gap(Enum):
    """Why something was not looked at.

    `NOT_APPLIED`: nothing of the algorithm is recorded. `NOT_READABLE`: the destination refused it. `BUDGET`: the bytes of a file
    were not read, because too much else was; its size and time were compared.
    """

    NOT_APPLIED = "not applied"
    NOT_READABLE = "not readable"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`address`: a resource; without a name, all data files of an algorithm; of the kind `algorithm` and not applied, all of it."""

    address: Address
    why: Gap
    reason: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """`compared`: the recorded resources that were compared. `read`: the bytes of each file that was read.

    `trusted`: how many files were compared by size and time only.
    """

    compared: tuple[Address, ...] = ()
    read: Mapping[Address, int] = field(default_factory=lambda: MappingProxyType({}))
    trusted: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def misses(self, address: Address) -> bool:
        """Whether the report could not look at a resource, so that a missing finding proves nothing."""
        names = {(left.address.kind, left.address.algorithm, left.address.name) for left in self.left_out}
        return any((address.kind, address.algorithm, name) in names for name in (address.name, None))


@dataclass(frozen=True, slots=True)
class Examined:
    """What a look at the destination found, and how far it looked. `notes`: what the workflow's `ignore` leaves out."""

    findings: tuple[Finding, ...]
    coverage: Coverage
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Which bytes of data files a drift report reads.

    `checksum`: AUTO: those of files whose size is as recorded and whose time is not. ALWAYS: also those whose time is. `budget`: at
    most so many bytes; None: no limit. `verified`: when a file was last read, ISO 8601 in UTC; the longest ago comes first.
    """

    checksum: Checksum = Checksum.AUTO
    budget: int | None = None
    verified: Mapping[Address, str] = field(default_factory=lambda: MappingProxyType({}))
