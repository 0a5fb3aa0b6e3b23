"""The tables of a cluster's database, and how files of older formats are brought to the current one."""

import os
import sqlite3
from pathlib import Path

from algosync.emulator.records.blobs import sync_folder

FORMAT = 6

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
"""In format 1 a user had one key, which permitted everything."""

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


def upgrade(connection: sqlite3.Connection, found: int, blobs: Path) -> None:
    """Bring a database of format `found` to the current one, inside the caller's transaction. 0 is a new database.

    Only format 5 kept the contents of small files in the database. They are written to the folder `blobs`, where all others are.
    Raises `OSError` if that fails.
    """
    if found == 5:
        _write_contents(connection, blobs)
        connection.execute("DROP TABLE contents")
    if found == 1:
        connection.execute("ALTER TABLE users RENAME TO users_1")
    first = {0: [ACCOUNTS, SCHEMA], 1: [ACCOUNTS, FROM_FORMAT_1]}.get(found, [])
    later = [FORMAT_3, FORMAT_4][max(found - 2, 0) :]
    # `executescript` would commit first, and a kill would then leave a half-made file.
    for statement in ";".join([*first, *later]).split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={FORMAT}")


def _write_contents(connection: sqlite3.Connection, folder: Path) -> None:
    """Write every content of format 5 to a file named by its blob's id, durably.

    After a kill the contents are still in the database, and the next start writes them again.
    """
    folder.mkdir(exist_ok=True)
    for blob, body in connection.execute("SELECT blob, body FROM contents"):
        with (folder / blob).open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(folder)
