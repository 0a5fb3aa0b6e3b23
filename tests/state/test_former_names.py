"""A local cluster's state under the names that older versions gave it: found, read in place, renamed, and locked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from state_samples import a_record

from algosync.core.address import Address
from algosync.core.error import LockHeld
from algosync.core.resource import Record
from algosync.state import Located, located, open_session, parse_address, state_name

NEW = state_name("w", "local-staging-1a2b3c4d", "me")
OLD = state_name("w", "local:staging", "me")
OTHER = state_name("w", "http://127.0.0.1:8080", "me")


def record(algorithm: str) -> Record:
    return a_record(Address("algorithm", algorithm))


def find(folder: Path, *, exclusive: bool) -> Located:
    create = parse_address(str(folder))
    with located(lambda name: create(name, "test"), NEW, [OLD, OTHER], exclusive=exclusive) as found:
        return found


def write(folder: Path, name: str, *algorithms: str, at: float | None = None) -> None:
    with open_session(str(folder), name, exclusive=True) as session:
        for algorithm in algorithms:
            session.commit(record(algorithm))
    if at is not None:
        os.utime(folder / name, (at, at))


def algorithms(folder: Path, name: str) -> set[str]:
    with open_session(str(folder), name, exclusive=False) as session:
        return {address.algorithm for address in session.records}


def test_the_identity_makes_a_readable_name() -> None:
    assert NEW == "w@local-staging-1a2b3c4d~me.json"


def test_a_first_command_creates_nothing_under_former_names(tmp_path: Path) -> None:
    assert find(tmp_path, exclusive=True) == Located(NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_reads_in_place_and_a_writer_renames(tmp_path: Path) -> None:
    write(tmp_path, OLD, "One")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert find(tmp_path, exclusive=False) == Located(OLD)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    state = (tmp_path / OLD).read_bytes()
    assert find(tmp_path, exclusive=True) == Located(NEW)
    assert (tmp_path / NEW).read_bytes() == state
    assert not (tmp_path / OLD).exists()
    assert find(tmp_path, exclusive=True) == Located(NEW)
    assert algorithms(tmp_path, NEW) == {"One"}


def test_a_journal_moves_with_its_state(tmp_path: Path) -> None:
    """A command of an older version was killed. What it did is not lost."""
    write(tmp_path, OLD, "One")
    session = open_session(str(tmp_path), OLD, exclusive=True)
    session.commit(record("Two"))
    session._backend.unlock()  # as the end of the process does, without closing the session
    assert (tmp_path / f"{OLD}.journal").exists()
    assert find(tmp_path, exclusive=True) == Located(NEW)
    assert algorithms(tmp_path, NEW) == {"One", "Two"}


def test_an_interrupted_renaming_is_continued(tmp_path: Path) -> None:
    write(tmp_path, OLD, "One")
    session = open_session(str(tmp_path), OLD, exclusive=True)
    session.commit(record("Two"))
    session._backend.unlock()
    (tmp_path / f"{OLD}.journal").rename(tmp_path / f"{NEW}.journal")
    assert find(tmp_path, exclusive=True) == Located(NEW)
    assert algorithms(tmp_path, NEW) == {"One", "Two"}


@pytest.mark.parametrize(("newer", "older"), [(OLD, OTHER), (OTHER, OLD)])
def test_of_two_the_newer_is_used_and_the_other_is_named(tmp_path: Path, newer: str, older: str) -> None:
    write(tmp_path, newer, "New", at=2000)
    write(tmp_path, older, "Old", at=1000)
    assert find(tmp_path, exclusive=False) == Located(newer, (str(tmp_path / older),))
    assert find(tmp_path, exclusive=True) == Located(NEW, (str(tmp_path / older),))
    assert algorithms(tmp_path, NEW) == {"New"}
    assert algorithms(tmp_path, older) == {"Old"}


def test_one_without_records_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, OLD, "One", at=1000)
    write(tmp_path, OTHER, "Gone", at=2000)
    with open_session(str(tmp_path), OTHER, exclusive=True) as session:
        session.forget(record("Gone").address)
    assert find(tmp_path, exclusive=False) == Located(OLD)


def test_a_lock_on_a_former_name_is_honoured_by_writers(tmp_path: Path) -> None:
    """An older version may be applying, also for the first time."""
    with open_session(str(tmp_path), OTHER, exclusive=True, command="older"):
        with pytest.raises(LockHeld, match="`older`"):
            find(tmp_path, exclusive=True)
        assert find(tmp_path, exclusive=False) == Located(NEW)
    assert find(tmp_path, exclusive=True) == Located(NEW)


def test_a_former_name_stays_locked_while_the_new_one_is_used(tmp_path: Path) -> None:
    write(tmp_path, OLD, "One")
    create = parse_address(str(tmp_path))
    with located(lambda name: create(name, "newer"), NEW, [OLD], exclusive=True), pytest.raises(LockHeld, match="`newer`"):
        open_session(str(tmp_path), OLD, exclusive=True)
    open_session(str(tmp_path), OLD, exclusive=True).close()
