"""`emulator logs`, also while the request log is replaced because it has become too large."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from harness import Workspace
from local_commands import only_stderr, roots, stdout_of

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


def test_logs_show_the_server_and_its_requests(place: Workspace) -> None:
    never = f"Error: there is no local cluster default in {place.folder / 'state' / 'local'} that has been started\n"
    assert only_stderr(place, "logs").startswith(never)
    url = stdout_of(place, "start").strip()
    assert roots(url, "wrong\x1b") == 401
    long = f"/{'x' * 3000}"
    roots(f"{url}{long}", "wrong")
    *shown, cut = stdout_of(place, "logs").splitlines()
    assert cut.split("  ")[1:4] == ["401", "-", "GET"], "long lines are cut after they were read"
    assert shown[0] == f"Serving {url}"
    [*told, size, error, refusal] = next(line.split("  ")[1:] for line in shown if "/v1/" in line)
    assert (told, size[-2:], error) == (["401", "-", "GET", "/v1/data/"], " B", "error: The API key is unknown or invalid")
    assert re.fullmatch(r"id: [0-9a-f-]{36}", refusal)
    follower = subprocess.Popen(
        [sys.executable, "-m", "algosync", "emulator", "logs", "--follow"],
        cwd=place.folder,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with follower:
        assert follower.stdout is not None
        for _ in [*shown, cut]:
            follower.stdout.readline()
        roots(url, "later")
        assert "GET  /v1/data/" in follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
    assert follower.returncode == 130


def test_a_silent_command_ends_without_a_message_even_if_it_hangs(tmp_path: Path) -> None:
    """The thread that ends the process writes no message about stopping either."""
    stuck = python(tmp_path, "-c", STUCK)
    with stuck:
        assert stuck.stdout is not None
        assert stuck.stdout.readline() == "following\n"
        stuck.send_signal(signal.SIGINT)
        assert stuck.communicate(timeout=60) == ("", "")
    assert stuck.returncode == 130


def test_following_continues_in_the_new_file(tmp_path: Path) -> None:
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
        # No message that the cluster would stop.
        assert follower.communicate(timeout=60) == ("", "")
    assert follower.returncode == 130


def python(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A Python process that runs in a folder with a user's environment."""
    command, environment = [sys.executable, *arguments], Workspace(folder).environment()
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
