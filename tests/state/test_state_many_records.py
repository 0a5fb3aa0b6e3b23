"""Sessions that record much: threads share fsyncs, and saving costs no more than the records do."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from state_samples import HELLO, NAME, WEIGHTS, a_record

from algosync.core import codec
from algosync.core.address import Address
from algosync.core.codec import record_to_json
from algosync.core.error import StateError
from algosync.core.resource import Json, Record
from algosync.state import Session, open_session

ONE, TWO = a_record(HELLO, 1), a_record(WEIGHTS, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def writing(folder: Path) -> Session:
    return open_session(str(folder), NAME, exclusive=True)


def crashed(folder: Path, name: str = "crashed") -> Path:
    """A copy of the folder: what a crash would leave now."""
    return Path(shutil.copytree(folder, folder.parent / name))


def seen(folder: Path) -> tuple[int, dict[Address, Record]]:
    with open_session(str(folder), NAME, exclusive=False) as session:
        return session.serial, dict(session.records)


def test_threads_share_fsyncs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, commits = 16, 100
    syncs: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        syncs.append(descriptor)
        real(descriptor)
        time.sleep(0.001)  # a disk takes at least as long

    def work(thread: int) -> None:
        for number in range(commits):
            session.commit(a_record(Address("data", "Hello", f"{thread} {number}")))

    monkeypatch.setattr(os, "fsync", fsync)
    with writing(folder) as session, ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    assert len(syncs) < threads * commits / 4
    serial, records = seen(folder)
    assert (serial, len(records)) == (threads * commits,) * 2


def test_what_threads_have_recorded_is_durable_when_each_goes_on(folder: Path) -> None:
    begun, threads = threading.Barrier(4), 4

    def work(thread: int) -> list[bool]:
        found = []
        for number in range(5):
            begun.wait(60)
            address = Address("data", "Hello", f"{thread} {number}")
            session.commit(a_record(address))
            left = crashed(folder, f"crashed {thread} {number}")
            found.append(address in seen(left)[1])
        return found

    with writing(folder) as session, ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(work, range(threads))) == [[True] * 5] * threads


def test_a_failed_fsync_fails_every_thread_that_waited_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = threading.Event(), threading.Event()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        inside.set()
        assert go_on.wait(60)
        raise OSError(errno.EIO, "the disk is broken")

    with writing(folder) as session, ThreadPoolExecutor(3) as pool:
        session.commit(ONE)
        monkeypatch.setattr(os, "fsync", fsync)
        first = pool.submit(session.commit, TWO)
        assert inside.wait(60)
        rest = [pool.submit(session.commit, a_record(Address("data", "Hello", str(number)))) for number in range(2)]
        go_on.set()
        assert all(isinstance(future.exception(60), StateError) for future in (first, *rest))
        monkeypatch.setattr(os, "fsync", real)
        assert dict(session.records) == {HELLO: ONE}
        session.commit(TWO)
    assert seen(folder) == (2, {HELLO: ONE, WEIGHTS: TWO})


def test_an_entry_that_cannot_be_recorded_fails_alone(folder: Path) -> None:
    not_json: Any = b"y"
    with writing(folder) as session:
        session.commit(ONE)
        with pytest.raises(StateError, match="cannot be recorded"):
            session.commit(a_record(WEIGHTS, x=not_json))
        session.commit(TWO)
    assert seen(folder) == (2, {HELLO: ONE, WEIGHTS: TWO})


def _saved_and_copied(folder: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many records were encoded while this many were committed one by one and looked up."""
    encoded: list[object] = []

    def counting(record: Record) -> Mapping[str, Json]:
        encoded.append(record)
        return record_to_json(record)

    monkeypatch.setattr(codec, "record_to_json", counting)
    with writing(folder) as session:
        session.fold_every = 10
        for place in range(number):
            session.commit(a_record(Address("data", "Hello", str(place))))
    return len(encoded)


def test_the_records_that_are_saved_grow_with_their_number_and_not_with_its_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (_saved_and_copied(tmp_path / str(n), n, monkeypatch) for n in (200, 400))
    assert few < many < 2.5 * few
