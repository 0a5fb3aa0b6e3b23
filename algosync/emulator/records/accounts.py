"""Users, organizations and keys, and the tokens by which running algorithms authenticate."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import digest, new_key
from algosync.emulator.records.rights import ADMINISTERING, EVERYTHING, Rights

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")

ID_LENGTH = 12
"""Characters of a key's digest that make its id. Keys are random, so the id reveals nothing about the key."""


@dataclass(frozen=True, slots=True)
class Running:
    """The running algorithm that sends a request, and the tree of nested calls it belongs to."""

    owner: str
    name: str
    tree: str
    depth: int
    may_call: bool
    call: str
    """The id of the call that the algorithm is answering."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The user a request acts for, with its rights. A running algorithm acts for its caller, with the rights of its key."""

    user: str
    inside: Running | None = None
    organizations: tuple[str, ...] = ()
    rights: Rights = EVERYTHING

    def owns(self, account: str) -> bool:
        """Whether the account is the user's own or an organization it belongs to."""
        return account == self.user or account in self.organizations


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is stored about a key, without the key itself. `id` is public and gives no access; `expires_at` is in Unix seconds.

    A `main` key is one of the two that a cluster creates at its start and writes to its address file.
    """

    id: str
    user: str
    rights: Rights
    main: bool
    expires_at: float | None


def key_id(key: str) -> str:
    """The public id of a key."""
    return digest(key)[:ID_LENGTH]


class AccountError(Exception):
    """The name of a user or organization is invalid or taken; says why."""


class Accounts:
    """Users, organizations and keys in the database, worker tokens in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workers: dict[str, Callable[[], Caller | None]] = {}

    def add_user(self, user: str) -> None:
        """Create the user if it does not exist. Raises `AccountError` for an invalid or taken name."""
        with self._database.write() as connection:
            _add_user(connection, user)

    def enrol(self, user: str, organizations: Sequence[str], key: str | None) -> None:
        """Create what is missing of a user, its organizations and a key, all or nothing. Raises `AccountError`."""
        with self._database.write() as connection:
            _add_user(connection, user)
            for organization in organizations:
                _join(connection, user, organization)
            if key:
                _add_key(connection, user, key, EVERYTHING)

    def join(self, user: str, organization: str) -> None:
        """Make a user a member of an organization, which is created if it does not exist. Raises `AccountError`."""
        with self._database.write() as connection:
            _join(connection, user, organization)

    def leave(self, user: str, organization: str) -> None:
        """End a membership."""
        self._database.change("DELETE FROM members WHERE organization = ? AND user = ?", organization, user)

    def add_organization(self, organization: str) -> None:
        """Create the organization if it does not exist. Raises `AccountError` for an invalid or taken name."""
        with self._database.write() as connection:
            _add_organization(connection, organization)

    def remove_organization(self, organization: str) -> None:
        """Delete an organization and its memberships."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM members WHERE organization = ?", (organization,))
            connection.execute("DELETE FROM organizations WHERE name = ?", (organization,))

    def describe_user(self, user: str, profile: dict[str, object]) -> None:
        """Store the profile of a user."""
        self._database.change("UPDATE users SET profile = ? WHERE name = ?", json.dumps(profile), user)

    def describe_organization(self, organization: str, profile: dict[str, object]) -> None:
        """Store the profile of an organization."""
        self._database.change("UPDATE organizations SET profile = ? WHERE name = ?", json.dumps(profile), organization)

    def profile_of_user(self, user: str) -> dict[str, object]:
        """The profile of a user; empty if there is no such user."""
        return _profile(self._database.row("SELECT profile FROM users WHERE name = ?", user)) or {}

    def profile_of_organization(self, organization: str) -> dict[str, object] | None:
        """The profile of an organization; None if there is no such organization."""
        return _profile(self._database.row("SELECT profile FROM organizations WHERE name = ?", organization))

    def has_user(self, user: str) -> bool:
        """Whether there is such a user."""
        return self._database.row("SELECT 1 FROM users WHERE name = ?", user) is not None

    def organizations(self, user: str) -> tuple[str, ...]:
        """The organizations a user belongs to, by name."""
        rows = self._database.rows("SELECT organization FROM members WHERE user = ? ORDER BY organization", user)
        return tuple(row["organization"] for row in rows)

    def add_key(self, user: str, key: str, rights: Rights = EVERYTHING, expires_at: float | None = None) -> None:
        """Add a key of a user. It expires at `expires_at` in Unix seconds, or never."""
        with self._database.write() as connection:
            _add_key(connection, user, key, rights, expires_at)

    def set_key(self, user: str, key: str, rights: Rights = EVERYTHING) -> None:
        """Replace the main key of a user, who is created if missing. Raises `AccountError`.

        The main key for administration is separate: one replaces the other only if `rights.administration` is the same.
        """
        with self._database.write() as connection:
            _add_user(connection, user)
            connection.execute("DELETE FROM keys WHERE user = ? AND main AND may_administer = ?", (user, rights.administration))
            _add_key(connection, user, key, rights)
            connection.execute("UPDATE keys SET main = 1 WHERE digest = ?", (digest(key),))

    def users(self, limit: int) -> list[str]:
        """The first `limit` users, by name."""
        return [row["name"] for row in self._database.rows("SELECT name FROM users ORDER BY name LIMIT ?", limit)]

    def members(self) -> dict[str, list[str]]:
        """The members of every organization, both sorted by name."""
        found: dict[str, list[str]] = {}
        rows = self._database.rows(
            "SELECT name, user FROM organizations LEFT JOIN members ON organization = name ORDER BY name, user"
        )
        for row in rows:
            found.setdefault(row["name"], []).extend([row["user"]] if row["user"] else [])
        return found

    def key_records(self, user: str | None = None) -> list[KeyRecord]:
        """All keys, or those of one user, in the order of their creation."""
        rows = self._database.rows("SELECT * FROM keys WHERE ? IS NULL OR user = ? ORDER BY rowid", user, user)
        return [
            KeyRecord(row["digest"][:ID_LENGTH], row["user"], _rights(row), bool(row["main"]), row["expires_at"]) for row in rows
        ]

    def remove_key(self, key_id: str) -> bool:
        """Delete the key with this id. Returns False if there is no such key, or if it is a main key."""
        with self._database.write() as connection:
            known = connection.execute("SELECT digest FROM keys WHERE substr(digest, 1, ?) = ?", (ID_LENGTH, key_id)).fetchall()
            if len(known) != 1:
                return False
            removed = connection.execute("DELETE FROM keys WHERE digest = ? AND NOT main", (known[0]["digest"],))
        return removed.rowcount == 1

    def caller(self, key: str) -> Caller | None:
        """The caller that a key or token authenticates; None if it is unknown or expired, or its worker answers no call now."""
        hashed = digest(key)
        if worker := self._workers.get(hashed):
            found = worker()
            return found and replace(found, organizations=self.organizations(found.user))
        row = self._database.row("SELECT * FROM keys WHERE digest = ?", hashed)
        if row is None or (row["expires_at"] is not None and row["expires_at"] <= time.time()):
            return None
        return Caller(row["user"], None, self.organizations(row["user"]), _rights(row))

    def knows(self, key: str) -> bool:
        """Whether it is any user's key or a worker's token, expired ones included."""
        hashed = digest(key)
        return hashed in self._workers or self._database.row("SELECT 1 FROM keys WHERE digest = ?", hashed) is not None

    def admit(self, worker: Callable[[], Caller | None]) -> str:
        """Create a token for a worker. `worker` returns the caller it acts for at the time of a request."""
        token = new_key()
        self._workers[digest(token)] = worker
        return token

    def dismiss(self, token: str) -> None:
        """Revoke the token of a worker that has ended."""
        self._workers.pop(digest(token), None)


def _add_user(connection: sqlite3.Connection, user: str) -> None:
    _check_name(connection, user, "SELECT 1 FROM organizations WHERE name = ?")
    connection.execute("INSERT OR IGNORE INTO users (name) VALUES (?)", (user,))


def _add_organization(connection: sqlite3.Connection, organization: str) -> None:
    _check_name(connection, organization, "SELECT 1 FROM users WHERE name = ?")
    connection.execute("INSERT OR IGNORE INTO organizations (name) VALUES (?)", (organization,))


def _join(connection: sqlite3.Connection, user: str, organization: str) -> None:
    _add_organization(connection, organization)
    connection.execute("INSERT OR IGNORE INTO members (organization, user) VALUES (?, ?)", (organization, user))


def _check_name(connection: sqlite3.Connection, name: str, taken: str) -> None:
    """Raises `AccountError`. Users and organizations share one namespace, since both own data and algorithms."""
    if not NAME.fullmatch(name):
        raise AccountError(
            f"{name!r} cannot name an account: use at most 63 letters, digits, - and _, and begin with a letter or digit"
        )
    if connection.execute(taken, (name,)).fetchone():
        raise AccountError(f"{name} exists already: a user and an organization cannot have the same name")


def _add_key(connection: sqlite3.Connection, user: str, key: str, rights: Rights, expires_at: float | None = None) -> None:
    connection.execute(
        "INSERT INTO keys (digest, user, may_write, may_call, may_manage, may_administer, expires_at, main)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (digest(key), user, rights.write, rights.call, rights.management, rights.administration, expires_at),
    )


def _rights(row: sqlite3.Row) -> Rights:
    if row["may_administer"]:
        return ADMINISTERING
    return Rights(bool(row["may_write"]), bool(row["may_call"]), bool(row["may_manage"]))


def _profile(row: sqlite3.Row | None) -> dict[str, object] | None:
    found: dict[str, object] | None = json.loads(row["profile"]) if row else None
    return found
