"""`algosync emulator key remove`: remove an API key from a local cluster."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.local.options import LocalClusterOptions
from algosync.cli.terminal import Terminal

__all__ = ["key_remove"]

_LONGEST_KEY = 4096  # characters

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `key list` shows it, or - to read the key from stdin.")]


@command
def key_remove(terminal: Terminal, options: LocalClusterOptions, key_id: KeyId) -> None:
    """Remove an API key. The server refuses it at once."""
    from algosync.cli.local.accounts import existing_accounts
    from algosync.cli.local.location import emulator_command
    from algosync.core.error import AlgosyncError
    from algosync.core.text import printable

    # A key is read from stdin, because other users of the machine can see arguments.
    key_id = _id_of_key_on_stdin(terminal) if key_id == "-" else key_id
    with existing_accounts(options.root(terminal), options.home.others(options.name)) as accounts:
        if not accounts.remove_key(key_id):
            main = any(each.id == key_id for each in accounts.key_records())
            reason = "is a main key, which lives as long as its cluster" if main else "is not the id of a key"
            hint = emulator_command("reset" if main else "key list", options.name)
            raise AlgosyncError(f"{printable(key_id, 80)} {reason}", hint=hint)
    terminal.tell(f"The key {key_id} is removed.")


def _id_of_key_on_stdin(terminal: Terminal) -> str:
    """The id of the key in the first line. UsageError: there is none."""
    from algosync.core.error import UsageError
    from algosync.emulator.records.accounts import key_id

    key = _first_line().strip()
    if not key or len(key) > _LONGEST_KEY or not key.isascii():
        raise UsageError("there is no key on stdin")
    terminal.hide(key)
    return key_id(key)


def _first_line() -> str:
    """The first line of stdin, or more characters of it than a key can have. Empty if nothing can be read.

    On a terminal, a prompt asks for the key, and the key is not echoed.
    """
    from getpass import getpass

    try:
        if sys.stdin is None:  # it is closed
            return ""
        if sys.stdin.isatty():
            return getpass("Key: ")
        return sys.stdin.readline(_LONGEST_KEY + len("\r\n") + 1)
    except (EOFError, OSError, ValueError):  # end of file, a folder, or not text
        return ""
