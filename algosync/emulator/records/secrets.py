"""Secrets of algorithms. Only an algorithm's workers receive their values, as environment variables."""

import sqlite3
from dataclasses import astuple, dataclass, field

from algosync.emulator.errors import NAME_TAKEN, ApiError
from algosync.emulator.records.database import Database


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """A secret. `variable` is the environment variable of its value in a worker. `value_id` changes with the value."""

    id: str
    algorithm_id: str
    variable: str
    short_name: str
    description: str
    value_id: str
    value: str = field(repr=False)


class Secrets:
    """The secrets of all algorithms. They are deleted with their algorithm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, algorithm_id: str) -> list[SecretEntry]:
        """The secrets of an algorithm, in the order of their creation."""
        sql = (
            "SELECT id, algorithm_id, variable, short_name, description, value_id, value"
            " FROM secrets WHERE algorithm_id = ? ORDER BY sequence"
        )
        return [SecretEntry(*row) for row in self._database.rows(sql, algorithm_id)]

    def variables(self, algorithm_id: str) -> dict[str, str]:
        """The environment variables for a worker of the algorithm."""
        return {entry.variable: entry.value for entry in self.of(algorithm_id)}

    def find(self, algorithm_id: str, secret_id: str) -> SecretEntry | None:
        """The secret of this algorithm with this id."""
        return next((entry for entry in self.of(algorithm_id) if entry.id == secret_id), None)

    def add(self, entry: SecretEntry) -> None:
        """Store a new secret. Raises `ApiError` (code 1002) if the algorithm has another one for this variable."""
        try:
            self._database.change(
                "INSERT INTO secrets (id, algorithm_id, variable, short_name, description, value_id, value)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                *astuple(entry),
            )
        except sqlite3.IntegrityError:
            raise ApiError(400, f"A secret for {entry.variable} exists already", NAME_TAKEN) from None

    def change(self, entry: SecretEntry) -> None:
        """Store a changed secret. The variable cannot change."""
        sql = "UPDATE secrets SET short_name = ?, description = ?, value_id = ?, value = ? WHERE id = ?"
        self._database.change(sql, entry.short_name, entry.description, entry.value_id, entry.value, entry.id)

    def remove(self, entry: SecretEntry) -> None:
        """Delete a secret."""
        self._database.change("DELETE FROM secrets WHERE id = ?", entry.id)
