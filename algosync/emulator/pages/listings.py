"""Queries for the lists on the pages. Each list takes one query, whatever its length.

A list has what a user or one of its organizations owns. One entry more than the limit means that the list is longer.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime, timezone

from algosync.emulator.clock import seconds_text
from algosync.emulator.records.accounts import Accounts, KeyRecord
from algosync.emulator.records.builds import BuildRecord
from algosync.emulator.records.database import Database
from algosync.emulator.records.environments import Environments

LISTED = 500
"""Maximum length of a list."""

RECENT = 50
"""Maximum length of a list of events, whose entries are long. The newest event comes first."""

MEMORY_LIMIT = "a process may have half of this machine's memory"

PERMITTED = {"read": "read", "write": "write", "call": "call", "management": "manage", "administration": "administer"}
"""Rights of a key, as the pages show them. Management without `write` only permits to read by git."""


@dataclass(frozen=True, slots=True)
class AlgorithmLine:
    """An algorithm with its newest version, its newest build and its number of failed calls."""

    owner: str
    name: str
    environment: str
    version: str | None
    callability: str | None
    build: BuildRecord | None
    failures: int


@dataclass(frozen=True, slots=True)
class FailureLine:
    """A failed call. `at` is its time in ISO 8601, `input` the beginning of its input, `id` the id in its reply.

    `message` is never empty: for an exception without text it is the last line of the stack trace. `trace` is the end of the stack
    trace and `printed` the end of the output; both may be empty. `trace` is empty if `printed` ends with it. `seconds` is the
    duration of the call, or None if an earlier version of algosync recorded it.
    """

    owner: str
    name: str
    commit: str
    at: str
    user: str
    type: str
    message: str
    input: str
    trace: str
    printed: str
    id: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class CollectionLine:
    """A collection with its ACL, its number of files, their total size in bytes and the time of the last write."""

    id: str
    account: str
    name: str
    acl: list[str]
    files: int
    size: int
    modified_at: str | None


@dataclass(frozen=True, slots=True)
class FileLine:
    """A data file; `size` in bytes."""

    name: str
    size: int
    modified_at: str


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key without its secret text: its public id, its rights and its end."""

    id: str
    rights: list[str]
    main: bool
    expires_at: str | None
    expired: bool


