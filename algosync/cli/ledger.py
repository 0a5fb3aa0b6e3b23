"""A ledger that keeps what must never be shown out of the state, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from algosync.core.address import Address
    from algosync.core.ports import Ledger
    from algosync.core.resource import Json, Record

__all__ = ["RedactingLedger"]


class RedactingLedger:
    """A Ledger over another one. Attributes only explain a record to people; digests decide, so nothing is lost with them."""

    def __init__(self, ledger: Ledger, redacted: Callable[[Json], Json]) -> None:
        self._ledger = ledger
        self._redacted = redacted

    @property
    def records(self) -> Mapping[Address, Record]:
        return self._ledger.records

    @property
    def wrote(self) -> bool:
        return self._ledger.wrote

    def writing(self, address: Address, verb: str) -> AbstractContextManager[None]:
        return self._ledger.writing(address, verb)

    def commit(self, record: Record) -> None:
        attributes = cast("Mapping[str, Json]", self._redacted(record.attributes))
        self._ledger.commit(replace(record, attributes=attributes))

    def forget(self, address: Address) -> None:
        self._ledger.forget(address)
