"""Streams and environments that fail: the work is done and recorded anyway."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from harness import Workspace
from rich.text import Text

from algosync.cli.live import watch
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.event import CaseDone, Event, Note, Progress, StepDone, StepStarted
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.answer import Answer, CaseResult

SURROUNDINGS: Mapping[str, tuple[str, Mapping[str, str | None]]] = {
    "reader-leaves": ('"$@" | head -n 1', {}),
    "stdout-closed": ('"$@" >&-', {}),
    "both-closed": ('"$@" >&- 2>&-', {}),
    "disk-full": ('"$@" >/dev/full', {}),
    "disk-full-errors": ('"$@" 2>/dev/full', {}),
    "c-locale": ('"$@"', {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TERM": "dumb"}),
    "ascii": ('"$@"', {"PYTHONIOENCODING": "ascii", "TERM": None}),
    "no-home": ('"$@"', {"HOME": None}),
    "no-such-home": ('"$@"', {"HOME": "/proc/nowhere"}),
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace in which each case adds an algorithm and applies it."""
    from harness import cluster_process

    root = tmp_path_factory.mktemp("streams")
    with cluster_process(root / "cluster") as cluster:
        (root / "workspace").mkdir()
        yield Workspace(root / "workspace", cluster.environ())


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.needs("head") if "head" in SURROUNDINGS[case][0] else ()) for case in SURROUNDINGS],
)
def test_the_work_is_done_and_recorded(space: Workspace, case: str) -> None:
    script, changed = SURROUNDINGS[case]
    name = f"Case{list(SURROUNDINGS).index(case)}"
    space.algorithm(name)
    details = {"tagline": "─ übermäßig “breit” 漢字"}
    space.write([{"name": name, "language": "python3", "details": details}])
    environ = {key: value for key, value in {**space.environment(), **changed}.items() if value is not None}
    command = [sys.executable, "-m", "algosync", "apply", "--auto-approve"]
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command], cwd=space.folder, env=environ, capture_output=True, check=False
    )
    shown = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert "Traceback" not in shown
    assert done.returncode == (1 if case == "disk-full" else 0), shown
    (state,) = (path.read_text() for path in Path(space.folder, "state").glob("*.json"))
    assert f"version.{name}" in state


def test_a_result_that_cannot_be_written_is_told_and_never_lowers_the_exit_code(space: Workspace) -> None:
    space.algorithm("Lost")
    space.write([{"name": "Lost", "language": "python3"}])
    for arguments, code in (["plan"], 1), (["plan", "--json"], 1), (["plan", "--detailed-exitcode"], 2), (["--version"], 1):
        command = [sys.executable, "-m", "algosync", *arguments]
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                command, cwd=space.folder, env=space.environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == code
        assert done.stderr.splitlines()[-1] == "Error: the result could not be written: No space left on device"
        assert "Traceback" not in done.stderr


def _events() -> Iterator[Event]:
    upload, build = (
        Step(Address("data", "SmartImageDownloader", "a_long_model_file.pb"), Verb.UPLOAD),
        Step(Address("version", "One"), Verb.BUILD),
    )
    yield StepStarted(upload)
    yield StepStarted(build)
    yield Note(build, "漢字" * 40)
    for done in range(0, 100, 25):
        yield Progress(upload, done * 10**6, 10**8)
    yield StepDone(upload, 1.0)
    yield StepDone(build, 1.0)
    test = Step(Address("test", "SmartImageDownloader", "many calls of a long name"), Verb.TEST)
    yield StepStarted(test)
    for number in (1, 1_234_567):
        yield CaseDone(test, CaseResult(number, "", "1", Answer("json", b"1")))
    yield StepDone(test, 1.0)


@pytest.mark.parametrize("columns", [20, 40, 59, 60, 80, 200])
def test_rows_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that wraps would not be erased with the others."""
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    master, slave = pty.openpty()
    shown = b""
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        for event in watch(_events(), Terminal(stream, stream, (True, True), live=True)):
            while isinstance(event, Progress) and len(re.findall(rb"\d:\d\d:\d\d", shown)) < 2:
                shown += os.read(master, 1 << 16)
    shown += os.read(master, 1 << 20)
    os.close(master)
    rows = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()))
    moving = [row for row in rows if "after" not in row]
    assert max(cell_len(row) for row in moving) <= columns
    assert sum(row.strip() != "" for row in moving) >= 2


def test_an_event_without_a_line_leaves_no_empty_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mostly there are no previous bytes to put back."""
    printed: list[object] = []
    monkeypatch.setattr("rich.console.Console.print", lambda _, *texts, **__: printed.extend(texts))
    step = Step(Address("data", "One", "a"), Verb.RESTORE)
    with open(tmp_path / "terminal", "w", encoding="utf-8") as stream:
        done = (StepDone(step, 1), StepDone(step, 1, "put back"))
        events: list[Event] = [StepStarted(step), done[0], StepStarted(step), done[1]]
        list(watch(events, Terminal(stream, stream, (True, True), live=True)))
    lines = [str(text) for text in printed if isinstance(text, Text)]
    assert lines == ['data.One["a"]: Previous bytes checked after 1.0s: put back']


class _Broken(io.StringIO):
    """A terminal whose other end was closed."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor


def test_a_terminal_that_is_closed_does_not_end_the_work(tmp_path: Path) -> None:
    with open(tmp_path / "terminal", "wb") as file:
        stream = _Broken(file.fileno())
        terminal = Terminal(stream, stream, (True, True), live=True)
        assert list(watch(_events(), terminal)) == list(_events())
