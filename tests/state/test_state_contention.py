"""Several processes on one state: no update is lost, and a process that does not wait is told who holds the lock."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from state_child import count_up, hold, reports, start
from state_samples import HELLO, NAME

from algosync.core.error import LockHeld
from algosync.state import open_session


def test_eight_writers_lose_no_update(tmp_path: Path) -> None:
    children = [start(count_up, tmp_path, 5, 5) for _ in range(8)]
    assert [reports(*child) for child in children] == [["done"]] * 8
    with open_session(str(tmp_path), NAME, exclusive=False) as session:
        assert session.serial == 8 * 25 * 2
        assert session.records[HELLO].size == 8 * 25
        assert len(session.records) == 1 + 8 * 25


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_process_that_does_not_wait_is_refused(tmp_path: Path, exclusive: bool) -> None:
    process, pipe = start(hold, tmp_path)
    assert pipe.recv() == "locked"
    for wait in (0.0, 0.1):
        with pytest.raises(LockHeld) as caught:
            open_session(str(tmp_path), NAME, exclusive=exclusive, wait=wait)
        start_of_it = re.escape(f"{tmp_path / NAME} is in use by `algosync apply` (pid {process.pid}, since ")
        assert re.fullmatch(start_of_it + r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\)", caught.value.message)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
