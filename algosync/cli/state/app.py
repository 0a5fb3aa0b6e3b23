"""`algosync state`: the commands for the recorded state."""

from __future__ import annotations

import typer

from algosync.cli.state.list_records import list_records
from algosync.cli.state.mv import mv
from algosync.cli.state.pull import pull
from algosync.cli.state.push import push
from algosync.cli.state.rename import rename
from algosync.cli.state.rm import rm
from algosync.cli.state.show import show
from algosync.cli.state.unlock import unlock

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)
app.command("list")(list_records)
for _command in (show, mv, rm, rename, pull, push, unlock):
    app.command()(_command)


@app.callback()
def _help(context: typer.Context) -> None:
    """Look at what is recorded, and change it."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.get_help())
        raise typer.Exit(64)
