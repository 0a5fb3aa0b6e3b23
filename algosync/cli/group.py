"""Groups of commands: a command's module is imported when that command is called, or when its own help is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from algosync.cli.command_table import COMMANDS, names_in
from algosync.cli.help import CommandWithHelp

__all__ = ["Group"]


class Group(TyperGroup):
    """A group of the table of commands; its help is made from the table. Without a command it prints its help and fails."""

    def __init__(self, *, path: str = "", **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("Any", _Commands(path))
        self._path = path

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # the base class passes it
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # the base class passes it
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[f"{self._path} {name}".strip()][1]) for name in self.commands])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            ctx.obj.tell(ctx.get_help())
            raise typer.Exit(64)
        return super().parse_args(ctx, args)


class _Commands(Mapping[str, Any]):
    """The commands of a group by name. Only a lookup imports the command."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._names = names_in(group)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        path = f"{self._group} {name}".strip()
        module, summary = COMMANDS[path]
        return _load(name, module) if module else Group(name=name, path=path, help=summary, rich_markup_mode=None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _load(name: str, module: str) -> Any:
    function = getattr(import_module(f"algosync.cli.{module}"), module.rpartition(".")[2])
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name, cls=CommandWithHelp)(function)
    return get_command(alone)
