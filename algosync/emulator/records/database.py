"""The cluster's metadata, and contents of small files: one SQLite file. What was committed survives a kill at any moment."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

FORMAT = 5

WORTH_IT = 64 * 1024 * 1024
"""Bytes that are to be gained where the file is written anew."""

LONGEST_JOURNAL = 16 * 1024 * 1024
"""Bytes of the journal that stay on the disk after a large change."""

ACCOUNTS = """
CREATE TABLE users (name TEXT PRIMARY KEY);

CREATE TABLE organizations (name TEXT PRIMARY KEY);

CREATE TABLE members (
    organization TEXT NOT NULL REFERENCES organizations (name), user TEXT NOT NULL REFERENCES users (name),
    PRIMARY KEY (organization, user)) WITHOUT ROWID;

CREATE TABLE keys (
    digest TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users (name),
    may_write INTEGER NOT NULL, may_call INTEGER NOT NULL, may_manage INTEGER NOT NULL,
    expires_at REAL, main INTEGER NOT NULL);
"""
"""New in format 2."""

SCHEMA = """

CREATE TABLE environments (
    id TEXT PRIMARY KEY, specification_id TEXT NOT NULL, display_name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL);

CREATE TABLE collections (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, acl TEXT NOT NULL, UNIQUE (account, name));

CREATE TABLE files (
    collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    name TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL, blob TEXT NOT NULL UNIQUE,
    PRIMARY KEY (collection_id, name)) WITHOUT ROWID;

CREATE TABLE algorithms (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, details TEXT NOT NULL, settings TEXT NOT NULL,
    initial_commit TEXT NOT NULL, UNIQUE (owner, name));

CREATE TABLE builds (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    algorithm_id TEXT NOT NULL REFERENCES algorithms (id) ON DELETE CASCADE,
    commit_sha TEXT NOT NULL, version_uuid TEXT NOT NULL, status TEXT NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT);
CREATE INDEX builds_of_algorithm ON builds (algorithm_id, sequence);

CREATE TABLE versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    algorithm_id TEXT NOT NULL REFERENCES algorithms (id) ON DELETE CASCADE,
    commit_sha TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, revision INTEGER NOT NULL,
    details TEXT NOT NULL, settings TEXT NOT NULL, info TEXT NOT NULL,
    UNIQUE (algorithm_id, commit_sha), UNIQUE (algorithm_id, major, minor, revision));

CREATE TABLE failures (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    algorithm_id TEXT NOT NULL REFERENCES algorithms (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL, record TEXT NOT NULL);
"""

FROM_FORMAT_1 = """
INSERT INTO users (name) SELECT name FROM users_1;
INSERT INTO keys (digest, user, may_write, may_call, may_manage, expires_at, main)
    SELECT key_digest, name, 1, 1, 1, NULL, 1 FROM users_1;
DROP TABLE users_1;
"""
"""There, a user had one key, which permitted everything."""

FORMAT_3 = """
ALTER TABLE keys ADD COLUMN may_administer INTEGER NOT NULL DEFAULT 0;

ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';

ALTER TABLE organizations ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';

CREATE TABLE secrets (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    algorithm_id TEXT NOT NULL REFERENCES algorithms (id) ON DELETE CASCADE,
    variable TEXT NOT NULL, short_name TEXT NOT NULL, description TEXT NOT NULL,
    value_id TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (algorithm_id, variable));
"""

FORMAT_4 = """
ALTER TABLE algorithms ADD COLUMN default_collection TEXT REFERENCES collections (id) ON DELETE SET NULL;
"""

FORMAT_5 = """
CREATE TABLE contents (blob TEXT PRIMARY KEY REFERENCES files (blob) ON DELETE CASCADE, body BLOB NOT NULL);
"""
"""Of small files: one commit brings many of them to the disk, where as files each of them would be two syncs."""


class Database:
    """One writer at a time, readers beside it; usable from every thread, and beside other processes.

    Files of older formats are brought to this one: only for who may `migrate`, as nobody else uses the file.
    Raises `ValueError` for the others, and for files of newer formats.
    A reader sees what was committed, never a half-done write. With a journal in memory, nothing stays beside the file, and nothing
    survives a kill.
    """

    def __init__(self, path: Path, *, journal: Literal["WAL", "MEMORY"] = "WAL", migrate: bool = True) -> None:
        self._writing = threading.Lock()
        self._reading = threading.RLock()
        with contextlib.suppress(FileExistsError):
            # For its owner's eyes, and so the files that SQLite puts beside it. Only where it is new: to close a file of an
            # open database would drop this process's locks on it.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self._writer = _connect(path, journal)
        self._reader = _connect(path, journal)
        with self.write() as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found > FORMAT:
                raise ValueError(f"{path} has format {found}; this version of algosync knows formats up to {FORMAT}")
            if found < FORMAT and not migrate:
                raise ValueError(f"{path} has the older format {found}, and is in use: stop the cluster, and start it again")
            if found < FORMAT:
                _change(connection, found)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._reading:
            return self._reader.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, if there is one."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def version(self) -> int:
        """Another number whenever anything was committed since, by whomever."""
        with self._reading:
            found: int = self._reader.execute("PRAGMA data_version").fetchone()[0]
            return found

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that this thread reads within the block is of one moment, and costs one look at the file's locks."""
        with self._reading:
            self._reader.execute("BEGIN")
            try:
                yield
            finally:
                self._reader.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed and on disk when the block ends, undone when it raises."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite undoes some of itself, as on a full disk.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def shrink(self) -> None:
        """Give back to the disk what deleted rows have left free, where that is most of the file, and much."""
        with self._writing:
            pages, free, size = (
                self._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
            )
            if free * size >= WORTH_IT and free > pages // 2:
                # Without room for what is left, or while somebody reads, it waits for the next time.
                with contextlib.suppress(sqlite3.OperationalError):
                    self._writer.execute("VACUUM")
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()


def _connect(path: Path, journal: str) -> sqlite3.Connection:
    # isolation_level=None: transactions begin where `write` says so, never behind our back.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    # What is deleted is not written over, which would take as much room again.
    connection.execute("PRAGMA secure_delete=OFF")
    connection.execute(f"PRAGMA journal_size_limit={LONGEST_JOURNAL}")
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _change(connection: sqlite3.Connection, found: int) -> None:
    """Bring a file to this format, within the transaction of the caller."""
    since = [FORMAT_3, FORMAT_4, FORMAT_5]
    first = {0: [ACCOUNTS, SCHEMA], 1: [ACCOUNTS, FROM_FORMAT_1]}.get(found, [])
    scripts = [*first, *since[max(found - 2, 0) :]]
    if found == 1:
        connection.execute("ALTER TABLE users RENAME TO users_1")
    # Statement by statement: `executescript` would commit first and leave a half-made file behind a kill.
    for statement in ";".join(scripts).split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={FORMAT}")
