"""Records of published versions. The cluster assigns their numbers; they never change."""

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from algosync.emulator.errors import ALREADY_PUBLISHED, ApiError, invalid
from algosync.emulator.records.database import Database

Number = tuple[int, int, int]

BUMPS: dict[str, Callable[[Number], Number]] = {
    "major": lambda number: (number[0] + 1, 0, 0),
    "minor": lambda number: (number[0], number[1] + 1, 0),
    "revision": lambda number: (number[0], number[1], number[2] + 1),
    # The name of a revision in the platform's API documentation.
    "patch": lambda number: (number[0], number[1], number[2] + 1),
}

REFERENCE = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18}){0,2}(\.[*x])*")
"""A number like `1.2.3`, or a range: `1.2`, `1.2.*`, `1.2.x`, `1`, `1.*`, `1.*.*`. Longer numbers do not fit into the database."""


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A published commit, with the details and settings of the time of its publication."""

    algorithm_id: str
    commit: str
    number: Number
    details: dict[str, object]
    settings: dict[str, object]
    info: dict[str, object]

    @property
    def semantic(self) -> str:
        """The number as `1.2.3`."""
        return ".".join(map(str, self.number))

    @property
    def public(self) -> bool:
        """Whether all users may call it."""
        return self.settings["algorithm_callability"] == "public"


@dataclass(frozen=True, slots=True)
class Release:
    """A request to publish a commit."""

    commit: str
    bump: str
    details: dict[str, object]
    settings: dict[str, object]
    info: dict[str, object]


class Versions:
    """The published versions of all algorithms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, algorithm_id: str, release: Release) -> VersionRecord:
        """Record a new version, and its details and settings as the algorithm's, in one transaction.

        Raises `ApiError` for an unknown `bump`, and with code 1007 if the commit is published already.
        """
        if release.bump not in BUMPS:
            raise invalid(f"version_type is not one of: {', '.join(BUMPS)}")
        with self._database.write() as connection:
            row = connection.execute(
                "SELECT major, minor, revision FROM versions WHERE algorithm_id = ?"
                " ORDER BY major DESC, minor DESC, revision DESC LIMIT 1",
                (algorithm_id,),
            ).fetchone()
            number = BUMPS[release.bump]((row[0], row[1], row[2]) if row else (0, 0, 0))
            version = VersionRecord(algorithm_id, release.commit, number, release.details, release.settings, release.info)
            try:
                _insert(connection, version)
            except sqlite3.IntegrityError:
                message = "Version already published: push a new commit first"
                raise ApiError(400, message, ALREADY_PUBLISHED) from None
            now = json.dumps(release.details), json.dumps(release.settings)
            connection.execute("UPDATE algorithms SET details = ?, settings = ? WHERE id = ?", (*now, algorithm_id))
        return version

    def describe(self, version: VersionRecord, info: dict[str, object]) -> None:
        """Replace the info of a version."""
        sql = "UPDATE versions SET info = ? WHERE algorithm_id = ? AND commit_sha = ?"
        self._database.change(sql, json.dumps(info), version.algorithm_id, version.commit)

    def of(self, algorithm_id: str) -> list[VersionRecord]:
        """All versions, newest first."""
        rows = self._database.rows("SELECT * FROM versions WHERE algorithm_id = ? ORDER BY sequence DESC", algorithm_id)
        return [_version(row) for row in rows]

    def of_commit(self, algorithm_id: str, commit: str) -> VersionRecord | None:
        """The version published from a commit."""
        row = self._database.row("SELECT * FROM versions WHERE algorithm_id = ? AND commit_sha = ?", algorithm_id, commit)
        return _version(row) if row else None

    def resolve(self, algorithm_id: str, reference: str) -> VersionRecord | None:
        """The version that a reference selects: empty, `latest`, `latestPrivate`, a number or a range (see `REFERENCE`).

        A range selects its newest public version. Only `latestPrivate` and full numbers select a private version.
        """
        versions = self.of(algorithm_id)
        if reference == "latestPrivate":
            return next((found for found in versions if not found.public), None)
        if reference in ("", "latest"):
            return next((found for found in versions if found.public), None)
        if not REFERENCE.fullmatch(reference) or reference.count(".") > 2:
            return None
        wanted = tuple(int(part) for part in reference.split(".") if part.isdigit())
        matching = [found for found in versions if found.number[: len(wanted)] == wanted]
        allowed = [found for found in matching if found.public or len(wanted) == 3]
        return max(allowed, key=lambda found: found.number, default=None)


def _insert(connection: sqlite3.Connection, version: VersionRecord) -> None:
    documents = map(json.dumps, (version.details, version.settings, version.info))
    connection.execute(
        "INSERT INTO versions (algorithm_id, commit_sha, major, minor, revision, details, settings, info)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (version.algorithm_id, version.commit, *version.number, *documents),
    )


def _version(row: sqlite3.Row) -> VersionRecord:
    return VersionRecord(
        row["algorithm_id"],
        row["commit_sha"],
        (row["major"], row["minor"], row["revision"]),
        json.loads(row["details"]),
        json.loads(row["settings"]),
        json.loads(row["info"]),
    )
