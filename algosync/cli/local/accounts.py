"""The users and keys of a local cluster, in its database, whether its server runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.local.cluster_locks import cluster_in_use, start_lock
from algosync.cli.local.location import created_note, no_such_cluster
from algosync.core.error import AlgosyncError
from algosync.core.text import printable
from algosync.emulator.server import server_lock

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.emulator.records.accounts import Accounts
    from algosync.emulator.records.rights import Rights

__all__ = ["FIRST_USER", "describe_key", "existing_accounts", "new_or_existing_accounts", "permissions"]

FIRST_USER = "local"
"""Default owner of a new local cluster."""

_DATABASE = "cluster.sqlite"


@contextmanager
def new_or_existing_accounts(root: Path, terminal: Terminal, others: str | None = None) -> Iterator[Accounts]:
    """The cluster's accounts. Creates a missing cluster, and prints a note about it because the name may be a mistake.

    `others`: a hint at clusters that exist.
    """
    if not (root / _DATABASE).exists():
        terminal.tell(created_note(root, others))
    with _accounts(root) as accounts:
        yield accounts


@contextmanager
def existing_accounts(root: Path, others: str | None = None) -> Iterator[Accounts]:
    """The cluster's accounts. AlgosyncError: there is no cluster; `others` is a hint at those that exist."""
    if not (root / _DATABASE).exists():
        raise no_such_cluster(root, others)
    with _accounts(root) as accounts:
        yield accounts


@contextmanager
def _accounts(root: Path) -> Iterator[Accounts]:
    """The server neither starts nor ends while the body runs."""
    with cluster_in_use(root), start_lock(root), server_lock.held(root) as stopped:
        import sqlite3

        from algosync.emulator.records.accounts import AccountError, Accounts
        from algosync.emulator.records.database import Database

        try:
            with closing(Database(root / _DATABASE, migrate=stopped)) as database:
                accounts = Accounts(database)
                if stopped and not accounts.key_records():
                    # Reserve the name of the cluster's owner before any other user can take it.
                    accounts.add_user(FIRST_USER)
                yield accounts
        except AccountError as error:
            raise AlgosyncError(str(error)) from None
        except (ValueError, OSError, sqlite3.Error) as error:
            raise AlgosyncError(f"the cluster's database in {printable(str(root))} cannot be used: {error}") from None


def describe_key(key: str, user: str, rights: Rights, terminal: Terminal) -> None:
    """Print the key's id (as in lists of keys) and its permissions. The key itself is not shown."""
    from algosync.emulator.records.accounts import key_id

    terminal.tell(f"key {key_id(key)} of {printable(user, 80)}: {', '.join(permissions(rights))}")


def permissions(rights: Rights) -> list[str]:
    """The rights in words. Without `write`, `management` only permits cloning with git."""
    names = [each.name for each in fields(rights) if getattr(rights, each.name)]
    if rights.write or not rights.read:
        return names
    return ["read only", *(f"{each} (clone)" if each == "management" else each for each in names if each != "read")]
