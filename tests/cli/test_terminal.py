"""Commands on a real terminal: the prompt, the live progress display, signals."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest
from harness import Cluster, Workspace

from algosync.emulator.records.accounts import key_id


class Session:
    """A command on a pseudo-terminal. `shown` is everything it has written so far."""

    def __init__(self, workspace: Workspace, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        environ = {**workspace.environment(), "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        environ.pop("CI", None)
        environ.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "algosync", *arguments],
            cwd=workspace.folder,
            env=environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def until(self, text: str, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{text!r} was not shown:\n{self.shown}"
            if not self._read():
                break
        assert text in self.shown, f"it ended without {text!r}:\n{self.shown}"

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the command has closed its side
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(60)


SLOW = "import time\n\n\ndef apply(input):\n    time.sleep(1000)\n    return input\n"


@pytest.fixture
def one(workspace: Workspace) -> Workspace:
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", b"a" * 3_000_000)
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])
    return workspace


def test_apply_asks_for_yes_and_shows_live_progress(one: Workspace) -> None:
    session = Session(one, "apply")
    session.until("Enter a value: ")
    assert "Only 'yes' will be accepted to approve." in session.shown
    session.type("yes\n")
    session.until("Apply complete!")
    assert session.end() == 0
    assert "\x1b[32m+\x1b[0m" in session.shown
    assert "version.One: Building" in session.shown
    assert "\x1b[?25l" in session.shown  # the cursor is hidden while rows are redrawn
    assert session.shown.rindex("\x1b[?25h") > session.shown.rindex("\x1b[?25l")  # and is shown afterwards


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", "\x04"])
def test_any_other_answer_declines(cluster: Cluster, one: Workspace, answer: str) -> None:
    with cluster.writes() as writes:
        session = Session(one, "apply")
        session.until("Enter a value: ")
        session.type(answer)
        assert session.end() == 1
    assert writes.lines == ()
    assert "nothing was changed" in session.shown


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_the_prompt(cluster: Cluster, one: Workspace, number: signal.Signals, code: int) -> None:
    with cluster.writes() as writes:
        session = Session(one, "apply")
        session.until("Enter a value: ")
        session.process.send_signal(number)
        assert session.end() == code
    assert writes.lines == ()
    assert "Traceback" not in session.shown
    assert "Interrupted." in session.shown


def test_a_typed_key_is_not_echoed(workspace: Workspace) -> None:
    made = workspace.run("emulator", "key", "add").stdout.strip()
    session = Session(workspace, "emulator", "key", "remove", "-")
    session.until("Key: ")
    session.type(f"{made}\n")
    assert session.end() == 0
    assert session.shown.splitlines() == ["Key: ", f"The key {key_id(made)} is removed."]


def test_changes_made_during_the_prompt_are_not_overwritten(cluster: Cluster, one: Workspace) -> None:
    one.apply()
    one.data("models", "a.bin", b"b" * 3_000_000)
    session = Session(one, "apply")
    session.until("Enter a value: ")
    cluster.api().data.put("local", "One", "a.bin", [b"theirs"], 6)
    session.type("yes\n")
    assert session.end() == 4  # the new version's commit was pushed
    assert "somebody changed it since the plan was made" in session.shown
    with cluster.api().data.open("local", "One", "a.bin") as download:
        assert b"".join(download.blocks) == b"theirs"


def test_lines_are_written_above_the_live_progress(one: Workspace) -> None:
    """Each starts at the beginning of a line: after a line break, or after the rows were cleared."""
    import re

    session = Session(one, "apply", "--auto-approve")
    session.until("Apply complete!")
    assert session.end() == 0
    before = re.findall(
        r"(.{1,4})(?:source|version|algorithm)\.One: (?:\x1b\[[0-9;]+m)?(?:Pushed|Built|Published|Created)",
        session.shown,
        re.DOTALL,
    )
    assert len(before) >= 1
    assert [text for text in before if not re.search(r"(?:\n|\x1b\[[0-9]*[A-Z]|\r)$", text)] == []


def test_a_second_signal_ends_the_command_and_the_next_run_continues(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("Slow", SLOW)
    workspace.write([{"name": "Slow", "language": "python3", "test_payload": 1}])
    session = Session(workspace, "apply", "--auto-approve")
    session.until("test.Slow: Testing")
    session.process.send_signal(signal.SIGINT)
    session.until("a second signal stops at once")
    session.process.send_signal(signal.SIGINT)
    assert session.end() == 130
    assert workspace.actions() == {"version.Slow": "create"}
