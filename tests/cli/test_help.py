"""Help: every command fits on one screen, and `--help-all` shows all of its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from algosync.cli.command import command
from algosync.cli.command_table import COMMANDS
from algosync.cli.help import RARE, CommandWithHelp
from algosync.cli.main import app
from algosync.cli.terminal import Terminal

LINES, COLUMNS = 40, 80
_ROW = re.compile(r"^  (\S+)  +(\S.*)$")


def shown(*arguments: str, of: typer.Typer = app) -> list[str]:
    result = CliRunner().invoke(of, arguments, env={"COLUMNS": str(COLUMNS)}, obj=None)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def listed(lines: list[str]) -> list[str]:
    """The rows below `Commands:`."""
    return lines[lines.index("Commands:") + 1 :] if "Commands:" in lines else []


def commands(*path: str) -> Iterator[tuple[str, ...]]:
    """Every group and command, as the help of the groups lists them."""
    yield path
    for line in listed(shown(*path, "--help")):
        if (row := _ROW.match(line)) is not None:
            yield from commands(*path, row[1])


ALL = list(commands())
LEAVES = [path for path in ALL if "Commands:" not in shown(*path, "--help")]


def options(lines: list[str]) -> set[str]:
    return set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", "\n".join(lines), re.MULTILINE))


def test_there_are_commands() -> None:
    assert {("plan",), ("emulator", "key", "add")} <= set(LEAVES)
    assert {" ".join(path) for path in ALL} == {"", *COMMANDS}
    assert {" ".join(path) for path in LEAVES} == {path for path, (module, _) in COMMANDS.items() if module}


@pytest.mark.parametrize("path", COMMANDS)
def test_the_table_has_the_first_sentence_of_each_help(path: str) -> None:
    lines = shown(*path.split(), "--help")[2:]
    words = " ".join(" ".join(lines[: lines.index("")]).split())
    assert words == COMMANDS[path][1] or words.startswith(f"{COMMANDS[path][1]} ")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_help_of_every_command_fits_on_one_screen(path: tuple[str, ...]) -> None:
    lines = shown(*path, "--help")
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_is_listed_in_one_whole_line(path: tuple[str, ...]) -> None:
    for line in listed(shown(*path, "--help")):
        row = _ROW.match(line)
        assert row is not None, f"a second line: {line}"
        assert re.search(r"[^.]\.$", row[2]), f"not a whole sentence: {line}"


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_help_all_shows_every_option_with_its_variable(path: tuple[str, ...]) -> None:
    common, everything = (shown(*path, name) for name in ("--help", "--help-all"))
    assert options(common) <= options(everything)
    assert "ALGOSYNC_" not in "".join(common)
    variables = re.findall(r"env var: ALGOSYNC_\w+", " ".join(" ".join(everything).split()))
    assert len(variables) == len(options(everything)) - len({"--help", "--help-all"})


@pytest.mark.parametrize(
    ("path", "usage", "argument"),
    [
        (["state", "mv"], "[OPTIONS] FROM TO", "  FROM  The recorded algorithm."),
        (["state", "rm"], "[OPTIONS] ADDRESS...", "  ADDRESS...  Addresses,"),
        (["import"], "[OPTIONS] [ADDRESS...]", "  ADDRESS...  What to import:"),
    ],
)
def test_arguments_are_shown_by_their_names(path: list[str], usage: str, argument: str) -> None:
    first, *lines = shown(*path, "--help")
    assert first.endswith(f"{' '.join(path)} {usage}")
    assert any(line.startswith(argument) for line in lines)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_no_type_of_python_is_shown(path: tuple[str, ...]) -> None:
    assert re.search(r"[{}]|<(list|str)", "".join(shown(*path, "--help"))) is None


@command
def _measure(
    terminal: Terminal,
    depth: Annotated[int, typer.Option(help="How deep it is; in metres.")] = 1,
    width: Annotated[int, typer.Option(help="How wide.", rich_help_panel=RARE)] = 2,
) -> None:
    """Measure something. In metres."""
    raise typer.Exit(depth * 10 + width)


def test_a_less_common_option_is_only_in_help_all() -> None:
    measuring = typer.Typer(rich_markup_mode=None, add_completion=False)
    measuring.command(cls=CommandWithHelp)(_measure)
    common, everything = ("\n".join(shown(name, of=measuring)) for name in ("--help", "--help-all"))
    assert "How deep it is.  [default: 1]" in common
    assert "--width" not in common
    assert "How deep it is; in metres. [env var: ALGOSYNC_DEPTH" in " ".join(everything.split())
    assert re.search(rf"\n{RARE}:\n  --width", everything)
    assert CliRunner().invoke(measuring, ["--width", "5"], obj=None).exit_code == 15
