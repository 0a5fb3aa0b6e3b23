"""`algosync state push`: replace the state by one from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.state.options import StateChangeOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.core.state import State

__all__ = ["push"]

_COMMAND = "algosync state push"
File = Annotated[str, typer.Argument(metavar="FILE", help="A file from `algosync state pull`, or a backup of a state; - is stdin.")]
Force = Annotated[bool, typer.Option("--force", help="Also if the state there is of another lineage, as new or newer, or damaged.")]


@command
def push(terminal: Terminal, file: File, options: StateChangeOptions, force: Force = False) -> None:
    """Replace the whole state by one from a file. Refused if it is another one, or older."""
    from algosync.cli.state.workflow_state import known_state, tell_backup
    from algosync.cli.state_place import journals, patience, state_found
    from algosync.core.text import printable
    from algosync.state import journal_path, parse_address
    from algosync.state.exchange import push as push_state

    pushed = _read(file)
    known = known_state(options, terminal)
    with state_found(options, terminal, known.key, writes=True, command=_COMMAND) as name:
        backend = parse_address(options.state)(name, _COMMAND)
        journal = journal_path(backend, journals(options))
        state = push_state(backend, journal, pushed, force=force, wait=patience(options, terminal))
    terminal.result(f"{printable(backend.where)} has {len(state.records)} records now. Its serial is {state.serial}.")
    tell_backup(backend.backup, terminal)


def _read(file: str) -> State:
    """UsageError: it cannot be read. Corrupt: it is no whole state that this version can read."""
    from algosync.core.codec import decode_state
    from algosync.core.error import Corrupt, UsageError
    from algosync.core.text import printable

    name = "stdin" if file == "-" else printable(file, 300)
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        return decode_state(data)
    except Corrupt as error:
        hint = error.hint or "push a whole file as `algosync state pull` printed it, or a backup"
        raise type(error)(f"{name} {error.message}", hint=hint) from None
