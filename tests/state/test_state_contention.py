"""The contract of backends between processes, for each of `BACKENDS`: no update is lost, and a killed process frees its lock."""

from __future__ import annotations

import os
import re
import signal

import pytest
from state_child import count_up, hold, record_results, reports, start
from state_samples import HELLO, NAME

from algosync.core.address import Address
from algosync.core.error import LockHeld
from algosync.state import TestResults, open_session, parse_address


def test_eight_writers_lose_no_update(address: str) -> None:
    children = [start(count_up, address, 2, 2) for _ in range(8)]
    assert [reports(*child) for child in children] == [["done"]] * 8
    with open_session(address, NAME, exclusive=False) as session:
        assert session.serial == 8 * 4 * 2
        assert session.records[HELLO].size == 8 * 4
        assert len(session.records) == 1 + 8 * 4


def test_eight_processes_that_record_results_lose_none(address: str) -> None:
    tests = [Address("test", "Hello", f"{process} {number}") for process in range(8) for number in range(3)]
    children = [start(record_results, address, tests[3 * n : 3 * n + 3], tests) for n in range(8)]
    assert [reports(*child) for child in children] == [[""] * 3] * 8
    found, warning = TestResults(lambda name: parse_address(address)(name, "algosync plan"), NAME).read()
    assert (set(found), warning) == (set(tests), "")


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_process_that_does_not_wait_is_refused_until_the_holder_is_killed(address: str, exclusive: bool) -> None:
    process, pipe = start(hold, address)
    assert pipe.recv() == "locked"
    for wait in (0.0, 0.1):
        with pytest.raises(LockHeld, match=re.escape("is in use by `algosync apply` (")):
            open_session(address, NAME, exclusive=exclusive, wait=wait)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    open_session(address, NAME, exclusive=exclusive).close()
