"""`algosync emulator stop`: end a local cluster and keep its data."""

from __future__ import annotations

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.terminal import Terminal

__all__ = ["stop"]


@command
def stop(terminal: Terminal, options: LocalClusterOptions) -> None:
    """Stop the local cluster and everything that it runs. Its data stays."""
    from algosync.cli.local.cluster_locks import exclusive_use
    from algosync.cli.local.location import described, exists
    from algosync.cli.local.server_process import end_server

    root = options.root(terminal)
    ended = used = False
    if root.is_dir():
        with exclusive_use(root) as unused:
            used, ended = not unused, end_server(root)
    if ended:
        terminal.tell(f"The local cluster {options.name} has stopped{', while commands were using it' if used else ''}.")
    elif exists(root):
        terminal.tell(f"The local cluster {described(root)} is not running.")
    else:
        terminal.tell(f"There is no local cluster {described(root)}.")
