"""Commands start fast, because they import only what they need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import Workspace

from algosync.cli.command_table import prompt_answer

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = (
    "Algorithmia",
    "requests",
    "urllib3",
    "jinja2",
    "yaml",
    "dulwich",
    "starlette",
    "uvicorn",
    "deepdiff",
    "rich",
    "numpy",
    "sklearn",
)


def modules(*arguments: str) -> set[str]:
    """All modules that a command imports, after those of the interpreter itself."""
    command = [sys.executable, "-X", "importtime", "-m", "algosync", *arguments]
    environ = {**os.environ, "COLUMNS": "80"}  # the table is for this width
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def imported(*arguments: str) -> set[str]:
    """The top-level modules that a command imports."""
    return {name.split(".")[0] for name in modules(*arguments)}


@pytest.mark.parametrize("arguments", [["plan", "--help"], ["emulator", "start", "--help"], []])
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    assert imported(*arguments) & set(HEAVY) == set()


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_need_only_the_table(option: str) -> None:
    own = {name for name in modules(option) if name.startswith("algosync")}
    assert own == {"algosync", "algosync.cli", "algosync.cli.command_table"}
    assert imported(option) & {"typer", "dataclasses", "inspect", *HEAVY} == set()


def test_a_command_imports_no_other_command() -> None:
    script = (
        "import sys; from algosync.cli.main import app; app(['validate', '--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = {name for name in done.stdout.split() if name.startswith("algosync.cli.commands.")}
    assert found == {"algosync.cli.commands.validate"}


def test_the_prompt_help_is_what_the_command_line_would_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    script = "from algosync.cli.main import app; app(['--help'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert prompt_answer(["--help"]) == done.stdout.replace("Usage: -c ", "Usage: algosync ")


def test_a_narrow_terminal_gets_the_wrapped_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, (prompt_answer(["-h"]) or "").splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "79")
    assert prompt_answer(["--help"]) is None


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_an_answer_that_cannot_be_written_is_an_error(option: str) -> None:
    with open("/dev/full", "w") as full:
        environ = {**os.environ, "COLUMNS": "80"}
        done = subprocess.run(
            [sys.executable, "-m", "algosync", option], stdout=full, stderr=subprocess.PIPE, env=environ, check=False
        )
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr


def test_validating_json_imports_no_heavy_library() -> None:
    assert imported("validate", "workflows/image_parallel_pipelining.json") & set(HEAVY) == set()


def test_validating_yaml_imports_only_yaml() -> None:
    assert imported("validate", "workflows/hello_world.yaml") & set(HEAVY) == {"yaml"}


def test_validating_reaches_no_cluster(tmp_path: Path) -> None:
    """It needs the workflow's reader and the local sources: no HTTP, no plan, no state, no judge of answers if none is expected."""
    workspace = Workspace(tmp_path)
    workspace.algorithm("One")
    (tmp_path / "source").mkdir()
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    own = {name for name in modules("validate", str(tmp_path / "workflow.json")) if name.startswith("algosync.")}
    rooms = {".".join(name.split(".")[:2]) for name in own}
    assert rooms == {"algosync.cli", "algosync.core", "algosync.sources", "algosync.views", "algosync.workflow"}
    assert len(own) <= 94
    assert own & {"algosync.workflow.parsing.yaml_reader", "algosync.sources.archive.tar", "algosync.core.timestamp"} == set()


def test_a_plan_imports_neither_the_official_client_nor_git(workspace: Workspace) -> None:
    """It only reads: its requests are sent by `net`, and the head of a repository is in one reply."""
    workspace.algorithm("One")
    (workspace.folder / "source").mkdir()
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    workspace.apply()
    command = [sys.executable, "-X", "importtime", "-m", "algosync", "plan"]
    done = subprocess.run(command, cwd=workspace.folder, env=workspace.environment(), capture_output=True, text=True, check=True)
    assert "No changes." in done.stdout
    found = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert {name.split(".")[0] for name in found} & (set(HEAVY) - {"urllib3"}) == set()
    assert found & {"algosync.core.report", "algosync.engine.refresh", "algosync.views.drift", "algosync.state.exchange"} == set()
    assert len([name for name in found if name.startswith("algosync.")]) <= 257
