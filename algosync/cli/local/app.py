"""`algosync emulator`: the commands of local clusters."""

from __future__ import annotations

import typer

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

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)
user = typer.Typer(help="Users of a local cluster.")
key = typer.Typer(help="API keys of a local cluster.")
app.add_typer(user, name="user")
app.add_typer(key, name="key")

for _command in (start, stop, status, reset, logs, env):
    app.command()(_command)
user.command("add")(user_add)
key.command("add")(key_add)
key.command("list")(key_list)
key.command("remove")(key_remove)


@app.callback()
def _help(context: typer.Context) -> None:
    """Manage local clusters, their users and their keys."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.get_help())
        raise typer.Exit(64)
