"""Readers without a lock, beside a writer: they see the state at one moment, and what is in progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from state_samples import HELLO, NAME, WEIGHTS, a_record, tree

from algosync.core.address import Address
from algosync.core.error import Corrupt, LockHeld
from algosync.state import Backend, Session, journal_path, open_session, parse_address
from algosync.state.recovery import find_beside_writers

ONE, TWO = a_record(HELLO, 1), a_record(WEIGHTS, 2)


class Interposed:
    """A backend that lets something happen while a reader reads: before or after each reading of the state."""

    def __init__(self, backend: Backend, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._backend, self._before, self._after = backend, before, after

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def read(self) -> bytes | None:
        self._before()
        data = self._backend.read()
        self._after()
        return data


def nothing() -> None:
    pass


def opened(address: str, folder: Path, *, exclusive: bool, command: str = "algosync apply") -> Session:
    return open_session(address, NAME, exclusive=exclusive, command=command, journals=folder)


def look(address: str, folder: Path, before: Callable[[], None] = nothing, after: Callable[[], None] = nothing) -> int:
    """The serial that a reader finds while something happens."""
    backend = parse_address(address)(NAME, "algosync plan")
    reader: Backend = Interposed(backend, before, after)  # type: ignore[assignment]  # `__getattr__` gives it the other methods
    found = find_beside_writers(reader, journal_path(backend, folder))
    return 0 if found.state is None else found.state.serial


def test_changes_are_seen_as_soon_as_they_are_recorded(address: str, tmp_path: Path) -> None:
    with opened(address, tmp_path, exclusive=True) as writer:
        writer.commit(ONE)
        with opened(address, tmp_path, exclusive=False) as reader:
            assert dict(reader.records) == {HELLO: ONE}
            writer.commit(TWO)
            assert dict(reader.records) == {HELLO: ONE}
        with opened(address, tmp_path, exclusive=False) as reader:
            assert dict(reader.records) == {HELLO: ONE, WEIGHTS: TWO}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("change", ["commit", "save", "save and commit", "close", "close and go on"])
def test_a_writer_that_moves_on_between_the_readings(remote_address: str, tmp_path: Path, moment: str, change: str) -> None:
    _move_on(remote_address, tmp_path, moment, change)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("change", ["commit", "save", "save and commit", "close", "close and go on"])
def test_a_writer_in_a_folder_that_moves_on_between_the_readings(tmp_path: Path, moment: str, change: str) -> None:
    _move_on(str(tmp_path / "states"), tmp_path, moment, change)


def _move_on(address: str, folder: Path, moment: str, change: str) -> None:
    """Something changes once, between the first reading of the journal and the second one. Nothing is taken for damage."""
    sessions = [opened(address, folder, exclusive=True)]
    sessions[0].commit(ONE)
    done: list[bool] = []

    def move() -> None:
        if done:
            return
        done.append(True)
        if "close" in change:
            sessions[0].close()
        if "save" in change:
            sessions[0].save()
        if "go on" in change:
            sessions[0] = opened(address, folder, exclusive=True)
        if "commit" in change or "go on" in change:
            sessions[0].commit(TWO)

    serial = look(address, folder, **{moment: move})
    assert serial == (2 if "commit" in change or "go on" in change else 1)
    sessions[0].close()


def test_a_torn_last_line_is_no_damage(tmp_path: Path) -> None:
    """A reader may see a part of the line that is being written."""
    with opened(str(tmp_path), tmp_path, exclusive=True) as writer:
        writer.commit(ONE)
        journal = tmp_path / f"{NAME}.journal"
        whole = journal.read_bytes()
        writer.commit(TWO)
        longer = journal.read_bytes()
        for length in range(len(whole), len(longer)):
            journal.write_bytes(longer[:length])
            with opened(str(tmp_path), tmp_path, exclusive=False) as reader:
                assert dict(reader.records) == {HELLO: ONE}
        journal.write_bytes(longer)


def test_damage_is_told_beside_a_writer_too(tmp_path: Path) -> None:
    with opened(str(tmp_path), tmp_path, exclusive=True) as writer:
        writer.commit(ONE)
        writer.commit(TWO)
        journal = tmp_path / f"{NAME}.journal"
        whole = journal.read_bytes()
        journal.write_bytes(whole.replace(b"destination 1", b"destination 7"))
        with pytest.raises(Corrupt):
            opened(str(tmp_path), tmp_path, exclusive=False)
        journal.write_bytes(whole)


def test_reading_ends_even_if_the_journal_never_stands_still(tmp_path: Path) -> None:
    states = tmp_path / "states"
    with opened(str(states), tmp_path, exclusive=True) as writer:
        writer.commit(ONE)
        journal = states / f"{NAME}.journal"
        saved = journal.read_bytes()

        def come_and_go() -> None:
            journal.unlink() if journal.exists() else journal.write_bytes(saved)

        backend = parse_address(str(states))(NAME, "algosync plan")
        reader: Backend = Interposed(backend, come_and_go, nothing)  # type: ignore[assignment]  # as in `look`
        pauses: list[float] = []
        with pytest.raises(LockHeld, match="changes faster than it can be read"):
            find_beside_writers(reader, journal, pauses.append)
        assert 0 < sum(pauses) < 10
        journal.write_bytes(saved)


def test_readers_beside_a_busy_writer_see_every_moment_in_order(tmp_path: Path) -> None:
    """The writer saves after every few changes and begins new sessions. A reader never goes back."""
    address = str(tmp_path / "states")
    done = threading.Event()

    def write() -> None:
        number = 0
        for _ in range(8):
            with opened(address, tmp_path, exclusive=True) as session:
                session.fold_every = 3
                for _ in range(10):
                    number += 1
                    with session.writing(HELLO, "update"):
                        pass
                    session.commit(a_record(HELLO, number))
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = [0]
    while not done.is_set():
        with opened(address, tmp_path, exclusive=False) as reader:
            known = reader.records.get(HELLO)
            seen.append(0 if known is None or known.size is None else known.size)
    thread.join()
    assert seen == sorted(seen)
    with opened(address, tmp_path, exclusive=False) as reader:
        assert reader.records[HELLO].size == 80


# What is in progress.


def test_the_running_command_and_what_it_is_changing(address: str, tmp_path: Path) -> None:
    unseen = not address.startswith(("file", "http"))
    with opened(address, tmp_path, exclusive=True) as writer:
        writer.commit(ONE)
        with writer.writing(WEIGHTS, "upload"), opened(address, tmp_path, exclusive=False) as reader:
            work = reader.in_progress()
            if not address.startswith("http"):  # its protocol tells readers of no holder
                assert str(reader.running).startswith("`algosync apply` (")
                assert work.addresses == {WEIGHTS}
            assert not work.unseen
        writer.commit(TWO)
        with opened(address, tmp_path / "another machine", exclusive=False) as far:
            assert far.in_progress().unseen is unseen
        with opened(address, tmp_path, exclusive=False) as reader:
            assert reader.in_progress().addresses == frozenset()
            writer.commit(replace(TWO, size=9))
            assert reader.in_progress().addresses == {WEIGHTS}
    with opened(address, tmp_path, exclusive=False) as reader:
        assert reader.running is None
        assert (HELLO in reader.in_progress(), reader.in_progress().unseen) == (False, False)


def test_what_a_killed_command_left_is_not_in_progress(tmp_path: Path) -> None:
    writer = opened(str(tmp_path), tmp_path, exclusive=True)
    writer.commit(ONE)
    with writer.writing(HELLO, "update"):
        writer._backend.unlock()  # as the end of its process does
    before = tree(tmp_path)
    with opened(str(tmp_path), tmp_path, exclusive=False) as reader:
        assert reader.running is None
        assert reader.in_progress().addresses == frozenset()
        assert dict(reader.records) == {HELLO: replace(ONE, destination_stamp=None)}
    assert tree(tmp_path) == before


def test_an_address_is_in_progress_if_a_command_far_away_may_change_anything() -> None:
    from algosync.state.work_in_progress import WorkInProgress

    assert Address("data", "Other", "x") in WorkInProgress(unseen=True)
    assert Address("data", "Other", "x") not in WorkInProgress(frozenset({HELLO}))
