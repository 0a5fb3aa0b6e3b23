"""Algorithms as they stand: who owns them, what they are set to."""

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
    """An algorithm. `settings` are the current ones; a version keeps those that were in force when it was published."""

    id: str
    owner: str
    name: str
    details: dict[str, object]
    settings: dict[str, object]
    initial_commit: str
    """The platform's own first commit, which is not built unless asked for."""
    default_collection: str | None = None
    """The id of the collection that was bound to it."""


class Algorithms:
    """The algorithms of a cluster."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, owner: str, name: str) -> Algorithm | None:
        """An algorithm by its name."""
        row = self._database.row("SELECT * FROM algorithms WHERE owner = ? AND name = ?", owner, name)
        return _algorithm(row) if row else None

    def get(self, algorithm_id: str) -> Algorithm | None:
        """An algorithm by its id."""
        row = self._database.row("SELECT * FROM algorithms WHERE id = ?", algorithm_id)
        return _algorithm(row) if row else None

    def owned_by(self, owner: str) -> list[Algorithm]:
        """One owner's algorithms, by name."""
        rows = self._database.rows("SELECT * FROM algorithms WHERE owner = ? ORDER BY name", owner)
        return [_algorithm(row) for row in rows]

    def page(self, owner: str, after: str, limit: int) -> list[Algorithm]:
        """One owner's algorithms behind the name `after`, by name."""
        rows = self._database.rows(
            "SELECT * FROM algorithms WHERE owner = ? AND name > ? ORDER BY name LIMIT ?", owner, after, limit
        )
        return [_algorithm(row) for row in rows]

    def all(self) -> list[Algorithm]:
        """Everybody's algorithms."""
        return [_algorithm(row) for row in self._database.rows("SELECT * FROM algorithms")]

    def add(self, algorithm: Algorithm) -> None:
        """Record a new algorithm. Raises `ApiError` (code 1002) where its owner has one of that name."""
        record = (
            algorithm.id,
            algorithm.owner,
            algorithm.name,
            json.dumps(algorithm.details),
            json.dumps(algorithm.settings),
            algorithm.initial_commit,
        )
        try:
            with self._database.write() as connection:
                connection.execute(
                    "INSERT INTO algorithms (id, owner, name, details, settings, initial_commit) VALUES (?, ?, ?, ?, ?, ?)",
                    record,
                )
        except sqlite3.IntegrityError:
            raise ApiError(400, f"The algorithm {algorithm.name} exists already", NAME_TAKEN) from None

    def update(self, algorithm: Algorithm) -> None:
        """Record changed details and settings."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE algorithms SET details = ?, settings = ? WHERE id = ?",
                (json.dumps(algorithm.details), json.dumps(algorithm.settings), algorithm.id),
            )

    def bind(self, algorithm: Algorithm, collection_id: str) -> None:
        """Make a collection the default one of an algorithm, as long as there is that collection."""
        with self._database.write() as connection:
            connection.execute("UPDATE algorithms SET default_collection = ? WHERE id = ?", (collection_id, algorithm.id))

    def delete(self, algorithm: Algorithm) -> None:
        """Forget an algorithm with its builds, versions and failures."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM algorithms WHERE id = ?", (algorithm.id,))

    def add_failure(self, algorithm_id: str, record: dict[str, object]) -> None:
        """Remember a failed call, among the newest 200 of 7 days."""
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
        """The remembered failures, newest first."""
        rows = self._database.rows(
            "SELECT created_ms, record FROM failures WHERE algorithm_id = ? AND created_ms >= ? ORDER BY sequence DESC",
            algorithm_id,
            _oldest(),
        )
        return [_failure(row) for row in rows]

    def failures_of_owner(self, owner: str) -> list[dict[str, object]]:
        """The remembered failures of all algorithms of an account, newest first."""
        rows = self._database.rows(
            "SELECT created_ms, record FROM failures JOIN algorithms ON algorithms.id = algorithm_id"
            " WHERE owner = ? AND created_ms >= ? ORDER BY sequence DESC LIMIT ?",
            owner,
            _oldest(),
            FAILURES_KEPT,
        )
        return [_failure(row) for row in rows]


def _oldest() -> int:
    """When the oldest failure that is told of may have been, in Unix milliseconds."""
    return time.time_ns() // 1_000_000 - FAILURE_DAYS * 86_400_000


def _failure(row: sqlite3.Row) -> dict[str, object]:
    record = json.loads(row["record"])
    # Kept for the pages: the platform's lists have none.
    for name in ("stacktrace", "stdout", "duration"):
        record.pop(name, None)
    return {"created_at": row["created_ms"], **record}


def _algorithm(row: sqlite3.Row) -> Algorithm:
    details, settings = json.loads(row["details"]), json.loads(row["settings"])
    return Algorithm(row["id"], row["owner"], row["name"], details, settings, row["initial_commit"], row["default_collection"])
