"""Previous bytes: what a data file had before this or an interrupted apply overwrote it, as its record remembers it.

The published version works with the previous bytes. They go back to the destination if the new version is not published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace

from algosync.cluster.algorithms import Version
from algosync.cluster.data import FileStat
from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.resource import Record
from algosync.kinds.context import Context
from algosync.kinds.data_writes import WRITE, number_of
from algosync.kinds.failure import without_failure

__all__ = ["PreviousBytes", "moved_record", "needed_files", "with_previous", "without_previous"]

_PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class PreviousBytes:
    """The bytes that an overwrite replaced, and what is known of the new ones.

    `sha256` (hex), `size` (bytes) and `stamp` of the previous bytes; `new_sha256` and `new_size` of the new ones. A text is empty
    if it was not known before the overwrite. `candidate`: the commit that is to be published with the new bytes. `write`: the
    number of the write that the previous bytes came from. `at`: the time of the overwrite, ISO 8601 in UTC. `kept_as`: the address
    under which the bytes are kept. Empty: that of the record, which `state mv` has not moved.
    """

    sha256: str
    size: int
    stamp: str
    new_sha256: str
    new_size: int
    candidate: str
    write: int
    at: str
    kept_as: str = ""

    @classmethod
    def of(cls, record: Record | None) -> PreviousBytes | None:
        """None: the file was not overwritten, or its previous bytes are no longer needed."""
        value = record.private.get(_PREVIOUS) if record else None
        if record is None or value is None or not isinstance(value, Mapping):  # it is None for nearly every file
            return None
        try:
            found = cls(
                sha256=str(value["sha256"]),
                size=int(str(value["size"])),
                stamp=str(value["stamp"]),
                new_sha256=str(value["new_sha256"]),
                new_size=int(str(value["new_size"])),
                candidate=str(value["candidate"]),
                write=int(str(value["write"])),
                at=str(value["at"]),
                kept_as=str(value.get("kept_as", "")),
            )
            found.place(record.address)
        except (KeyError, ValueError):
            return None
        return found

    def place(self, address: Address) -> Address:
        """The address under which the bytes are kept. `address`: that of the record. ValueError: the record is damaged."""
        return Address.parse(self.kept_as) if self.kept_as else address

    def are_in(self, stat: FileStat) -> bool:
        """Whether the destination's stamp proves that the file still has the previous bytes."""
        return stat.mark is not None and stat.mark == self.stamp

    def overwrite_is_recorded(self, record: Record) -> bool:
        """Whether the record is that of the new bytes. False: the overwrite failed, or its outcome is unknown."""
        return number_of(record, WRITE) != self.write

    def are_superseded(self, record: Record, published: Version | None, context: Context) -> bool:
        """Whether a version was published with the new bytes, even if another version followed it.

        `published` is the newest version. If the publish was recorded, the numbers of the writes tell it, else the commit.
        """
        if published is not None and published.commit == self.candidate:
            return True
        version = context.ledger.records.get(Address.of("version", record.address.algorithm))
        if version is None or not self.overwrite_is_recorded(record):
            return False
        return number_of(version, WRITE) >= number_of(record, WRITE)


def needed_files(records: Iterable[Record]) -> Iterator[tuple[Address, str]]:
    """The kept files that records name, as addresses and SHA-256."""
    for record in records:
        if (previous := PreviousBytes.of(record)) is not None:
            yield previous.place(record.address), previous.sha256


def moved_record(record: Record, address: Address) -> Record:
    """The record under another address, where the destination has not been read yet. Kept bytes stay where they are."""
    moved = replace(record, address=address, destination_stamp=None)
    previous = PreviousBytes.of(record)
    if previous is None:
        return moved
    return with_previous(moved, replace(previous, stamp="", kept_as=str(previous.place(record.address))))


def with_previous(record: Record, previous: PreviousBytes) -> Record:
    return replace(record, private={**record.private, _PREVIOUS: asdict(previous)})


def without_previous(record: Record) -> Record:
    """The record of a file whose previous bytes are no longer needed. It does not remember a failed test either."""
    settled = without_failure(record)
    if _PREVIOUS not in settled.private:
        return settled
    return replace(settled, private={name: value for name, value in settled.private.items() if name != _PREVIOUS})
