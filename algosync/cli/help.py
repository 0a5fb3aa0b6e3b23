"""Help: `--help` of a command shows its common options on one screen, `--help-all` all options with their variables.

An option declared with `rich_help_panel=RARE` is shown by `--help-all` only.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RARE", "CommandWithHelp", "HelpAll"]

RARE = "Less common options"
"""The panel of the options that `--help` leaves out."""
_ALL = "algosync.help_all"  # a key of the context's `meta`
_TYPE = r" <[^>]*>$"
"""The type that typer puts behind the name of an argument, such as ` <list[str]>`."""
_CLAUSE_END = r"(?:;|\.)\s"


def _show_all(context: typer.Context, wanted: bool) -> None:
    if wanted:
        context.meta[_ALL] = True
        typer.echo(context.get_help())
        raise typer.Exit


HelpAll = Annotated[
    bool,
    typer.Option(
        "--help-all",
        callback=_show_all,
        is_eager=True,
        show_default=False,
        help="Show all options. It also shows the variables that set their defaults.",
    ),
]


class CommandWithHelp(TyperCommand):
    """A command with this help."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments by their names. Those that may be left out are in brackets."""
        arguments = [parameter for parameter in self.get_params(ctx) if parameter.param_type_name == "argument"]
        names = ((str(argument.metavar or argument.name), argument.required) for argument in arguments)
        return ["[OPTIONS]", *(name if required else f"[{name}]" for name, required in names)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        everything = bool(ctx.meta.get(_ALL))
        for title, parameters in self._sections(ctx).items():
            if everything or title != RARE:
                shown = parameters if everything or title == "Arguments" else map(_short, parameters)
                _write(title, shown, ctx, formatter)

    def _sections(self, ctx: Any) -> dict[str, list[Any]]:
        sections: dict[str, list[Any]] = {"Arguments": [], "Options": [], RARE: []}
        for parameter in self.get_params(ctx):
            rare = getattr(parameter, "rich_help_panel", None) == RARE
            title = "Arguments" if parameter.param_type_name == "argument" else RARE if rare else "Options"
            sections[title].append(parameter)
        return sections


def _write(title: str, parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    rows = [row for parameter in parameters if (row := parameter.get_help_record(ctx)) is not None]
    if title == "Arguments":
        rows = [(re.sub(_TYPE, "", name), text) for name, text in rows]
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)


def _short(option: Any) -> Any:
    """The option with the first clause of its help, and without its variable."""
    shown = copy.copy(option)
    shown.show_envvar = False
    shown.help = re.split(_CLAUSE_END, f"{option.help or ''} ", maxsplit=1)[0].rstrip(" .") + "."
    return shown
