"""`emulator logs` over a log of requests that has become too large, and has begun anew."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from harness import Workspace

STUCK = """
import signal, time
from algosync.cli import interrupt
interrupt.install()
with interrupt.silently():
    try:
        print("following", flush=True)
        signal.pause()
    except interrupt.Signalled:
        time.sleep(100)
"""


def test_what_only_shows_ends_without_a_word_even_where_it_is_stuck(tmp_path: Path) -> None:
    """The thread that ends it then says nothing of stopping what runs, either."""
    stuck = python(tmp_path, "-c", STUCK)
    with stuck:
        assert stuck.stdout is not None
        assert stuck.stdout.readline() == "following\n"
        stuck.send_signal(signal.SIGINT)
        assert stuck.communicate(timeout=60) == ("", "")
    assert stuck.returncode == 130


def test_following_goes_on_in_the_new_file(tmp_path: Path) -> None:
    root = tmp_path / "state" / "local" / "default"
    root.mkdir(parents=True)
    log, older = root / "requests.jsonl", root / "requests.older.jsonl"
    (root / "server.log").write_text("Serving\n")
    older.write_text("1\n")
    log.write_text("2\n")
    follower = python(tmp_path, "-m", "algosync", "emulator", "logs", "--follow")
    with follower:
        assert follower.stdout is not None
        assert [follower.stdout.readline() for _ in range(3)] == ["1\n", "Serving\n", "2\n"]
        with log.open("a") as file:
            file.write("3\n")
        log.replace(older)
        log.write_text("4\n")
        assert [follower.stdout.readline() for _ in range(2)] == ["3\n", "4\n"]
        follower.send_signal(signal.SIGINT)
        # Nothing that sounds as if the cluster were stopped.
        assert follower.communicate(timeout=60) == ("", "")
    assert follower.returncode == 130


def python(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A Python that runs in a folder, as a user has it."""
    command, environment = [sys.executable, *arguments], Workspace(folder).environment()
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
