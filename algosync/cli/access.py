"""Access to a local cluster: its users, and what other clients have to be told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.embedded import folder, is_there, joining, locked, named, standing
from algosync.cli.keeping import command
from algosync.cli.shell_variables import as_destination, as_source, outdated
from algosync.core.error import AlgosyncError
from algosync.core.text import printable
from algosync.emulator.records.rights import EVERYTHING, Rights
from algosync.emulator.server import server_lock

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.emulator.records.accounts import Accounts

__all__ = ["FIRST_USER", "accounts_of", "add_user", "env", "permitted", "tell_of_key", "tell_of_new"]

FIRST_USER = "local"
"""Whose a cluster is that is started without a word on that."""


def env(state: Path, name: str, terminal: Terminal, *, source: bool) -> None:
    """The one command that shows the main keys, as that is its purpose. AlgosyncError: the cluster does not run."""
    root = folder(state, name)
    cluster = standing(root)
    if cluster is None:
        missing = (
            f"the local cluster {named(root)} is not running" if is_there(root) else f"there is no local cluster {named(root)}"
        )
        raise AlgosyncError(missing, hint=command("start", name))
    variables = as_source(cluster) if source else as_destination(cluster)
    for variable in outdated(variables, source=source):
        terminal.result(f"unset {variable}")
    for variable, value in variables.items():
        terminal.result(f"export {variable}={shlex.quote(value)}")


def add_user(state: Path, name: str, terminal: Terminal, *, user: str, organizations: Sequence[str]) -> None:
    """Its key on stdout, where it is new. AlgosyncError: a name is taken, or can be nobody's; then nothing was made."""
    from algosync.emulator.records.keys import new_key

    root = folder(state, name)
    tell_of_new(root, terminal)
    with accounts_of(root) as accounts:
        known, before = accounts.has_user(user), accounts.organizations(user)
        if known and not organizations:
            raise AlgosyncError(f"{printable(user)} is there already", hint=command(f"key add --user {printable(user)}", name))
        made = None if known else new_key()
        accounts.enrol(user, organizations, made)
        joined = [each for each in accounts.organizations(user) if each not in before]
    if made:
        tell_of_key(made, user, EVERYTHING, terminal)
    if organizations:
        terminal.tell(f"{printable(user)} joined {', '.join(joined)}." if joined else f"{printable(user)} is in it already.")
    if made:
        terminal.result(made)


def tell_of_key(key: str, user: str, rights: Rights, terminal: Terminal) -> None:
    """What connects a key in somebody's hand with those that are listed."""
    from algosync.emulator.records.accounts import key_id

    terminal.tell(f"key {key_id(key)} of {printable(user, 80)}: {', '.join(permitted(rights))}")


def permitted(rights: Rights) -> list[str]:
    """As people read it: without `write`, management is the use of git for reading."""
    found = [each.name for each in fields(rights) if getattr(rights, each.name)]
    if rights.write or not rights.read:
        return found
    return ["read only", *(f"{each} (clone)" if each == "management" else each for each in found if each != "read")]


def tell_of_new(root: Path, terminal: Terminal) -> None:
    """That who gives out keys makes a cluster by it: it may be another than was meant."""
    if not (root / "cluster.sqlite").exists():
        terminal.tell(f"There is no local cluster {named(root)} yet: this makes one.")


@contextmanager
def accounts_of(root: Path) -> Iterator[Accounts]:
    """Those in the cluster's database, whether its server runs or not. It does not start, nor end, meanwhile."""
    with joining(root), locked(root / "start.lock"), server_lock.held(root) as alone:
        import sqlite3

        from algosync.emulator.records.accounts import AccountError, Accounts
        from algosync.emulator.records.database import Database

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
