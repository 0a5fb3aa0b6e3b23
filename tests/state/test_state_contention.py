"""The contract of backends between processes, for each of `BACKENDS`: no update is lost, and a killed process frees its lock."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest
from state_child import count_on, count_up, hold, record_results, reports, start
from state_samples import HELLO, NAME

from algosync.core.address import Address
from algosync.core.error import LockHeld
from algosync.state import Patience, TestResults, open_session, parse_address

SESSIONS = int(os.environ.get("ALGOSYNC_TEST_SESSIONS", "2"))
"""Sessions of each of the eight processes, with two commits each."""
KILLS = int(os.environ.get("ALGOSYNC_TEST_KILLS", "10"))


def test_eight_writers_lose_no_update(address: str) -> None:
    children = [start(count_up, address, SESSIONS, 2) for _ in range(8)]
    assert [reports(*child) for child in children] == [["done"]] * 8
    with open_session(address, NAME, exclusive=False) as session:
        assert session.serial == 8 * SESSIONS * 2 * 2
        assert session.records[HELLO].size == 8 * SESSIONS * 2
        assert len(session.records) == 1 + 8 * SESSIONS * 2


def test_eight_processes_that_record_results_lose_none(address: str) -> None:
    tests = [Address("test", "Hello", f"{process} {number}") for process in range(8) for number in range(3)]
    children = [start(record_results, address, tests[3 * n : 3 * n + 3], tests) for n in range(8)]
    assert [reports(*child) for child in children] == [[""] * 3] * 8
    found, warning = TestResults(lambda name: parse_address(address)(name, "algosync plan"), NAME).read()
    assert (set(found), warning) == (set(tests), "")


def test_a_writer_is_refused_and_a_reader_is_not_until_the_holder_is_killed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LEASE", "6")
    process, pipe = start(hold, address)
    assert pipe.recv() == "locked"
    for wait in (0.0, 0.1):
        with pytest.raises(LockHeld, match=re.escape("is in use by `algosync apply` (")):
            open_session(address, NAME, exclusive=True, wait=Patience(wait))
        with open_session(address, NAME, exclusive=False) as session:
            assert address.startswith("http") or str(session.running).startswith("`algosync apply` (")
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    _take_after_a_kill(address)
    open_session(address, NAME, exclusive=True).close()


@pytest.mark.extended
def test_killed_processes_leave_no_lock_behind(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Kills at any moment of opening, recording, saving and closing. The journal survives on this machine, so nothing is lost."""
    monkeypatch.setenv("TEST_LEASE", "2")
    dice = random.Random(address.partition(":")[0])
    acknowledged = 0
    for _ in range(KILLS):
        process, pipe = start(count_on, address, tmp_path / "journals")
        pipe.poll(20)
        time.sleep(dice.random() / 5)
        os.kill(process.pid or 0, signal.SIGKILL)
        acknowledged = max([acknowledged, *reports(process, pipe)])
        _take_after_a_kill(address)
        with open_session(address, NAME, exclusive=True, journals=tmp_path / "journals") as session:
            known = session.records.get(HELLO)
            assert (0 if known is None else known.size or 0) >= acknowledged
    assert acknowledged > KILLS / 2


def _take_after_a_kill(address: str) -> None:
    """Takes and releases the lock as the next command does: at once, after the lease, or after `state unlock`."""
    backend = parse_address(address)(NAME, "algosync apply")
    if address.startswith("http"):
        holder = backend.holder()
        if holder is not None:
            backend.break_lock(holder.lock_id)
    wait = {"s3": 30.0, "postgresql": 10.0}.get(
        address.partition(":")[0], 0.0
    )  # the server ends a session a moment after its client
    Patience(wait).take(backend.lock)
    backend.unlock()
