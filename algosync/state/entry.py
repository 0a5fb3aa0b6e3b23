"""Entry: the entries of a journal, their text, and the state they lead to. Pure.

The text has one line for each write: length and checksum in hex, then the JSON of an entry, or a list of entries that several
threads recorded together. Each checksum continues the one of the line before, so a line that is missing, moved or altered is
detected if another one follows it. Only the last line may be torn: its writer died before any of its entries was acknowledged. A
torn line may even have its end, because the disk may write the parts of a line in any order.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from algosync.core.address import Address
from algosync.core.codec import (
    address_from_json,
    encode_json,
    fields_of,
    parse_json,
    record_from_json,
    record_to_json,
    require_count,
    require_text,
    require_version,
)
from algosync.core.error import Corrupt
from algosync.core.lean import dataclass
from algosync.core.resource import Json, Record
from algosync.core.state import State

__all__ = [
    "Entry",
    "Forget",
    "Intent",
    "JournalHeader",
    "Log",
    "Result",
    "decode_log",
    "encode_entry",
    "encode_line",
    "replay",
    "unfinished",
]

_FORMAT_VERSION = 2  # of a journal; that of a state is another number. In format 1 each line had one entry
_PREFIX = rb"([0-9a-f]{8}) ([0-9a-f]{8}) "
_PREFIX_LENGTH = 18


@dataclass(frozen=True, slots=True)
class JournalHeader:
    """The first line of a journal: the state that the journal continues."""

    lineage: str
    serial: int


@dataclass(frozen=True, slots=True)
class Intent:
    """A remote write begins. Its outcome is unknown until a Result or Forget of its address follows."""

    address: Address
    verb: str


@dataclass(frozen=True, slots=True)
class Result:
    """A record was committed."""

    record: Record

    @property
    def address(self) -> Address:
        return self.record.address


@dataclass(frozen=True, slots=True)
class Forget:
    """The record of an address was removed."""

    address: Address


Entry: TypeAlias = Intent | Result | Forget


@dataclass(frozen=True, slots=True)
class Log:
    """The content of a journal."""

    header: JournalHeader
    entries: tuple[Entry, ...] = ()


def replay(state: State, log: Log) -> State:
    """The state with all changes of the log. It may already contain the first ones; its serial says how many.

    Corrupt: the log continues another state.
    """
    changes = [entry for entry in log.entries if not isinstance(entry, Intent)]
    absorbed = state.serial - log.header.serial
    if state.lineage != log.header.lineage or not 0 <= absorbed <= len(changes):
        raise Corrupt(
            f"continues another state: serial {log.header.serial} of {log.header.lineage}, "
            f"but the state is serial {state.serial} of {state.lineage}"
        )
    records = dict(state.records)
    for change in changes:  # also those it contains: repeating them changes nothing
        if isinstance(change, Result):
            records[change.address] = change.record
        else:
            records.pop(change.address, None)
    return replace(state, serial=log.header.serial + len(changes), records=MappingProxyType(records))


def unfinished(entries: Iterable[Entry]) -> dict[Address, str]:
    """The addresses with an intent that has no outcome, and its verb."""
    pending: dict[Address, str] = {}
    for entry in entries:
        if isinstance(entry, Intent):
            pending[entry.address] = entry.verb
        else:
            pending.pop(entry.address, None)
    return pending


def encode_entry(entry: JournalHeader | Entry) -> bytes:
    """The JSON of an entry. ValueError, TypeError: it could not be read back, so it must not be written."""
    payload = encode_json(_entry_to_json(entry)).encode("ascii")
    try:
        _entry_from_json(parse_json(payload))
    except Corrupt as error:
        raise ValueError(error.message) from error
    return payload


def encode_line(entries: Sequence[bytes], checksum: int) -> tuple[bytes, int]:
    """The line of one or more entries, as `encode_entry` gives them, and its checksum.

    `checksum`: the one of the line before; 0 for the first line.
    """
    payload = entries[0] if len(entries) == 1 else b"[" + b", ".join(entries) + b"]"
    checksum = zlib.crc32(payload, checksum)
    return b"%08x %08x %b\n" % (len(payload), checksum, payload), checksum


def decode_log(data: bytes) -> Log:
    """The content of a journal without a torn last line. Corrupt: any other damage, or a newer version."""
    *lines, rest = data.split(b"\n")
    if not _is_cut(rest):
        raise Corrupt("is damaged: its last line does not end")
    checksum = 0
    found: list[JournalHeader | Entry] = []
    for number, line in enumerate(lines, start=1):
        payload = line[_PREFIX_LENGTH:]
        checksum = zlib.crc32(payload, checksum)
        if line[:_PREFIX_LENGTH] != b"%08x %08x " % (len(payload), checksum):
            if found and not rest and number == len(lines) and _is_torn(line):
                break
            raise Corrupt(f"is damaged: the checksum of line {number} is not that of its content")
        found += _entries_from_json(parse_json(payload))
    if not found or not isinstance(found[0], JournalHeader):
        raise Corrupt("is damaged: it does not start with a header")
    return Log(found[0], tuple(_not_header(entry) for entry in found[1:]))


def _is_cut(rest: bytes) -> bool:
    """Whether text without a line end is the beginning of a line. After a power loss, zeros may fill the missing part."""
    rest = rest.rstrip(b"\0")
    return len(rest) < _PREFIX_LENGTH or (re.match(_PREFIX, rest) is not None and _is_torn(rest))


def _is_torn(line: bytes) -> bool:
    """Whether a line may be torn. If it is longer than its length says, the end of an earlier line is lost instead."""
    prefix = re.match(_PREFIX, line)
    return prefix is None or len(line) <= _PREFIX_LENGTH + int(prefix[1], 16)


def _not_header(entry: JournalHeader | Entry) -> Entry:
    if isinstance(entry, JournalHeader):
        raise Corrupt("is damaged: it has two headers")
    return entry


def _entry_to_json(entry: JournalHeader | Entry) -> Json:
    match entry:
        case JournalHeader(lineage, serial):
            return {"kind": "header", "format_version": _FORMAT_VERSION, "lineage": lineage, "serial": serial}
        case Intent(address, verb):
            return {"kind": "intent", "address": str(address), "verb": verb}
        case Result(record):
            return {"kind": "result", "address": str(record.address), "record": record_to_json(record)}
        case Forget(address):
            return {"kind": "forget", "address": str(address)}


def _entries_from_json(value: Json) -> Iterator[JournalHeader | Entry]:
    yield from map(_entry_from_json, value if isinstance(value, list) else [value])


def _entry_from_json(value: Json) -> JournalHeader | Entry:
    kind = value.get("kind") if isinstance(value, dict) else None
    match kind:
        case "header":
            require_version(value, _FORMAT_VERSION)
            fields = fields_of(value, ("kind", "format_version", "lineage", "serial"), "a header")
            return JournalHeader(require_text(fields["lineage"], "lineage"), require_count(fields["serial"], "serial"))
        case "intent":
            fields = fields_of(value, ("kind", "address", "verb"), "an intent")
            return Intent(address_from_json(fields["address"]), require_text(fields["verb"], "verb"))
        case "result":
            fields = fields_of(value, ("kind", "address", "record"), "a result")
            return Result(record_from_json(require_text(fields["address"], "an address"), fields["record"]))
        case "forget":
            return Forget(address_from_json(fields_of(value, ("kind", "address"), "a forget")["address"]))
        case _:
            raise Corrupt(f"is damaged: there are no entries of kind {kind!r}")
