"""`algosync emulator env`: print the variables that other clients need for a local cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.terminal import Terminal

__all__ = ["env"]

AsSource = Annotated[bool, typer.Option("--source", help="For algosync's source, instead of its destination.")]


@command
def env(terminal: Terminal, options: LocalClusterOptions, source: AsSource = False) -> None:
    """Print the variables that other clients need, for a shell. Use: eval "$(algosync emulator env)". Shows the keys."""
    import shlex

    from algosync.cli.local.location import described, emulator_command, exists, no_such_cluster
    from algosync.cli.local.running import running_cluster
    from algosync.cli.local.shell_variables import as_destination, as_source, outdated
    from algosync.core.error import AlgosyncError

    root = options.root(terminal)
    cluster = running_cluster(root)
    if cluster is None:
        if not exists(root):
            raise no_such_cluster(root, options.home.others(options.name))
        raise AlgosyncError(f"the local cluster {described(root)} is not running", hint=emulator_command("start", root.name))
    variables = as_source(cluster) if source else as_destination(cluster)
    for variable in outdated(variables, source=source):
        terminal.result(f"unset {variable}")
    for variable, value in variables.items():
        terminal.result(f"export {variable}={shlex.quote(value)}")
