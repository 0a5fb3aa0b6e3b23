"""`algosync emulator logs`: show the output of a local cluster's server, and its requests."""

from __future__ import annotations

from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.terminal import Terminal

__all__ = ["logs"]

_POLL_EVERY = 0.2  # seconds
_OLDER_REQUESTS = "requests.older.jsonl"  # what was `requests.jsonl` until it became too large

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Keep showing new lines.")]


@command
def logs(terminal: Terminal, options: LocalClusterOptions, follow: Follow = False) -> None:
    """Show the server's output since its start, and all requests."""
    import time
    from contextlib import closing

    from algosync.cli.interrupt import silently
    from algosync.cli.local.location import described, emulator_command
    from algosync.cli.local.log_file import LogFile, show_new_lines
    from algosync.core.error import AlgosyncError

    root = options.root(terminal)
    if not (root / "server.log").exists():
        raise AlgosyncError(
            f"there is no local cluster {described(root)} that has been started", hint=emulator_command("start", root.name)
        )
    files = [LogFile(root / "server.log"), LogFile(root / "requests.jsonl")]
    with silently():
        with closing(LogFile(root / _OLDER_REQUESTS)) as older:
            show_new_lines(older, terminal)
        while True:
            for file in files:
                show_new_lines(file, terminal)
            if not follow or terminal.out in terminal.left:
                return
            time.sleep(_POLL_EVERY)
