"""`algosync state`: the commands for the recorded state."""

from __future__ import annotations

import typer

from algosync.cli.state.unlock import unlock

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True)
app.command()(unlock)


@app.callback()
def _help(context: typer.Context) -> None:
    """Work on what is recorded."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.get_help())
        raise typer.Exit(64)
