"""Read back: how a data file is verified after it was written, and what its record remembers of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum

from algosync.core.resource import Json, Record

__all__ = ["ReadBack", "unread_note", "was_read", "with_read_back", "without_mark"]

_UNREAD = "unread"


class ReadBack(Enum):
    """`FULL`: its bytes are read and compared. `SIZE`: its size is looked up. `NONE`: nothing is checked."""

    FULL = "full"
    SIZE = "size"
    NONE = "none"


def with_read_back(record: Record, how: ReadBack, stamp: str | None) -> Record:
    """The record of a file that was just verified, and then had this stamp. If its bytes were not read, the record says so."""
    private = without_mark(record)
    private = private if how is ReadBack.FULL else {**private, _UNREAD: how.value}
    return replace(record, destination_stamp=stamp, private=private)


def without_mark(record: Record) -> Mapping[str, Json]:
    """The private part of a record of a file whose bytes were read."""
    return {name: value for name, value in record.private.items() if name != _UNREAD}


def was_read(record: Record) -> bool:
    """Whether the bytes were read after they were written, as far as the record tells."""
    return _UNREAD not in record.private


def unread_note(records: Iterable[Record]) -> tuple[str, ...]:
    """A sentence about the files whose bytes nobody has read since they were written. Empty: there are none."""
    count = sum(not was_read(record) for record in records)
    if not count:
        return ()
    files = "1 file was" if count == 1 else f"{count} files were"
    return (f"{files} not read after the upload (--verify): whether the bytes arrived is not known; --checksum always reads them",)
