"""`algosync emulator`: the commands of local clusters."""

from __future__ import annotations

from typing import Any

import typer
from typer.main import get_group

from algosync.cli.help import GroupWithHelp, with_help

__all__ = ["app"]


class LocalGroup(GroupWithHelp):
    """Imports the commands when one of them or their help is asked for. This keeps the start of all other commands fast."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        self.commands = get_group(_commands()).commands
        return super().make_context(*args, **options)


app = typer.Typer(cls=LocalGroup, invoke_without_command=True)


@app.callback()
def _help(context: typer.Context) -> None:
    """Manage local clusters, their users and their keys."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.get_help())
        raise typer.Exit(64)


def _commands() -> typer.Typer:
    from algosync.cli.local.env import env
    from algosync.cli.local.key_add import key_add
    from algosync.cli.local.key_list import key_list
    from algosync.cli.local.key_remove import key_remove
    from algosync.cli.local.logs import logs
    from algosync.cli.local.reset import reset
    from algosync.cli.local.start import start
    from algosync.cli.local.status import status
    from algosync.cli.local.stop import stop
    from algosync.cli.local.user_add import user_add

    commands = typer.Typer(rich_markup_mode=None)
    user = typer.Typer(help="Users of a local cluster.")
    key = typer.Typer(help="API keys of a local cluster.")
    for command in (start, stop, status, reset, logs, env):
        commands.command()(command)
    commands.add_typer(user, name="user")
    user.command("add")(user_add)
    commands.add_typer(key, name="key")
    key.command("add")(key_add)
    key.command("list")(key_list)
    key.command("remove")(key_remove)
    return with_help(commands)
