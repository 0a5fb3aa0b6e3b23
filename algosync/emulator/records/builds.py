"""Records of builds."""

import uuid
from dataclasses import dataclass
from typing import Final

from algosync.emulator.clock import now_text
from algosync.emulator.records.database import Database

IN_PROGRESS: Final = "in-progress"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """One build of one commit. `finished_at` is None while it runs. All builds of a commit have the same `version_uuid`.

    The fields are the columns of the table, in their order.
    """

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

    def start(self, algorithm_id: str, commit: str) -> BuildRecord:
        """Record that a build begins."""
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
        return BuildRecord(*row)

    def finish(self, build: BuildRecord, status: str) -> None:
        """Record the status of a build that has ended."""
        self._database.change("UPDATE builds SET status = ?, finished_at = ? WHERE id = ?", status, now_text(), build.id)

    def get(self, algorithm_id: str, build_id: str) -> BuildRecord | None:
        """The build of this algorithm with this id."""
        return self._one("SELECT * FROM builds WHERE algorithm_id = ? AND id = ?", algorithm_id, build_id)

    def newest(self, algorithm_id: str) -> BuildRecord | None:
        """The build that was started last."""
        return self._one("SELECT * FROM builds WHERE algorithm_id = ? ORDER BY sequence DESC LIMIT 1", algorithm_id)

    def newest_successful(self, algorithm_id: str) -> BuildRecord | None:
        """The last successful build."""
        return self._one(
            "SELECT * FROM builds WHERE algorithm_id = ? AND status = 'succeeded' ORDER BY sequence DESC LIMIT 1", algorithm_id
        )

    def of_commit(self, algorithm_id: str, commit: str) -> BuildRecord | None:
        """The last successful build of a commit, or its last build if none succeeded."""
        return self._one(
            "SELECT * FROM builds WHERE algorithm_id = ? AND commit_sha = ?"
            " ORDER BY status = 'succeeded' DESC, sequence DESC LIMIT 1",
            algorithm_id,
            commit,
        )

    def page(self, algorithm_id: str, before: int, limit: int) -> list[BuildRecord]:
        """At most `limit` builds with a sequence number below `before`, newest first."""
        sql = "SELECT * FROM builds WHERE algorithm_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?"
        return [BuildRecord(*row) for row in self._database.rows(sql, algorithm_id, before, limit)]

    def of(self, algorithm_id: str) -> list[BuildRecord]:
        """All builds of an algorithm."""
        rows = self._database.rows("SELECT * FROM builds WHERE algorithm_id = ?", algorithm_id)
        return [BuildRecord(*row) for row in rows]

    def built_commits(self, algorithm_id: str) -> list[BuildRecord]:
        """The last successful build of every commit that has one, newest first."""
        sql = (
            "SELECT * FROM builds WHERE sequence IN (SELECT max(sequence) FROM builds"
            " WHERE algorithm_id = ? AND status = 'succeeded' GROUP BY commit_sha) ORDER BY sequence DESC"
        )
        return [BuildRecord(*row) for row in self._database.rows(sql, algorithm_id)]

    def unfinished(self) -> list[BuildRecord]:
        """Builds that are running, or were when the last server ended."""
        return [BuildRecord(*row) for row in self._database.rows("SELECT * FROM builds WHERE status = ?", IN_PROGRESS)]

    def ids(self) -> set[str]:
        """The ids of all builds."""
        return {row["id"] for row in self._database.rows("SELECT id FROM builds")}

    def _one(self, sql: str, *values: str) -> BuildRecord | None:
        row = self._database.row(sql, *values)
        return BuildRecord(*row) if row else None
