"""Commands of local clusters wait for each other."""

from __future__ import annotations

import fcntl
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from harness import Workspace
from local_commands import PLAIN_KEY, cluster_root, document, only_stderr, roots, stdout_of

from algosync.cli.local import cluster_locks, stop
from algosync.cli.terminal import Terminal


def test_reset_refuses_a_cluster_in_use_and_stop_reports_it(place: Workspace) -> None:
    url = stdout_of(place, "start").strip()
    users = os.open(cluster_root(place) / "users.lock", os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_SH)
    # Both commands wait a moment, because the other one may be about to end.
    refused = only_stderr(place, "reset", "--auto-approve")
    assert "Error: commands are using the local cluster default; nothing was changed" in refused
    assert roots(url, str(document(place)["key"])) == ["local"]
    assert only_stderr(place, "stop", code=0) == "The local cluster default has stopped, while commands were using it.\n"
    os.close(users)
    stdout_of(place, "reset", "--auto-approve")


def test_exclusive_use_waits_for_a_command_that_is_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of a command that has returned ends a moment later."""
    monkeypatch.setattr(cluster_locks, "_UNUSED_WITHIN", 60)
    with (tmp_path / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, fcntl.flock, (users, fcntl.LOCK_UN))
        timer.start()
        with cluster_locks.exclusive_use(tmp_path) as unused:
            assert unused
        timer.join()


def test_stop_holds_no_start_lock_while_it_waits(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another command can start the cluster meanwhile, so that it ends earlier."""
    cluster_root(place).mkdir(parents=True)
    users = os.open(cluster_root(place) / "users.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        with (cluster_root(place) / "start.lock").open("w") as start:
            fcntl.flock(start, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(users)

    monkeypatch.setattr(cluster_locks, "time", SimpleNamespace(monotonic=time.monotonic, sleep=wait))
    err = io.StringIO()
    context = SimpleNamespace(obj=Terminal(io.StringIO(), err, (False, False), live=False))
    stop.stop(context, local_home=cluster_root(place).parent, state=place.folder / "state", name="default")
    assert err.getvalue() == f"There is no local cluster default in {place.folder / 'state' / 'local'}.\n"
    assert len(waits) == 1


def test_key_add_waits_while_the_cluster_is_started_or_removed(place: Workspace) -> None:
    cluster_root(place).mkdir(parents=True)
    start = os.open(cluster_root(place) / "start.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(start, fcntl.LOCK_EX)
    command = [sys.executable, "-m", "algosync", "emulator", "key", "add"]
    with subprocess.Popen(command, cwd=place.folder, env=place.environment(), stdout=subprocess.PIPE, text=True) as adding:
        while not waits_for_a_lock(adding.pid):
            assert adding.poll() is None
            time.sleep(0.02)
        assert not (cluster_root(place) / "cluster.sqlite").exists()
        os.close(start)
        assert PLAIN_KEY.fullmatch(adding.communicate(timeout=60)[0])


def waits_for_a_lock(pid: int) -> bool:
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(line[1] == "->" and line[5] == str(pid) for line in lines)
