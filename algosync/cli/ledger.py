"""A ledger that keeps secrets out of the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from algosync.core.resource import SENSITIVE, digest_of

if TYPE_CHECKING:
    from algosync.core.address import Address
    from algosync.core.ports import Ledger
    from algosync.core.resource import Json, Record

__all__ = ["RedactingLedger"]


class RedactingLedger:
    """A Ledger that redacts the attributes of records before another Ledger stores them.

    `read_back`: the attributes that kinds read again. If redaction changes one, it is left out, and the kind looks it up again.
    `holds`: whether a value contains a secret. The digest of such attributes is not stored, because it can be guessed.
    """

    def __init__(
        self, ledger: Ledger, redacted: Callable[[Json], Json], holds: Callable[[Json], bool], read_back: frozenset[str]
    ) -> None:
        self._ledger = ledger
        self._read_back = read_back
        self._redacted = redacted
        self._holds = holds

    @property
    def records(self) -> Mapping[Address, Record]:
        return self._ledger.records

    @property
    def wrote(self) -> bool:
        return self._ledger.wrote

    def writing(self, address: Address, verb: str) -> AbstractContextManager[None]:
        return self._ledger.writing(address, verb)

    def announce(self, writes: Sequence[tuple[Address, str]]) -> None:
        self._ledger.announce(writes)

    def commit(self, record: Record) -> None:
        self._ledger.commit(self._without_secrets(record))

    def commit_all(self, records: Iterable[Record], forgotten: Iterable[Address] = ()) -> None:
        self._ledger.commit_all([self._without_secrets(record) for record in records], forgotten)

    def forget(self, address: Address) -> None:
        self._ledger.forget(address)

    def _without_secrets(self, record: Record) -> Record:
        if not record.attributes:
            return record
        redacted = cast("Mapping[str, Json]", self._redacted(record.attributes))
        kept = {n: v for n, v in redacted.items() if n not in self._read_back or v == record.attributes.get(n)}
        if self._holds(dict(record.attributes)) and record.digest == digest_of(record.attributes):
            record = replace(record, digest=SENSITIVE, source_stamp=None, destination_stamp=None)
        return replace(record, attributes=kept)
