"""A ledger that keeps secrets out of the state."""

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
    """A Ledger that redacts the attributes of records before another Ledger stores them.

    `read_back`: the attributes that kinds read again. If redaction changes one, it is left out, and the kind looks it up again.
    """

    def __init__(self, ledger: Ledger, redacted: Callable[[Json], Json], read_back: frozenset[str]) -> None:
        self._ledger = ledger
        self._read_back = read_back
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
        redacted = cast("Mapping[str, Json]", self._redacted(record.attributes))
        kept = {n: v for n, v in redacted.items() if n not in self._read_back or v == record.attributes.get(n)}
        self._ledger.commit(replace(record, attributes=kept))

    def forget(self, address: Address) -> None:
        self._ledger.forget(address)
