"""Records of algorithms: owner, details, settings, failed calls."""

import json
import sqlite3
import time
from dataclasses import dataclass

from algosync.emulator.errors import NAME_TAKEN, ApiError
from algosync.emulator.records.database import Database

FAILURES_KEPT = 200
FAILURE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An algorithm with its current settings. A version keeps the settings of the time when it was published."""

    id: str
    owner: str
    name: str
    details: dict[str, object]
    settings: dict[str, object]
    initial_commit: str
    """The commit that the platform creates. It is built on request only."""
    default_collection: str | None = None
    """The id of its default collection."""


class Algorithms:
    """The algorithms of a cluster."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, owner: str, name: str) -> Algorithm | None:
        """The algorithm of this owner and name."""
        row = self._database.row("SELECT * FROM algorithms WHERE owner = ? AND name = ?", owner, name)
        return _algorithm(row) if row else None

    def find_in_any_case(self, owner: str, name: str) -> Algorithm | None:
        """The first algorithm with this owner and name, regardless of case."""
        sql = "SELECT * FROM algorithms WHERE owner = ? COLLATE NOCASE AND name = ? COLLATE NOCASE ORDER BY owner, name"
        row = self._database.row(sql, owner, name)
        return _algorithm(row) if row else None

    def get(self, algorithm_id: str) -> Algorithm | None:
        """The algorithm with this id."""
        row = self._database.row("SELECT * FROM algorithms WHERE id = ?", algorithm_id)
        return _algorithm(row) if row else None

    def owned_by(self, owner: str) -> list[Algorithm]:
        """One owner's algorithms, sorted by name."""
        rows = self._database.rows("SELECT * FROM algorithms WHERE owner = ? ORDER BY name", owner)
        return [_algorithm(row) for row in rows]

    def page(self, owner: str, after: str, limit: int) -> list[Algorithm]:
        """At most `limit` of one owner's algorithms, those with a name greater than `after`, sorted by name."""
        sql = "SELECT * FROM algorithms WHERE owner = ? AND name > ? ORDER BY name LIMIT ?"
        return [_algorithm(row) for row in self._database.rows(sql, owner, after, limit)]

    def all(self) -> list[Algorithm]:
        """The algorithms of all owners."""
        return [_algorithm(row) for row in self._database.rows("SELECT * FROM algorithms")]

    def add(self, algorithm: Algorithm) -> None:
        """Record a new algorithm. Raises `ApiError` (code 1002) if its owner has another one of that name."""
        details, settings = json.dumps(algorithm.details), json.dumps(algorithm.settings)
        try:
            sql = "INSERT INTO algorithms (id, owner, name, details, settings, initial_commit) VALUES (?, ?, ?, ?, ?, ?)"
            self._database.change(sql, algorithm.id, algorithm.owner, algorithm.name, details, settings, algorithm.initial_commit)
        except sqlite3.IntegrityError:
            raise ApiError(400, f"The algorithm {algorithm.name} exists already", NAME_TAKEN) from None

    def update(self, algorithm: Algorithm) -> None:
        """Record changed details and settings."""
        sql = "UPDATE algorithms SET details = ?, settings = ? WHERE id = ?"
        self._database.change(sql, json.dumps(algorithm.details), json.dumps(algorithm.settings), algorithm.id)

    def bind(self, algorithm: Algorithm, collection_id: str) -> None:
        """Make a collection the default one of an algorithm, until the collection is deleted."""
        self._database.change("UPDATE algorithms SET default_collection = ? WHERE id = ?", collection_id, algorithm.id)

    def delete(self, algorithm: Algorithm) -> None:
        """Delete the records of an algorithm, with its builds, versions and failures."""
        self._database.change("DELETE FROM algorithms WHERE id = ?", algorithm.id)

    def add_failure(self, algorithm_id: str, record: dict[str, object]) -> None:
        """Record a failed call. Only the newest `FAILURES_KEPT` of the last `FAILURE_DAYS` days are kept."""
        now = time.time_ns() // 1_000_000
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO failures (algorithm_id, created_ms, record) SELECT id, ?, ? FROM algorithms WHERE id = ?",
                (now, json.dumps(record), algorithm_id),
            )
            connection.execute(
                "DELETE FROM failures WHERE algorithm_id = ? AND (created_ms < ? OR sequence NOT IN"
                " (SELECT sequence FROM failures WHERE algorithm_id = ? ORDER BY sequence DESC LIMIT ?))",
                (algorithm_id, _oldest(), algorithm_id, FAILURES_KEPT),
            )

    def failures(self, algorithm_id: str) -> list[dict[str, object]]:
        """The recorded failures, newest first."""
        sql = "SELECT created_ms, record FROM failures WHERE algorithm_id = ? AND created_ms >= ? ORDER BY sequence DESC"
        return [_failure(row) for row in self._database.rows(sql, algorithm_id, _oldest())]

    def failures_of_owner(self, owner: str) -> list[dict[str, object]]:
        """The recorded failures of all algorithms of an account, newest first."""
        sql = (
            "SELECT created_ms, record FROM failures JOIN algorithms ON algorithms.id = algorithm_id"
            " WHERE owner = ? AND created_ms >= ? ORDER BY sequence DESC LIMIT ?"
        )
        return [_failure(row) for row in self._database.rows(sql, owner, _oldest(), FAILURES_KEPT)]


def _oldest() -> int:
    """Failures before this time, in Unix milliseconds, are no longer listed."""
    return time.time_ns() // 1_000_000 - FAILURE_DAYS * 86_400_000


def _failure(row: sqlite3.Row) -> dict[str, object]:
    record = json.loads(row["record"])
    # Stored for the web pages. The platform's lists do not have these fields.
    for name in ("stacktrace", "stdout", "duration"):
        record.pop(name, None)
    return {"created_at": row["created_ms"], **record}


def _algorithm(row: sqlite3.Row) -> Algorithm:
    details, settings = json.loads(row["details"]), json.loads(row["settings"])
    return Algorithm(row["id"], row["owner"], row["name"], details, settings, row["initial_commit"], row["default_collection"])
