"""Processes that die at each failpoint, and at any moment: no acknowledged change is lost, and the next process goes on."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from state_child import (
    apply_two,
    commit_forever,
    hold,
    read_as_nobody,
    reports,
    run_out_of_space,
    start,
    write_without_umask,
)
from state_samples import HELLO, NAME, WEIGHTS, a_record

from algosync.core.address import Address
from algosync.state import open_session
from algosync.state.failpoint import failpoint

PLACES = (
    "state.before@state",
    "state.after_write@state",
    "create.before@algorithm.Hello",
    "create.after@algorithm.Hello",
    "update.before@algorithm.Hello",
    "update.after@algorithm.Hello",
    "record.before@algorithm.Hello",
    "record.after@algorithm.Hello",
    f"upload.before@{WEIGHTS}",
    f"upload.after@{WEIGHTS}",
    f"record.before@{WEIGHTS}",
    f"record.after@{WEIGHTS}",
    "state.before@state",
    "state.after_write@state",
    "state.after@state",
    "journal.removed@state",
)
BOTH = {HELLO: a_record(HELLO, 1), WEIGHTS: a_record(WEIGHTS, 2)}


def test_a_clean_run_passes_every_failpoint_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process, pipe = start(apply_two, tmp_path / "state", {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT_LOG": str(log)})
    reports(process, pipe)
    assert process.exitcode == 0
    assert tuple(log.read_text().splitlines()) == PLACES


@pytest.mark.parametrize(
    ("place", "action"),
    [(place, action) for place in sorted(set(PLACES)) for action in ("kill", "error")] + [("update.after@algorithm.Hello", "exit")],
)
def test_after_a_death_at_any_place_the_same_command_converges(tmp_path: Path, place: str, action: str) -> None:
    environment = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": f"{place}:{action}"}
    process, pipe = start(apply_two, tmp_path, environment)
    reports(process, pipe)
    assert process.exitcode == {"kill": -signal.SIGKILL, "exit": 70, "error": 1}[action]
    with open_session(str(tmp_path), NAME, exclusive=False) as session:
        for record in session.records.values():
            assert record == BOTH[record.address]
        known = set(session.records)
    passed = PLACES.index(place)
    if passed >= PLACES.index("record.after@algorithm.Hello"):
        assert HELLO in known
    if passed >= PLACES.index(f"record.after@{WEIGHTS}"):
        assert WEIGHTS in known
    process, pipe = start(apply_two, tmp_path, {})
    reports(process, pipe)
    assert process.exitcode == 0
    with open_session(str(tmp_path), NAME, exclusive=False) as session:
        assert dict(session.records) == BOTH


def test_failpoints_need_a_switch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALGOSYNC_FAILPOINT", "publish.after@version.Hello:error")
    monkeypatch.setenv("ALGOSYNC_FAILPOINT_LOG", str(tmp_path / "log"))
    failpoint("publish.after", "version.Hello")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("ALGOSYNC_TESTING", "1")
    failpoint("publish.before", "version.Hello")
    with pytest.raises(OSError, match=r"failpoint publish\.after@version\.Hello"):
        failpoint("publish.after", "version.Hello")
    assert (tmp_path / "log").read_text() == "publish.before@version.Hello\npublish.after@version.Hello\n"
    monkeypatch.setenv("ALGOSYNC_FAILPOINT", 'upload.after@data.A["a:b"]:error;publish.after@version.Hello:explode')
    with pytest.raises(OSError, match=r"failpoint upload\.after"):
        failpoint("upload.after", Address("data", "A", "a:b"))
    with pytest.raises(ValueError, match="'explode' is none of kill, stop, exit, error"):
        failpoint("publish.after", "version.Hello")


@pytest.mark.parametrize("threads", [1, 3])
def test_a_process_killed_at_any_moment_keeps_what_it_acknowledged(tmp_path: Path, threads: int) -> None:
    dice = random.Random(threads)
    newest = 0
    for _ in range(10):
        process, pipe = start(commit_forever, tmp_path, threads)
        acknowledged = [pipe.recv() for _ in range(dice.randint(0, 25))]
        pipe.poll(dice.random() / 100)
        os.kill(process.pid or 0, signal.SIGKILL)
        acknowledged += reports(process, pipe)
        with open_session(str(tmp_path), NAME, exclusive=False) as session:
            kept = session.records
        for address, number in acknowledged:
            assert (kept[address].size or 0) >= number
        for address, record in kept.items():
            assert record.digest == a_record(address, record.size or 0).digest
        assert sum(record.size or 0 for record in kept.values()) >= newest
        newest = sum(record.size or 0 for record in kept.values())
    assert newest > 10


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process, pipe = start(hold, str(tmp_path))
    assert pipe.recv() == "locked"
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    with open_session(str(tmp_path), NAME, exclusive=True) as session:
        assert session.serial == 0


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    process, pipe = start(run_out_of_space, tmp_path)
    journal = f"{tmp_path / NAME}.journal"
    first, second, last = reports(process, pipe)
    assert process.exitcode == 0
    assert first == (f"{journal} cannot be written: File too large", f"look at {tmp_path}; --state keeps the state elsewhere")
    kept = f"Nothing is lost: {journal} holds what was done, and the next command goes on from there."
    assert second == (f"{tmp_path / NAME} cannot be written: File too large", kept)
    assert last == (2, {HELLO: a_record(HELLO, 1), WEIGHTS: a_record(WEIGHTS, 4)})
    with open_session(str(tmp_path), NAME, exclusive=False) as session:
        assert (session.serial, dict(session.records)) == last


def test_nothing_is_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    process, pipe = start(write_without_umask, tmp_path / "new" / "state")
    [modes] = reports(process, pipe)
    assert process.exitcode == 0
    names = (".gitignore", NAME, f"{NAME}.backup", f"{NAME}.journal", f"{NAME}.lock")
    assert modes == {"new": 0o700, "state": 0o700, **dict.fromkeys(names, 0o600)}


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that other users can reach, which pytest's own folders are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_read_only_state_is_read(public_folder: Path) -> None:
    folder = public_folder / "state"
    with open_session(str(folder), NAME, exclusive=True) as session:
        session.commit(BOTH[HELLO])
    (folder / f"{NAME}.lock").unlink()
    (folder / NAME).chmod(0o644)
    folder.chmod(0o755)
    process, pipe = start(read_as_nobody, folder)
    assert reports(process, pipe) == [1, (False, f"{folder / NAME}.lock cannot be locked: Permission denied")]
    assert process.exitcode == 0
