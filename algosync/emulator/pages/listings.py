"""What the pages list over many algorithms and collections: each list is one query, however much there is.

Lists hold what a user or one of its organizations owns, and at most one entry above their limit, which tells that there is more.
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
"""The most that a page lists of one sort."""

RECENT = 50
"""The most that it lists of what has happened, newest first: each comes with what was said of it."""

MEMORY = "a process may have half of this machine's memory"

PERMITTED = {"read": "read", "write": "write", "call": "call", "management": "manage", "administration": "administer"}
"""What keys may do, as people read it. Without `write`, management is the use of git for reading."""


@dataclass(frozen=True, slots=True)
class AlgorithmLine:
    """An algorithm with its newest version and its newest build, where it has them, and how many calls of it failed."""

    owner: str
    name: str
    environment: str
    version: str | None
    callability: str | None
    build: BuildRecord | None
    failures: int


@dataclass(frozen=True, slots=True)
class FailureLine:
    """A failed call and what was said of it. `at` is ISO 8601; `input` is the beginning of what the algorithm was given.

    `message` is never empty: an exception without text is called by the last line of its trace. `trace` is the end of the stack
    trace, `printed` of what it printed, where there was any; what both would show is `printed` alone. `seconds` are of the call
    itself, and None for one that an earlier version has recorded. `id` is what its answer names it by.
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
    """A collection: who may read it, how many files, bytes in all, when the last one was written."""

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
    """A key, of which nothing is known but a short public id, what it permits, and until when."""

    id: str
    rights: list[str]
    main: bool
    expires_at: str | None
    expired: bool


class PageRecords:
    """Reads only; usable from every thread."""

    def __init__(self, database: Database, environments: Environments) -> None:
        self._database = database
        self._accounts = Accounts(database)
        self._environments = environments

    def algorithms(self, user: str) -> list[AlgorithmLine]:
        """By owner and name."""
        rows = self._database.rows(
            "SELECT a.owner, a.name, a.settings, v.major, v.minor, v.revision, v.settings AS published,"
            " coalesce(f.failures, 0) AS failures,"
            " b.sequence, b.id, b.algorithm_id, b.commit_sha, b.version_uuid, b.status, b.started_at, b.finished_at"
            " FROM algorithms a"
            " LEFT JOIN builds b ON b.sequence = (SELECT max(sequence) FROM builds WHERE algorithm_id = a.id)"
            " LEFT JOIN (SELECT algorithm_id, count(*) AS failures FROM failures GROUP BY algorithm_id) f ON f.algorithm_id = a.id"
            " LEFT JOIN versions v ON v.sequence = (SELECT max(sequence) FROM versions WHERE algorithm_id = a.id)"
            " WHERE a.owner IN (SELECT ? UNION SELECT organization FROM members WHERE user = ?)"
            " ORDER BY a.owner, a.name LIMIT ?",
            user,
            user,
            LISTED + 1,
        )
        return [self._algorithm(row) for row in rows]

    def failures(self, user: str, algorithm_id: str | None = None) -> list[FailureLine]:
        """The failed calls of algorithms, or of one, newest first."""
        rows = self._database.rows(
            "SELECT owner, name, created_ms, record FROM failures f JOIN algorithms a ON a.id = f.algorithm_id"
            " WHERE owner IN (SELECT ? UNION SELECT organization FROM members WHERE user = ?)"
            " AND (? IS NULL OR a.id = ?) ORDER BY sequence DESC LIMIT ?",
            user,
            user,
            algorithm_id,
            algorithm_id,
            RECENT + 1,
        )
        return [_failure(row) for row in rows]

    def collections(self, user: str) -> list[CollectionLine]:
        """By account and name."""
        rows = self._database.rows(
            "SELECT id, account, c.name, acl, count(f.name) AS files, sum(size) AS size, max(modified) AS modified"
            " FROM collections c LEFT JOIN files f ON f.collection_id = c.id"
            " WHERE account IN (SELECT ? UNION SELECT organization FROM members WHERE user = ?)"
            " GROUP BY c.id ORDER BY account, c.name LIMIT ?",
            user,
            user,
            LISTED + 1,
        )
        return [_collection(row) for row in rows]

    def collection(self, collection_id: str) -> CollectionLine | None:
        """One collection, whosesoever it is."""
        row = self._database.row(
            "SELECT id, account, c.name, acl, count(f.name) AS files, sum(size) AS size, max(modified) AS modified"
            " FROM collections c LEFT JOIN files f ON f.collection_id = c.id WHERE c.id = ? GROUP BY c.id",
            collection_id,
        )
        return _collection(row) if row else None

    def files(self, collection_id: str, after: str) -> list[FileLine]:
        """Those of a collection behind the name `after`, in order."""
        rows = self._database.rows(
            "SELECT name, size, modified FROM files WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?",
            collection_id,
            after,
            LISTED + 1,
        )
        return [FileLine(row["name"], row["size"], seconds_text(row["modified"])) for row in rows]

    def keys(self, user: str) -> list[KeyLine]:
        """A user's own."""
        return [_key(record) for record in self._accounts.key_records(user)[: LISTED + 1]]

    def users(self) -> list[str]:
        """Everybody's names."""
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
    commit, user, kind, message, given, trace, printed, request = [str(record.get(name) or "") for name in names]
    # Of a process that has ended, all that is known is what it printed.
    shown = "" if printed.endswith(trace) else trace
    said = (kind, message if message.strip() else _last(trace), given, shown, printed, request)
    at = datetime.fromtimestamp(row["created_ms"] / 1000, timezone.utc).isoformat()
    return FailureLine(row["owner"], row["name"], commit, at, user, *said, record.get("duration"))


def _last(trace: str) -> str:
    """What an exception without text has to say for itself."""
    line = trace.strip().rpartition("\n")[2]
    return f"{line}: {MEMORY}" if line == "MemoryError" else line or "It says nothing."


def _collection(row: sqlite3.Row) -> CollectionLine:
    modified_at = None if row["modified"] is None else seconds_text(row["modified"])
    acl = json.loads(row["acl"])
    return CollectionLine(row["id"], row["account"], row["name"], acl, row["files"], row["size"] or 0, modified_at)


def _key(key: KeyRecord) -> KeyLine:
    rights = [name for field, name in PERMITTED.items() if getattr(key.rights, field)]
    if not key.rights.write:
        rights = ["clone" if each == "manage" else each for each in rights]
    until = key.expires_at
    if until is None:
        return KeyLine(key.id, rights, key.main, None, expired=False)
    return KeyLine(key.id, rights, key.main, seconds_text(int(until)), until <= time.time())
