"""Shared options: each is declared in one place, and has a variable that sets its default."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

import algosync
from algosync.cli.command import command
from algosync.cli.main import app as algosync_app
from algosync.cli.terminal import Terminal

PACKAGE = Path(algosync.__file__).parent
WORKFLOW = ("validate", "render", "graph", "plan", "apply", "test", "drift", "destroy")
LOCAL_CLUSTER = ("start", "stop", "reset", "logs", "env", "user add", "key add", "key list", "key remove")
LOCAL = tuple(f"emulator {name}" for name in (*LOCAL_CLUSTER, "status"))
ADDED = '    probe: Annotated[str, typer.Option(help="An added option.")] = "unset"\n'
# Runs every command with the added option, and prints its help and the value that the command gets, instead of doing its work.
DRIVER = """
import json, sys
from dataclasses import is_dataclass
from typer.testing import CliRunner
from algosync.cli import command, main

def group_of(group, values, original=command.group_of):
    made = original(group, values)
    if hasattr(made, "probe"):
        print("VALUE", made.probe)
        raise SystemExit
    return made

command.group_of = group_of
runner, found = CliRunner(), {}
for name in json.loads(sys.argv[1]):
    words = name.split()
    arguments = [*words, "x"] if words[-1] in ("add", "remove") and name != "emulator key add" else words
    runs = ([*words, "--help-all"], [*arguments, "--probe", "given"], arguments)
    found[name] = [runner.invoke(main.app, run).output for run in runs]
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("module", "group", "commands"),
    [
        ("options.py", "CommonOptions", (*WORKFLOW, *LOCAL)),
        ("options.py", "ClusterOptions", WORKFLOW[3:]),
        ("options.py", "TargetOptions", ("plan", "apply", "test", "destroy")),
        ("local/options.py", "LocalClusterOptions", LOCAL[:-1]),
    ],
)
def test_one_added_line_gives_every_command_of_a_group_an_option(
    tmp_path: Path, module: str, group: str, commands: tuple[str, ...]
) -> None:
    """Adds a field to a group in a copy of the package: the commands show the option, and get its value."""
    copy = shutil.copytree(PACKAGE, tmp_path / "algosync", ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "cli" / module
    path.write_text(re.sub(rf'(class {group}\b.*?""".*?"""\n\n)', rf"\g<1>{ADDED}", path.read_text(), count=1, flags=re.DOTALL))
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps([*WORKFLOW, *LOCAL])],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "ALGOSYNC_PROBE": "from the environment"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout)
    helped = {name for name, (shown, _, _) in found.items() if re.search(r"--probe .*ALGOSYNC_PROBE", shown, re.DOTALL)}
    assert helped == set(commands)
    assert {name for name, (_, given, _) in found.items() if given == "VALUE given\n"} == set(commands)
    assert {name for name, (_, _, default) in found.items() if default == "VALUE from the environment\n"} == set(commands)


@dataclass(frozen=True)
class General:
    depth: Annotated[int, typer.Option(help="How deep.")] = 1
    place: str = "not an option"


@dataclass(frozen=True)
class Special(General):
    names: Annotated[list[str], typer.Option("--names")] = field(default_factory=list)


def run(arguments: list[str], environ: dict[str, str]) -> tuple[str, list[object]]:
    """The output of a command with two parameters, and the arguments that its function got."""
    received: list[object] = []

    @command
    def show(terminal: Terminal, options: Special, size: Annotated[float, typer.Option(help="How large.")] = 0.5) -> None:
        """Show something."""
        received.extend([terminal, options, size])

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(show)
    result = CliRunner().invoke(app, arguments, env=environ, obj="the terminal")
    assert result.exit_code == 0, result.output
    return result.output, received


def test_a_command_gets_the_terminal_its_groups_and_its_own_options() -> None:
    assert run([], {})[1] == ["the terminal", Special(1, "not an option", []), 0.5]
    given = ["--names", "a", "--names", "b", "--depth", "3", "--size", "2"]
    assert run(given, {})[1] == ["the terminal", Special(3, "not an option", ["a", "b"]), 2.0]


def test_variables_set_the_defaults_of_all_options() -> None:
    environ = {"ALGOSYNC_NAMES": "a b", "ALGOSYNC_DEPTH": "3", "ALGOSYNC_SIZE": "2", "ALGOSYNC_PLACE": "x"}
    assert run([], environ)[1] == ["the terminal", Special(3, "not an option", ["a", "b"]), 2.0]


def test_help_lists_special_options_first() -> None:
    shown, _ = run(["--help"], {})
    assert "Show something." in shown
    assert re.findall(r"^  (--\w+)", shown, re.MULTILINE) == ["--size", "--names", "--depth", "--help", "--help"]


@pytest.mark.parametrize("name", WORKFLOW)
def test_help_shows_an_optional_argument_in_one_pair_of_brackets(name: str) -> None:
    usage = CliRunner().invoke(algosync_app, [name, "--help"], obj=None).stdout.splitlines()[0]
    assert usage.endswith(f" {name} [OPTIONS] [WORKFLOW{'...' if name == 'drift' else ''}]")
