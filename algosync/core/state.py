"""State: the records of what a workflow did to one destination as one owner."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import field
from types import MappingProxyType
from typing import Any

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.resource import Record

__all__ = ["LiveRecords", "State"]


@dataclass(frozen=True, slots=True)
class State:
    """`lineage` never changes. `serial` grows by one with each change that is written.

    `file` is the workflow file that the state belongs to, as of `workflow.file_identity`. None: an older version wrote the state.
    """

    lineage: str
    serial: int = 0
    records: Mapping[Address, Record] = field(default_factory=lambda: MappingProxyType({}))
    file: str | None = None


class LiveRecords(Mapping[Address, Record]):
    """A view of records that other threads change. A look-up gives the current record, and copies nothing.

    Iterating gives the records as they were when it began.
    """

    __slots__ = ("_records",)

    def __init__(self, records: dict[Address, Record]) -> None:
        self._records = records

    def __contains__(self, address: object) -> bool:
        return address in self._records

    def __getitem__(self, address: Address) -> Record:
        return self._records[address]

    def get(self, address: Address, default: Any = None) -> Any:
        return self._records.get(address, default)

    def __iter__(self) -> Iterator[Address]:
        return iter(tuple(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def items(self) -> ItemsView[Address, Record]:
        return dict(self._records).items()

    def values(self) -> ValuesView[Record]:
        return dict(self._records).values()
