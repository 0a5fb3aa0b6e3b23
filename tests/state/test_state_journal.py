"""The journal: its content after any cut, that all other damage is detected, and the state that it leads to."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_samples import HELLO, WEIGHTS, a_record, entries, states

from algosync.core.address import Address
from algosync.core.error import Corrupt, StateError
from algosync.core.state import State
from algosync.state.entry import (
    Entry,
    Forget,
    Intent,
    JournalHeader,
    Log,
    Result,
    decode_log,
    encode_entry,
    encode_line,
    replay,
    unfinished,
)
from algosync.state.entry_queue import QueuedEntry
from algosync.state.journal import Journal, read_journal

NOT_JSON: Any = b"y"
HEADER = JournalHeader("L", 7)
ENTRIES: tuple[Entry, ...] = (
    Intent(HELLO, "create"),
    Result(a_record(HELLO, 1)),
    Intent(WEIGHTS, "upload"),
    Result(a_record(WEIGHTS, 2)),
    Forget(HELLO),
)


def lines_of(*found: JournalHeader | Entry) -> list[bytes]:
    lines, checksum = [], 0
    for entry in found:
        line, checksum = encode_line([encode_entry(entry)], checksum)
        lines.append(line)
    return lines


def apply(state: State, entry: Entry) -> State:
    """The state after an entry."""
    match entry:
        case Result(record):
            return replace(state, serial=state.serial + 1, records={**state.records, record.address: record})
        case Forget(address):
            kept = {a: r for a, r in state.records.items() if a != address}
            return replace(state, serial=state.serial + 1, records=kept)
        case Intent():
            return state


@given(states, st.lists(entries, max_size=12))
def test_decoding_a_journal_is_the_inverse_of_encoding(state: State, found: Sequence[Entry]) -> None:
    header = JournalHeader(state.lineage, state.serial)
    assert decode_log(b"".join(lines_of(header, *found))) == Log(header, tuple(found))


@given(states, st.lists(entries, max_size=12), st.data())
def test_replaying_applies_the_changes_that_the_state_lacks(state: State, found: list[Entry], data: st.DataObject) -> None:
    log = Log(JournalHeader(state.lineage, state.serial), tuple(found))
    half_way = reduce(apply, found[: data.draw(st.integers(0, len(found)))], state)
    assert replay(half_way, log) == reduce(apply, found, state)


@given(states, st.lists(entries, max_size=6), st.integers(-3, 9))
def test_a_journal_of_another_state_is_refused(state: State, found: list[Entry], distance: int) -> None:
    changes = sum(not isinstance(entry, Intent) for entry in found)
    strangers = [Log(JournalHeader(state.lineage + "x", state.serial), tuple(found))]
    if not 0 <= distance <= changes:
        strangers.append(Log(JournalHeader(state.lineage, state.serial - distance), tuple(found)))
    for log in strangers:
        with pytest.raises(Corrupt):
            replay(state, log)


@given(st.lists(entries, max_size=12))
def test_an_intent_is_open_until_its_address_is_recorded_or_forgotten(found: list[Entry]) -> None:
    last_intent = {entry.address: (n, entry.verb) for n, entry in enumerate(found) if isinstance(entry, Intent)}
    last_outcome = {entry.address: n for n, entry in enumerate(found) if not isinstance(entry, Intent)}
    still = {address: verb for address, (n, verb) in last_intent.items() if n > last_outcome.get(address, -1)}
    assert unfinished(found) == still


def test_a_cut_loses_the_cut_line_and_nothing_else() -> None:
    lines = lines_of(HEADER, *ENTRIES)
    data = b"".join(lines)
    for length in range(len(lines[0]), len(data) + 1):
        whole = sum(len(b"".join(lines[: n + 1])) <= length for n in range(1, len(lines)))
        assert decode_log(data[:length]) == Log(HEADER, ENTRIES[:whole])
        assert decode_log(data[:length] + b"\0" * 512) == Log(HEADER, ENTRIES[:whole])


def test_a_journal_appears_with_its_header_so_a_cut_there_is_damage() -> None:
    [line] = lines_of(HEADER)
    for length in range(len(line)):
        with pytest.raises(Corrupt):
            decode_log(line[:length])


@pytest.mark.parametrize("hole", [(0, 9), (0, 30), (9, 18), (17, 60), (40, 41), (60, -1)])
def test_a_last_line_with_a_hole_is_lost_even_if_it_has_its_end(hole: tuple[int, int]) -> None:
    *whole, last = lines_of(HEADER, *ENTRIES)
    torn = bytearray(last)
    torn[slice(*hole)] = bytes(len(last[slice(*hole)]))
    data = b"".join(whole) + bytes(torn)
    assert decode_log(data) == Log(HEADER, ENTRIES[:-1])
    assert decode_log(b"".join(whole) + last[: hole[0]] + last[hole[1] :]) == Log(HEADER, ENTRIES[:-1])
    for following in (last, last[:20], b"\0"):
        with pytest.raises(Corrupt, match=r"^is damaged: the checksum of line 6 is not that of its content$"):
            decode_log(data + following)


def test_every_flipped_bit_is_refused_except_in_a_torn_last_line() -> None:
    lines = lines_of(HEADER, *ENTRIES)
    data = b"".join(lines)
    accepted = set()
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert decode_log(bytes(flipped)) == Log(HEADER, ENTRIES[:-1])
        except Corrupt:
            continue
        accepted.add(bit // 8)
    last = range(len(data) - len(lines[-1]), len(data) - 1)
    assert accepted == set(last)


@pytest.mark.parametrize("order", [[1, 0], [0, 2, 1], [0, 1, 1, 2], [0, 2, 3, 4], [1, 2, 3]])
def test_lines_before_the_last_cannot_be_missing_moved_or_repeated(order: list[int]) -> None:
    lines = lines_of(HEADER, *ENTRIES)
    with pytest.raises(Corrupt):
        decode_log(b"".join(lines[n] for n in order))


def test_a_second_header_and_a_newer_version_are_refused() -> None:
    with pytest.raises(Corrupt, match=r"^is damaged: it has two headers$"):
        decode_log(b"".join(lines_of(HEADER, HEADER)))
    payload = b'{"kind": "header", "format_version": 3, "lineage": "L", "serial": 7}'
    with pytest.raises(Corrupt, match=r"^was written by a newer algosync: format 3, this one reads 2$"):
        decode_log(b"%08x %08x %b\n" % (len(payload), zlib.crc32(payload), payload))


def test_a_journal_of_the_format_before_is_read() -> None:
    lines, checksum = [], 0
    for entry in (HEADER, *ENTRIES):
        payload = encode_entry(entry).replace(b'"format_version": 2', b'"format_version": 1')
        line, checksum = encode_line([payload], checksum)
        lines.append(line)
    assert decode_log(b"".join(lines)) == Log(HEADER, ENTRIES)


def test_entries_that_are_written_together_are_there_together_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, HEADER)
    journal.append([encode_entry(ENTRIES[0])])
    alone = path.stat().st_size
    journal.append([encode_entry(entry) for entry in ENTRIES[1:]])
    assert journal.length == len(ENTRIES)
    journal.close()
    data = path.read_bytes()
    assert decode_log(data) == Log(HEADER, ENTRIES)
    for length in range(alone, len(data)):
        assert decode_log(data[:length]) == Log(HEADER, ENTRIES[:1])
    for start in range(alone, len(data) - 1):  # the disk may write the parts of a line in any order
        hole = b"\0" * min(40, len(data) - start - 1)
        assert decode_log(data[:start] + hole + data[start + len(hole) :]) == Log(HEADER, ENTRIES[:1])


@pytest.mark.parametrize(
    "entry", [Intent(Address("algorithm", "no-name"), "create"), Result(a_record(number=-1)), Result(a_record(x=NOT_JSON))]
)
def test_an_entry_that_could_not_be_read_back_is_not_written(entry: Entry) -> None:
    with pytest.raises((ValueError, TypeError)):
        encode_entry(entry)
    with pytest.raises(StateError, match="cannot be recorded"):
        QueuedEntry(entry)


def test_damage_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"x" * 40 + b"\n")
    with pytest.raises(Corrupt) as caught:
        read_journal(path)
    assert caught.value.message == f"{path} is damaged: the checksum of line 1 is not that of its content"
