"""The session: what it records, what it refuses, and what remains after a crash."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_samples import HELLO, NAME, WEIGHTS, a_record, entries, tree

from algosync.core.address import Address
from algosync.core.codec import decode_state
from algosync.core.error import Corrupt, LockHeld, Stale, StateError
from algosync.core.resource import Record
from algosync.state import BACKENDS, Patience, Session, open_session
from algosync.state.entry import Entry, Forget, Intent, Result
from algosync.state.local import LocalBackend

ONE, TWO = a_record(HELLO, 1), a_record(WEIGHTS, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def writing(folder: Path) -> Session:
    return open_session(str(folder), NAME, exclusive=True)


def reading(folder: Path) -> Session:
    return open_session(str(folder), NAME, exclusive=False)


def crashed(folder: Path, name: str = "crashed") -> Path:
    """A copy of the folder: what a crash would leave now."""
    return Path(shutil.copytree(folder, folder.parent / name))


def seen(folder: Path) -> tuple[int, dict[Address, Record]]:
    with reading(folder) as session:
        return session.serial, dict(session.records)


def test_committed_records_are_there_in_the_next_session(folder: Path) -> None:
    with writing(folder) as session:
        assert (session.lineage, session.serial) == (None, 0)
        session.commit(ONE)
        session.commit(TWO)
        lineage = session.lineage
        assert lineage is not None
    assert seen(folder) == (2, {HELLO: ONE, WEIGHTS: TWO})
    with writing(folder) as session:
        session.forget(HELLO)
        assert (session.lineage, session.serial) == (lineage, 3)
    assert seen(folder) == (3, {WEIGHTS: TWO})
    assert sorted(tree(folder)) == [NAME, f"{NAME}.backup", f"{NAME}.lock"]


def test_the_lineage_is_made_once_and_never_changes(folder: Path) -> None:
    for lineage in ("first", "second"):
        backend = BACKENDS["file"](str(folder))(NAME, "algosync")
        with Session(backend, folder / "journal", exclusive=True, new_lineage=partial(str, lineage)) as session:
            session.commit(a_record(HELLO, len(lineage)))
            assert session.lineage == "first"


def test_a_reader_of_nothing_creates_nothing_in_its_folder(folder: Path, tmp_path: Path) -> None:
    with reading(folder) as session:
        assert (session.lineage, session.serial, dict(session.records)) == (None, 0, {})
    assert list(tmp_path.iterdir()) == []
    folder.mkdir()
    assert seen(folder) == (0, {})
    assert list(folder.iterdir()) == []


def test_a_session_that_records_nothing_writes_nothing(folder: Path) -> None:
    with writing(folder) as session:
        session.forget(HELLO)
    assert tree(folder) == {f"{NAME}.lock": b""}
    with writing(folder) as session:
        session.commit(ONE)
    before = tree(folder)
    with writing(folder) as session:
        session.commit(ONE)
        session.forget(WEIGHTS)
        assert session.serial == 1
    assert tree(folder) == before


def test_a_reader_never_writes(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
    before = tree(folder)
    with reading(folder) as session:
        attempts: tuple[Callable[[], object], ...] = (
            lambda: session.commit(TWO),
            lambda: session.forget(HELLO),
            session.writing(HELLO, "x").__enter__,
        )
        for attempt in attempts:
            with pytest.raises(StateError, match=r"is open for reading only$"):
                attempt()
    assert tree(folder) == before


def test_a_closed_session_refuses_changes(folder: Path) -> None:
    session = writing(folder)
    session.close()
    session.close()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: session.commit(ONE),
        lambda: session.forget(HELLO),
        session.writing(HELLO, "x").__enter__,
    )
    for attempt in attempts:
        with pytest.raises(StateError, match=r"is closed$"):
            attempt()
    assert tree(folder) == {f"{NAME}.lock": b""}


def test_one_writer_and_many_readers(folder: Path) -> None:
    with writing(folder) as session, reading(folder):
        session.commit(ONE)
        with pytest.raises(LockHeld):
            writing(folder)
        assert seen(folder) == (1, {HELLO: ONE})
    with reading(folder), reading(folder):
        writing(folder).close()


def test_a_session_that_cannot_open_leaves_no_lock(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).write_bytes(b"{}")
    for _ in range(2):
        with pytest.raises(Corrupt):
            writing(folder)


def test_waiting_for_the_lock_ends_when_it_is_free(folder: Path) -> None:
    first = writing(folder)
    first.commit(ONE)
    found: list[int] = []
    waiter = threading.Thread(target=lambda: found.append(_serial_after_waiting(folder)))
    waiter.start()
    first.commit(TWO)
    first.close()
    waiter.join(timeout=60)
    assert found == [2]


def _serial_after_waiting(folder: Path) -> int:
    with open_session(str(folder), NAME, exclusive=True, wait=Patience(30)) as session:
        return session.serial


# Writes with an unknown outcome.


def test_a_failed_write_loses_the_destination_stamp(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
        with pytest.raises(RuntimeError), session.writing(HELLO, "update"):
            raise RuntimeError
        with pytest.raises(RuntimeError), session.writing(WEIGHTS, "upload"):
            raise RuntimeError
        assert dict(session.records) == {HELLO: ONE}
    assert seen(folder) == (2, {HELLO: replace(ONE, destination_stamp=None)})


def test_a_recorded_write_keeps_the_destination_stamp(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
        with session.writing(HELLO, "update"):
            pass
        session.commit(ONE)
        with session.writing(WEIGHTS, "upload"):
            pass
        session.forget(WEIGHTS)
    assert seen(folder) == (3, {HELLO: ONE})


def test_a_crash_during_a_write_loses_the_destination_stamp_for_readers_and_writers(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
        session.commit(TWO)
        with session.writing(HELLO, "update"):
            left = crashed(folder)
    unknown = (3, {HELLO: replace(ONE, destination_stamp=None), WEIGHTS: TWO})
    before = tree(left)
    assert seen(left) == unknown
    assert tree(left) == before
    with writing(left) as session:
        assert (session.serial, dict(session.records)) == unknown
        again = crashed(left, "crashed again")
    assert seen(left) == unknown
    assert seen(again) == unknown


def test_an_announced_write_is_open_from_then_on_for_others_and_only_from_its_beginning_here(folder: Path) -> None:
    unknown = replace(ONE, destination_stamp=None)
    with writing(folder) as session:
        session.commit(ONE)
        session.announce([(HELLO, "overwrite"), (WEIGHTS, "upload")])
        assert seen(crashed(folder, "announced"))[1] == {HELLO: unknown}, "it may have begun before the crash"
    assert seen(folder) == (1, {HELLO: ONE}), "it did not begin"
    with writing(folder) as session:
        session.announce([(HELLO, "overwrite")])
        with pytest.raises(RuntimeError), session.writing(HELLO, "overwrite"):
            raise RuntimeError
    assert seen(folder)[1] == {HELLO: unknown}


def test_a_record_in_between_closes_an_announced_intent_so_the_write_opens_another(folder: Path) -> None:
    """As of a file whose previous bytes are recorded before it is overwritten."""
    later = replace(ONE, private={"previous": 1})
    with writing(folder) as session:
        session.commit(ONE)
        session.announce([(HELLO, "overwrite")])
        session.commit(later)
        with session.writing(HELLO, "overwrite"):
            left = crashed(folder)
    assert seen(left)[1] == {HELLO: replace(later, destination_stamp=None)}


def test_a_write_of_unknown_outcome_stays_open_if_another_one_is_announced(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
        with pytest.raises(RuntimeError), session.writing(HELLO, "recover"):
            raise RuntimeError
        session.announce([(HELLO, "overwrite")])
    assert seen(folder)[1] == {HELLO: replace(ONE, destination_stamp=None)}


def test_open_intents_outlive_folding(folder: Path) -> None:
    with writing(folder) as session:
        session.fold_every = 4
        session.commit(ONE)
        with session.writing(HELLO, "update"):
            for number in range(20):
                session.commit(a_record(WEIGHTS, number))
                left = crashed(folder, f"crashed {number}")
                assert seen(left) == (
                    number + 3,
                    {HELLO: replace(ONE, destination_stamp=None), WEIGHTS: a_record(WEIGHTS, number)},
                )


def test_the_length_of_the_journal_is_bounded(folder: Path) -> None:
    with writing(folder) as session:
        session.fold_every = 10
        sizes = set()
        for number in range(100):
            session.commit(a_record(HELLO, 100 + number))
            sizes.add(len((folder / f"{NAME}.journal").read_bytes().splitlines()))
        assert sizes == set(range(2, 12))


@settings(max_examples=25)
@given(found=st.lists(entries, max_size=15), fold_every=st.integers(1, 5), data=st.data())
def test_a_crash_anywhere_keeps_what_was_acknowledged(
    tmp_path_factory: pytest.TempPathFactory, found: list[Entry], fold_every: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("law") / "state"
    expected: dict[Address, Record] = {}
    pending: set[Address] = set()
    with writing(folder) as session:
        session.fold_every = fold_every
        for entry in found[: data.draw(st.integers(0, len(found)))]:
            _do(session, entry)
            pending = pending | {entry.address} if isinstance(entry, Intent) else pending - {entry.address}
            match entry:
                case Result(record):
                    expected[record.address] = record
                case Forget(address):
                    expected.pop(address, None)
                case Intent():
                    pass
        left = crashed(folder)
    unsure = {a: replace(r, destination_stamp=None) if a in pending else r for a, r in expected.items()}
    assert seen(left)[1] == unsure
    assert seen(folder) == seen(left)


def _do(session: Session, entry: Entry) -> None:
    match entry:
        case Intent(address, verb):
            with session.writing(address, verb):
                pass
        case Result(record):
            session.commit(record)
        case Forget(address):
            session.forget(address)


# Failures of the disk.


def test_a_state_changed_past_the_lock_is_not_overwritten(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
    session = writing(folder)
    session.commit(TWO)
    (folder / NAME).write_bytes(b"somebody else's")
    with pytest.raises(Stale) as caught:
        session.close()
    assert caught.value.message == f"{folder / NAME} was changed, past its lock, since it was read"
    assert (folder / NAME).read_bytes() == b"somebody else's"
    assert (folder / f"{NAME}.journal").exists()


class WithoutReply(LocalBackend):
    """While `silent`, it writes, and the reply is lost, as on a server."""

    silent = False

    def write(self, data: bytes, *, expect: str | None) -> None:
        super().write(data, expect=expect)
        if self.silent:
            raise StateError("no reply")


def test_a_save_whose_reply_is_lost_is_no_change_of_somebody_else(folder: Path) -> None:
    backend = WithoutReply(folder / NAME)
    with Session(backend, backend.journal, exclusive=True) as session:
        session.commit(ONE)
        backend.silent = True
        session.save()
        session.commit(TWO)
        session.save()
        backend.silent = False
        session.save()
        assert seen(folder) == (2, {HELLO: ONE, WEIGHTS: TWO})
    assert sorted(tree(folder)) == [NAME, f"{NAME}.backup", f"{NAME}.lock"]


def test_a_state_that_cannot_be_saved_is_not_lost(folder: Path) -> None:
    session = writing(folder)
    session.commit(ONE)
    (folder / f"{NAME}.tmp").mkdir()
    session.commit(TWO)
    with pytest.raises(StateError) as caught:
        session.close()
    assert caught.value.message == f"{folder / NAME} cannot be written: Is a directory"
    assert caught.value.hint == (
        f"Nothing is lost: {folder / NAME}.journal holds what was done, and the next command goes on from there."
    )
    assert seen(folder) == (2, {HELLO: ONE, WEIGHTS: TWO})
    (folder / f"{NAME}.tmp").rmdir()
    with writing(folder) as session:
        assert dict(session.records) == {HELLO: ONE, WEIGHTS: TWO}
    assert sorted(tree(folder)) == [NAME, f"{NAME}.backup", f"{NAME}.lock"]


def test_without_a_journal_there_is_no_write(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
    (folder / f"{NAME}.journal.tmp").mkdir()
    reached = []
    session = writing(folder)
    with pytest.raises(StateError, match="journal cannot be written: Is a directory"), session.writing(HELLO, "update"):
        reached.append("the cluster")
    session.close()
    assert reached == []
    assert seen(folder) == (1, {HELLO: ONE})


def test_damage_is_named_with_its_file_and_the_backup(folder: Path) -> None:
    for record in (ONE, TWO):
        with writing(folder) as session:
            session.commit(record)
    path = folder / NAME
    path.write_bytes(path.read_bytes().replace(b"destination 1", b"destination 7"))
    with pytest.raises(Corrupt) as caught:
        reading(folder)
    assert caught.value.message == f"{path} is damaged: its checksum is not that of its content"
    assert caught.value.hint == (
        f"Copy the backup {path}.backup to another place, and put it back with `algosync state push --force COPY`. What the backup "
        "lacks is then found and adopted again."
    )
    backup = Path(f"{path}.backup").read_bytes()
    Path(f"{path}.backup").unlink()
    with pytest.raises(Corrupt) as caught:
        reading(folder)
    assert str(caught.value.hint).startswith("Move it away to start anew: ")
    Path(f"{path}.backup").write_bytes(backup)
    (folder / f"{NAME}.backup").replace(path)
    assert seen(folder) == (1, {HELLO: ONE})


def test_the_way_out_that_damage_names_works(folder: Path) -> None:
    for record in (ONE, TWO):
        with writing(folder) as session:
            session.commit(record)
    (folder / NAME).write_text("{")
    (folder / f"{NAME}.backup").replace(folder / NAME)
    with reading(folder) as session:
        assert set(session.records) == {ONE.address}
    (folder / f"{NAME}.journal").write_text("damaged\n")
    with pytest.raises(Corrupt) as caught:
        reading(folder)
    assert str(caught.value.hint).startswith("Move it away to go on from the state as it was last saved.")
    (folder / f"{NAME}.journal").unlink()
    with reading(folder) as session:
        assert set(session.records) == {ONE.address}


def test_a_journal_without_state_and_lock_is_refused_alike_by_readers_and_writers(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
        journal = (folder / f"{NAME}.journal").read_bytes()
    for path in folder.iterdir():
        path.unlink()
    told = []
    for opened in (reading, writing):
        (folder / f"{NAME}.journal").write_bytes(journal)
        with pytest.raises(Corrupt) as caught:
            opened(folder)
        told.append((caught.value.message, caught.value.hint))
        (folder / f"{NAME}.lock").unlink(missing_ok=True)
    assert told[0] == told[1]
    assert "move the journal away" in str(told[0][1])


def test_a_journal_without_its_state_is_refused(folder: Path) -> None:
    with writing(folder) as session:
        session.commit(ONE)
        left, other = crashed(folder), crashed(folder, "other")
    (left / NAME).unlink()
    with pytest.raises(Corrupt) as caught:
        reading(left)
    assert caught.value.message == f"{left / NAME}.journal continues a state that is not there: {left / NAME}"
    with writing(folder) as session:
        session.commit(TWO)
    lineage = decode_state((folder / NAME).read_bytes()).lineage
    shutil.copy(folder / NAME, other / NAME)
    with pytest.raises(Corrupt) as caught:
        writing(other)
    assert caught.value.message == (
        f"{other / NAME}.journal continues another state: serial 0 of {lineage}, but the state is serial 2 of {lineage}"
    )


def test_of_several_entries_of_one_address_the_last_one_counts(folder: Path) -> None:
    before, between = a_record(HELLO, 1), a_record(HELLO, 2)
    with open_session(str(folder), NAME, exclusive=True) as session:
        session.commit(before)
        session.commit_all([between, before])
        assert session.records[HELLO] == before
        session.replace_records([HELLO], [before])
        assert session.records[HELLO] == before
    with open_session(str(folder), NAME, exclusive=False) as session:
        assert session.records[HELLO] == before
