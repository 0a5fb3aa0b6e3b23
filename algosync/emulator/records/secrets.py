"""Secrets of algorithms: they reach its workers as environment variables, and nobody else."""

import sqlite3
import uuid
from dataclasses import dataclass, field, replace

from algosync.emulator.errors import NAME_TAKEN, ApiError
from algosync.emulator.records.database import Database


@dataclass(frozen=True, slots=True)
class Entry:
    """A secret: the `variable` that holds its value in a worker, and what is told of it. Each value has an id of its own."""

    id: str
    algorithm_id: str
    variable: str
    short_name: str
    description: str
    value_id: str
    value: str = field(repr=False)

    def with_value(self, value: str) -> "Entry":
        """The same secret with another value."""
        return replace(self, value_id=str(uuid.uuid4()), value=value)


class Vault:
    """The secrets of all algorithms. They end with their algorithm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, algorithm_id: str) -> list[Entry]:
        """Those of an algorithm, in the order of their creation."""
        rows = self._database.rows("SELECT * FROM secrets WHERE algorithm_id = ? ORDER BY sequence", algorithm_id)
        return [_entry(row) for row in rows]

    def variables(self, algorithm_id: str) -> dict[str, str]:
        """What a worker of the algorithm finds in its environment."""
        return {entry.variable: entry.value for entry in self.of(algorithm_id)}

    def find(self, algorithm_id: str, secret_id: str) -> Entry | None:
        """A secret of this algorithm."""
        return next((entry for entry in self.of(algorithm_id) if entry.id == secret_id), None)

    def add(self, entry: Entry) -> None:
        """Keep a new secret. Raises `ApiError` where the algorithm has one in this variable."""
        try:
            with self._database.write() as connection:
                connection.execute(
                    "INSERT INTO secrets (id, algorithm_id, variable, short_name, description, value_id, value)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        entry.id,
                        entry.algorithm_id,
                        entry.variable,
                        entry.short_name,
                        entry.description,
                        entry.value_id,
                        entry.value,
                    ),
                )
        except sqlite3.IntegrityError:
            raise ApiError(400, f"There is a secret in {entry.variable}", NAME_TAKEN) from None

    def change(self, entry: Entry) -> None:
        """Keep a secret as it is now; its variable stays."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE secrets SET short_name = ?, description = ?, value_id = ?, value = ? WHERE id = ?",
                (entry.short_name, entry.description, entry.value_id, entry.value, entry.id),
            )

    def remove(self, entry: Entry) -> None:
        """Forget a secret."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM secrets WHERE id = ?", (entry.id,))


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["id"],
        row["algorithm_id"],
        row["variable"],
        row["short_name"],
        row["description"],
        row["value_id"],
        row["value"],
    )
