"""A ledger in memory. It passes `contracts/test_ledger.py`, as the real session does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Conflict, Denied, NotFound
from algosync.core.resource import Record
from algosync.core.state import LiveRecords

__all__ = ["FakeLedger"]


class FakeLedger:
    """`log` has each write, commit and forget, as in `"commit data.A"`. `before_commit` may raise what a full disk would."""

    def __init__(self, records: Iterable[Record] = (), before_commit: Callable[[Record], None] = lambda _: None) -> None:
        self._records = {record.address: record for record in records}
        self._before_commit = before_commit
        self._guard = threading.Lock()
        self._wrote = False
        self.log: list[str] = []

    @property
    def records(self) -> Mapping[Address, Record]:
        return LiveRecords(self._records)

    @property
    def wrote(self) -> bool:
        return self._wrote

    @contextmanager
    def writing(self, address: Address, verb: str) -> Iterator[None]:
        self.log.append(f"{verb} {address}")
        try:
            yield
        except AlgosyncError as error:
            refused = isinstance(error, (Denied, NotFound, Conflict)) or not error.sent
            self._wrote = self._wrote or error.repeated or not refused
            raise
        except BaseException:
            self._wrote = True
            raise
        self._wrote = True

    def announce(self, writes: Sequence[tuple[Address, str]]) -> None:
        pass

    def commit(self, record: Record) -> None:
        self._before_commit(record)
        with self._guard:
            self.log.append(f"commit {record.address}")
            self._records[record.address] = record

    def forget(self, address: Address) -> None:
        with self._guard:
            self.log.append(f"forget {address}")
            self._records.pop(address, None)

    def commit_all(self, records: Iterable[Record], forgotten: Iterable[Address] = ()) -> None:
        for record in records:
            self.commit(record)
        for address in forgotten:
            self.forget(address)
