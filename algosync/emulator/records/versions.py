"""Published versions: immutable, numbered by the cluster."""

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
    # api-docs' word for a revision
    "patch": lambda number: (number[0], number[1], number[2] + 1),
}

LINE = re.compile(r"(\d{1,18})\.(?:(\d{1,18})(?:\.(\*|\d{1,18}))?|\*)")
"""`1.2.3`, `1.2`, `1.2.*`, `1.*`, of at most as many digits as the database can hold."""


@dataclass(frozen=True, slots=True)
class Version:
    """A published commit, with the details and settings that were in force when it was published."""

    algorithm_id: str
    commit: str
    number: Number
    details: dict[str, object]
    settings: dict[str, object]
    info: dict[str, object]

    @property
    def semantic(self) -> str:
        """Its number as text."""
        return ".".join(map(str, self.number))

    @property
    def public(self) -> bool:
        """Whether everybody may call it."""
        return self.settings["algorithm_callability"] == "public"


@dataclass(frozen=True, slots=True)
class Release:
    """What a publisher says about a version."""

    commit: str
    bump: str
    details: dict[str, object]
    settings: dict[str, object]
    info: dict[str, object]


class Versions:
    """The published versions of all algorithms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, algorithm_id: str, release: Release) -> Version:
        """Number and record a version, and its details and settings as the algorithm's: all, or nothing.

        Raises `ApiError`, code 1007, for a commit that has been published.
        """
        if release.bump not in BUMPS:
            raise invalid(f"version_type is none of {', '.join(BUMPS)}")
        with self._database.write() as connection:
            row = connection.execute(
                "SELECT major, minor, revision FROM versions WHERE algorithm_id = ?"
                " ORDER BY major DESC, minor DESC, revision DESC LIMIT 1",
                (algorithm_id,),
            ).fetchone()
            number = BUMPS[release.bump]((row[0], row[1], row[2]) if row else (0, 0, 0))
            version = Version(algorithm_id, release.commit, number, release.details, release.settings, release.info)
            try:
                _insert(connection, version)
            except sqlite3.IntegrityError:
                message = "Version already published: push a new commit first"
                raise ApiError(400, message, ALREADY_PUBLISHED) from None
            now = json.dumps(release.details), json.dumps(release.settings)
            connection.execute("UPDATE algorithms SET details = ?, settings = ? WHERE id = ?", (*now, algorithm_id))
        return version

    def describe(self, version: Version, info: dict[str, object]) -> None:
        """Change what is said of a version besides its number."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE versions SET info = ? WHERE algorithm_id = ? AND commit_sha = ?",
                (json.dumps(info), version.algorithm_id, version.commit),
            )

    def of(self, algorithm_id: str) -> list[Version]:
        """All versions, newest first."""
        rows = self._database.rows("SELECT * FROM versions WHERE algorithm_id = ? ORDER BY sequence DESC", algorithm_id)
        return [_version(row) for row in rows]

    def of_commit(self, algorithm_id: str, commit: str) -> Version | None:
        """The version made of a commit."""
        row = self._database.row("SELECT * FROM versions WHERE algorithm_id = ? AND commit_sha = ?", algorithm_id, commit)
        return _version(row) if row else None

    def resolve(self, algorithm_id: str, reference: str) -> Version | None:
        """The version a reference means: empty, `latest`, `latestPrivate`, `1.2.3`, `1.2`, `1.2.*`, `1.*`.

        A private version is found by `latestPrivate` or its full number only.
        """
        versions = self.of(algorithm_id)
        if reference == "latestPrivate":
            return next((found for found in versions if not found.public), None)
        if reference in ("", "latest"):
            return next((found for found in versions if found.public), None)
        match = LINE.fullmatch(reference)
        if match is None:
            return None
        wanted = tuple(int(part) for part in match.groups() if part not in (None, "*"))
        matching = [found for found in versions if found.number[: len(wanted)] == wanted]
        allowed = [found for found in matching if found.public or len(wanted) == 3]
        return max(allowed, key=lambda found: found.number, default=None)


def _insert(connection: sqlite3.Connection, version: Version) -> None:
    connection.execute(
        "INSERT INTO versions (algorithm_id, commit_sha, major, minor, revision, details, settings, info)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            version.algorithm_id,
            version.commit,
            *version.number,
            json.dumps(version.details),
            json.dumps(version.settings),
            json.dumps(version.info),
        ),
    )


def _version(row: sqlite3.Row) -> Version:
    return Version(
        row["algorithm_id"],
        row["commit_sha"],
        (row["major"], row["minor"], row["revision"]),
        json.loads(row["details"]),
        json.loads(row["settings"]),
        json.loads(row["info"]),
    )
