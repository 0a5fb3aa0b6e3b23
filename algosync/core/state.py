"""State: the records of what a workflow did to one destination as one owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.resource import Record

__all__ = ["State"]


@dataclass(frozen=True, slots=True)
class State:
    """`lineage` never changes. `serial` grows by one with each change that is written.

    `file` is the workflow file that the state belongs to, as of `workflow.file_identity`. None: an older version wrote the state.
    """

    lineage: str
    serial: int = 0
    records: Mapping[Address, Record] = field(default_factory=lambda: MappingProxyType({}))
    file: str | None = None

    def with_record(self, record: Record) -> State:
        return replace(self, serial=self.serial + 1, records={**self.records, record.address: record})

    def without(self, address: Address) -> State:
        return replace(self, serial=self.serial + 1, records={a: r for a, r in self.records.items() if a != address})
