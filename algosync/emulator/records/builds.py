"""The record of builds: which commit became callable, when, or failed to."""

import sqlite3
import uuid
from dataclasses import dataclass
from typing import Final

from algosync.emulator.clock import now_text
from algosync.emulator.records.database import Database

IN_PROGRESS: Final = "in-progress"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Build:
    """One build of one commit. `finished_at` is None while it runs. The same commit keeps its `version_uuid`."""

    sequence: int
    id: str
    algorithm_id: str
    commit: str
    version_uuid: str
    status: str
    started_at: str
    finished_at: str | None


class Builds:
    """All builds; newer ones have higher sequence numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, algorithm_id: str, commit: str) -> Build:
        """Record a build that now begins."""
        build_id = str(uuid.uuid4())
        with self._database.write() as connection:
            known = connection.execute(
                "SELECT version_uuid FROM builds WHERE algorithm_id = ? AND commit_sha = ?", (algorithm_id, commit)
            ).fetchone()
            connection.execute(
                "INSERT INTO builds (id, algorithm_id, commit_sha, version_uuid, status, started_at) VALUES (?, ?, ?, ?, ?, ?)",
                (build_id, algorithm_id, commit, known[0] if known else str(uuid.uuid4()), IN_PROGRESS, now_text()),
            )
            row = connection.execute("SELECT * FROM builds WHERE id = ?", (build_id,)).fetchone()
        return _build(row)

    def finish(self, build: Build, status: str) -> None:
        """Record how a build ended."""
        with self._database.write() as connection:
            connection.execute("UPDATE builds SET status = ?, finished_at = ? WHERE id = ?", (status, now_text(), build.id))

    def get(self, algorithm_id: str, build_id: str) -> Build | None:
        """A build of this algorithm by its id."""
        return self._one("SELECT * FROM builds WHERE algorithm_id = ? AND id = ?", algorithm_id, build_id)

    def newest(self, algorithm_id: str) -> Build | None:
        """The last build that was started."""
        return self._one("SELECT * FROM builds WHERE algorithm_id = ? ORDER BY sequence DESC LIMIT 1", algorithm_id)

    def newest_successful(self, algorithm_id: str) -> Build | None:
        """The last build that succeeded."""
        return self._one(
            "SELECT * FROM builds WHERE algorithm_id = ? AND status = 'succeeded' ORDER BY sequence DESC LIMIT 1", algorithm_id
        )

    def of_commit(self, algorithm_id: str, commit: str) -> Build | None:
        """The build that speaks for a commit: its last successful one, else its last one."""
        return self._one(
            "SELECT * FROM builds WHERE algorithm_id = ? AND commit_sha = ?"
            " ORDER BY status = 'succeeded' DESC, sequence DESC LIMIT 1",
            algorithm_id,
            commit,
        )

    def page(self, algorithm_id: str, before: int, limit: int) -> list[Build]:
        """Builds older than the sequence number `before`, newest first."""
        rows = self._database.rows(
            "SELECT * FROM builds WHERE algorithm_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
            algorithm_id,
            before,
            limit,
        )
        return [_build(row) for row in rows]

    def of(self, algorithm_id: str) -> list[Build]:
        """All builds of an algorithm."""
        rows = self._database.rows("SELECT * FROM builds WHERE algorithm_id = ?", algorithm_id)
        return [_build(row) for row in rows]

    def built_commits(self, algorithm_id: str) -> list[Build]:
        """The last successful build of every commit that has one, newest first."""
        rows = self._database.rows(
            "SELECT * FROM builds WHERE sequence IN (SELECT max(sequence) FROM builds"
            " WHERE algorithm_id = ? AND status = 'succeeded' GROUP BY commit_sha) ORDER BY sequence DESC",
            algorithm_id,
        )
        return [_build(row) for row in rows]

    def unfinished(self) -> list[Build]:
        """Builds that run, or ran when the last server ended."""
        return [_build(row) for row in self._database.rows("SELECT * FROM builds WHERE status = ?", IN_PROGRESS)]

    def ids(self) -> set[str]:
        """Ids of all builds."""
        return {row["id"] for row in self._database.rows("SELECT id FROM builds")}

    def _one(self, sql: str, *values: str) -> Build | None:
        row = self._database.row(sql, *values)
        return _build(row) if row else None


def _build(row: sqlite3.Row) -> Build:
    return Build(
        row["sequence"],
        row["id"],
        row["algorithm_id"],
        row["commit_sha"],
        row["version_uuid"],
        row["status"],
        row["started_at"],
        row["finished_at"],
    )
