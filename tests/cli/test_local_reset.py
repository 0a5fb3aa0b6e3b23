"""`emulator reset`: what it removes, and what it leaves."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from harness import Workspace
from local_commands import cluster_root, listening, only_stderr, stdout_of

from algosync.cli.local import reset
from algosync.emulator.processes.removal import remove
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database


def test_reset_asks_and_leaves_only_locks_and_the_identity(place: Workspace) -> None:
    url = stdout_of(place, "start", "--tls").strip()
    assert "approval is required" in only_stderr(place, "reset")
    assert on_a_terminal(place, "no") == 1
    assert listening(url)
    assert on_a_terminal(place, "yes") == 0
    assert not listening(url)
    assert sorted(path.name for path in cluster_root(place).iterdir()) == [
        ".gitignore",
        "identity",
        "server.lock",
        "start.lock",
        "users.lock",
    ]
    assert (
        only_stderr(place, "reset", "--auto-approve", "--name", "none", code=0)
        == f"There is no local cluster none in {place.folder / 'state' / 'local'}.\n"
    )


def test_reset_reports_what_it_could_not_remove(place: Workspace) -> None:
    stuck = cluster_root(place) / "cluster.sqlite"
    stuck.mkdir(parents=True)
    assert f"the local cluster default is not removed yet: {stuck}: Is a directory" in only_stderr(place, "reset", "--auto-approve")
    stuck.rmdir()
    assert only_stderr(place, "reset", code=0) == f"There is no local cluster default in {place.folder / 'state' / 'local'}.\n"


def test_reset_removes_folders_of_any_depth(place: Workspace) -> None:
    folder = cluster_root(place) / "run"
    folder.mkdir(parents=True)
    for _ in range(1100):
        folder /= "e"
        folder.mkdir()
    try:
        told = f"There is no local cluster default in {place.folder / 'state' / 'local'}.\n"
        assert only_stderr(place, "reset", "--auto-approve", code=0) == told
        assert sorted(path.name for path in cluster_root(place).iterdir()) == ["start.lock", "users.lock"]
    finally:
        # pytest cannot remove a folder of this depth.
        remove(cluster_root(place) / "run")


@pytest.mark.parametrize("done", [1, 2])
def test_an_interrupted_reset_revives_no_removed_key(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """It was removed in the write-ahead log, and is still in the database's file."""
    with closing(Database(tmp_path / "old.sqlite")) as database:
        accounts = Accounts(database)
        accounts.set_key("local", "simMain")
        accounts.add_key("local", "simRemoved")
        database._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert [accounts.remove_key(key.id) for key in accounts.key_records()] == [False, True]
        for end in ("", "-wal", "-shm"):
            shutil.copy(tmp_path / f"old.sqlite{end}", root / f"cluster.sqlite{end}")
    removed: list[Path] = []
    unlink = Path.unlink

    def cut(path: Path, missing_ok: bool = False) -> None:
        if len(removed) == done:
            raise KeyboardInterrupt
        unlink(path, missing_ok)
        removed.append(path)

    monkeypatch.setattr(Path, "unlink", cut)
    (root / "requests.jsonl").touch()
    with pytest.raises(KeyboardInterrupt):
        reset.remove_files(root)
    with closing(Database(root / "cluster.sqlite")) as database:
        assert Accounts(database).caller("simRemoved") is None
        assert Accounts(database).key_records() == []


def on_a_terminal(place: Workspace, answer: str) -> int:
    """Runs `reset` on a terminal, gives the answer, and returns the exit code."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "algosync", "emulator", "reset"]
    environment = {name: value for name, value in place.environment().items() if name != "CI"}
    process = subprocess.Popen(command, cwd=place.folder, env=environment, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    seen = b""
    while b"Enter a value: " not in seen:
        seen += os.read(controller, 1000)
    os.write(controller, answer.encode() + b"\n")
    code = process.wait(60)
    os.close(controller)
    return code