class PageRecords:
    """Read-only access to the records. Usable from every thread."""

    def __init__(self, database: Database, environments: Environments) -> None:
        self._database = database
        self._accounts = Accounts(database)
        self._environments = environments

    def algorithms(self, user: str) -> list[AlgorithmLine]:
        """The algorithms of a user and its organizations, sorted by owner and name."""
        sql = (
            "SELECT a.owner, a.name, a.settings, v.major, v.minor, v.revision, v.settings AS published,"
            " coalesce(f.failures, 0) AS failures,"
            " b.sequence, b.id, b.algorithm_id, b.commit_sha, b.version_uuid, b.status, b.started_at, b.finished_at"
            " FROM algorithms a"
            " LEFT JOIN builds b ON b.sequence = (SELECT max(sequence) FROM builds WHERE algorithm_id = a.id)"
            " LEFT JOIN (SELECT algorithm_id, count(*) AS failures FROM failures GROUP BY algorithm_id) f ON f.algorithm_id = a.id"
            " LEFT JOIN versions v ON v.sequence = (SELECT max(sequence) FROM versions WHERE algorithm_id = a.id)"
            " WHERE a.owner IN (SELECT ?1 UNION SELECT organization FROM members WHERE user = ?1)"
            " ORDER BY a.owner, a.name LIMIT ?2"
        )
        return [self._algorithm(row) for row in self._database.rows(sql, user, LISTED + 1)]

    def failures(self, user: str, algorithm_id: str | None = None) -> list[FailureLine]:
        """The failed calls of these algorithms, or of one of them, newest first."""
        sql = (
            "SELECT owner, name, created_ms, record FROM failures f JOIN algorithms a ON a.id = f.algorithm_id"
            " WHERE owner IN (SELECT ?1 UNION SELECT organization FROM members WHERE user = ?1)"
            " AND (?2 IS NULL OR a.id = ?2) ORDER BY sequence DESC LIMIT ?3"
        )
        return [_failure(row) for row in self._database.rows(sql, user, algorithm_id, RECENT + 1)]

    def collections(self, user: str) -> list[CollectionLine]:
        """The collections of a user and its organizations, sorted by account and name."""
        sql = (
            "SELECT id, account, c.name, acl, count(f.name) AS files, sum(size) AS size, max(modified) AS modified"
            " FROM collections c LEFT JOIN files f ON f.collection_id = c.id"
            " WHERE account IN (SELECT ?1 UNION SELECT organization FROM members WHERE user = ?1)"
            " GROUP BY c.id ORDER BY account, c.name LIMIT ?2"
        )
        return [_collection(row) for row in self._database.rows(sql, user, LISTED + 1)]

    def collection(self, collection_id: str) -> CollectionLine | None:
        """The collection with this id, of any account."""
        row = self._database.row(
            "SELECT id, account, c.name, acl, count(f.name) AS files, sum(size) AS size, max(modified) AS modified"
            " FROM collections c LEFT JOIN files f ON f.collection_id = c.id WHERE c.id = ? GROUP BY c.id",
            collection_id,
        )
        return _collection(row) if row else None

    def files(self, collection_id: str, after: str) -> list[FileLine]:
        """Files of a collection whose names come after `after`, sorted by name."""
        sql = "SELECT name, size, modified FROM files WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?"
        rows = self._database.rows(sql, collection_id, after, LISTED + 1)
        return [FileLine(row["name"], row["size"], seconds_text(row["modified"])) for row in rows]

    def keys(self, user: str) -> list[KeyLine]:
        """The keys of a user."""
        return [_key(record) for record in self._accounts.key_records(user)[: LISTED + 1]]

    def users(self) -> list[str]:
        """The names of all users."""
        return self._accounts.users(LISTED + 1)

    def members(self) -> dict[str, list[str]]:
        """The members of every organization."""
        return self._accounts.members()

    def _algorithm(self, row: sqlite3.Row) -> AlgorithmLine:
        environment = self._environments.by_id(json.loads(row["settings"]).get("algorithm_environment"))
        displayed = environment.kind.display_name if environment else "an environment of another cluster"
        version = callability = None
        if row["published"]:
            version = f"{row['major']}.{row['minor']}.{row['revision']}"
            callability = str(json.loads(row["published"]).get("algorithm_callability"))
        return AlgorithmLine(row["owner"], row["name"], displayed, version, callability, _build(row), row["failures"])


def _build(row: sqlite3.Row) -> BuildRecord | None:
    if row["id"] is None:
        return None
    names = ("sequence", "id", "algorithm_id", "commit_sha", "version_uuid", "status", "started_at", "finished_at")
    return BuildRecord(*[row[name] for name in names])


def _failure(row: sqlite3.Row) -> FailureLine:
    record = json.loads(row["record"])
    names = ("algoversion", "username", "error_type", "error", "input", "stacktrace", "stdout", "request_id")
    commit, user, error_type, message, payload, trace, printed, request_id = [str(record.get(name) or "") for name in names]
    return FailureLine(
        owner=row["owner"],
        name=row["name"],
        commit=commit,
        at=datetime.fromtimestamp(row["created_ms"] / 1000, timezone.utc).isoformat(),
        user=user,
        type=error_type,
        message=message if message.strip() else _last_line(trace),
        input=payload,
        # The trace of a process that has ended is its output.
        trace="" if printed.endswith(trace) else trace,
        printed=printed,
        id=request_id,
        seconds=record.get("duration"),
    )


def _last_line(trace: str) -> str:
    """The message of an exception without text."""
    line = trace.strip().rpartition("\n")[2]
    return f"{line}: {MEMORY_LIMIT}" if line == "MemoryError" else line or "There is no message."


def _collection(row: sqlite3.Row) -> CollectionLine:
    modified_at = None if row["modified"] is None else seconds_text(row["modified"])
    acl = json.loads(row["acl"])
    return CollectionLine(row["id"], row["account"], row["name"], acl, row["files"], row["size"] or 0, modified_at)


def _key(key: KeyRecord) -> KeyLine:
    rights = [name for field, name in PERMITTED.items() if getattr(key.rights, field)]
    if not key.rights.write:
        rights = ["clone" if each == "manage" else each for each in rights]
    if key.expires_at is None:
        return KeyLine(key.id, rights, key.main, None, expired=False)
    return KeyLine(key.id, rights, key.main, seconds_text(int(key.expires_at)), key.expires_at <= time.time())
