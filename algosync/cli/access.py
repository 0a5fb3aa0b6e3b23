"""Access to a local cluster: its users, and what other clients have to be told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.embedded import folder, joining, locked, standing
from algosync.cli.keeping import command
from algosync.cli.shell_variables import as_destination, as_source, outdated
from algosync.core.error import AlgosyncError
from algosync.core.text import printable
from algosync.emulator import server_lock

if TYPE_CHECKING:
    from algosync.emulator.accounts import Accounts
    from algosync.views.terminal import Terminal

__all__ = ["FIRST_USER", "accounts_of", "add_user", "env", "tell_of_new"]

FIRST_USER = "local"
"""Whose a cluster is that is started without a word on that."""


def env(state: Path, name: str, terminal: Terminal, *, source: bool) -> None:
    """The one command that shows the main keys, as that is its purpose. AlgosyncError: the cluster does not run."""
    cluster = standing(folder(state, name))
    if cluster is None:
        raise AlgosyncError(f"the local cluster {name} is not running", hint=command("start", name))
    variables = as_source(cluster) if source else as_destination(cluster)
    for variable in outdated(variables, source=source):
        terminal.result(f"unset {variable}")
    for variable, value in variables.items():
        terminal.result(f"export {variable}={shlex.quote(value)}")


def add_user(state: Path, name: str, terminal: Terminal, *, user: str, organizations: Sequence[str]) -> None:
    """Its key on stdout. AlgosyncError: a name is taken, or can be nobody's; then nothing was made."""
    from algosync.emulator.keys import new_key

    root = folder(state, name)
    tell_of_new(root, terminal)
    with accounts_of(root) as accounts:
        made, known = new_key(), accounts.has_user(user)
        accounts.enrol(user, organizations, made)
    if known:
        terminal.tell(f"{printable(user)} is there already: this is another key.")
    terminal.result(made)


def tell_of_new(root: Path, terminal: Terminal) -> None:
    """That who gives out keys makes a cluster by it: it may be another than was meant."""
    if not (root / "cluster.sqlite").exists():
        terminal.tell(f"There is no local cluster {root.name} in {printable(str(root.parent.parent))} yet: this makes one.")


@contextmanager
def accounts_of(root: Path) -> Iterator[Accounts]:
    """Those in the cluster's database, whether its server runs or not. It does not start, nor end, meanwhile."""
    with joining(root), locked(root / "start.lock"), server_lock.held(root) as alone:
        import sqlite3

        from algosync.emulator.accounts import AccountError, Accounts
        from algosync.emulator.database import Database

        try:
            with closing(Database(root / "cluster.sqlite", migrate=alone)) as database:
                accounts = Accounts(database)
                if alone and not accounts.key_records():
                    # Whose the cluster will be when it starts: nobody else may have taken the name by then.
                    accounts.add_user(FIRST_USER)
                yield accounts
        except AccountError as error:
            raise AlgosyncError(str(error)) from None
        except (ValueError, OSError, sqlite3.Error) as error:
            raise AlgosyncError(f"the cluster's database in {printable(str(root))} cannot be used: {error}") from None
