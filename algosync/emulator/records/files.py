"""Hosted data: collections and their files. Names of collections and files are keys of the database, never paths."""

import contextlib
import json
import sqlite3
import time
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from algosync.emulator.records.blobs import Blobs, IncomingBlob
from algosync.emulator.records.data_uris import OWN_ALGORITHMS, DataPath
from algosync.emulator.records.database import Database

TEMPORARY_SECONDS = 24 * 3600
"""How long files below `.algo/…/temp` are kept."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection. `acl` says who may read it, in the platform's notation."""

    id: str
    name: str
    acl: list[str]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A data file: `size` in bytes, `modified` in Unix seconds, `blob` the id of its content."""

    name: str
    size: int
    modified: int
    blob: str


class Files:
    """The cluster's hosted data. A file is on disk when `put` has returned, and survives a kill."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    def recover(self) -> None:
        """Remove what the last server left: data of its request trees, and blobs that no file refers to."""
        self._database.change("DELETE FROM collections WHERE name GLOB '.session/*'")
        self._blobs.sweep({row["blob"] for row in self._database.rows("SELECT blob FROM files")})

    def collection(self, path: DataPath) -> Collection | None:
        """The collection of a path, or None."""
        sql = "SELECT id, name, acl FROM collections WHERE account = ? AND name = ?"
        row = self._database.row(sql, path.account, path.collection)
        return _collection(row) if row else None

    def owned_by(self, account: str) -> list[Collection]:
        """An account's collections, sorted by name. Special collections are left out."""
        sql = "SELECT id, name, acl FROM collections WHERE account = ? AND name NOT GLOB '.*' ORDER BY name"
        return [_collection(row) for row in self._database.rows(sql, account)]

    def has_any(self, account: str) -> bool:
        """Whether an account has collections, special ones included."""
        return self._database.row("SELECT 1 FROM collections WHERE account = ? LIMIT 1", account) is not None

    def collections(self, account: str, after: str, limit: int) -> list[str]:
        """Sorted names of an account's collections that come after `after`. Special collections are left out."""
        sql = "SELECT name FROM collections WHERE account = ? AND name > ? AND name NOT GLOB '.*' ORDER BY name LIMIT ?"
        return [row["name"] for row in self._database.rows(sql, account, after, limit)]

    def create(self, path: DataPath, acl: list[str] | None = None) -> Collection | None:
        """Create a collection. Returns None if it exists already. By default its owner's algorithms may read it."""
        made = Collection(uuid.uuid4().hex, path.collection, [OWN_ALGORITHMS] if acl is None else acl)
        sql = "INSERT INTO collections (id, account, name, acl) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        added = self._database.change(sql, made.id, path.account, made.name, json.dumps(made.acl))
        return made if added else None

    def set_acl(self, collection: Collection, acl: list[str]) -> None:
        """Change who may read a collection."""
        self._database.change("UPDATE collections SET acl = ? WHERE id = ?", json.dumps(acl), collection.id)

    def file(self, collection: Collection, name: str) -> StoredFile | None:
        """The record of a file, or None."""
        sql = "SELECT name, size, modified, blob FROM files WHERE collection_id = ? AND name = ?"
        row = self._database.row(sql, collection.id, name)
        return StoredFile(**dict(row)) if row else None

    def open(self, collection: Collection, name: str) -> tuple[StoredFile, BinaryIO] | None:
        """Open a file for reading. Returns None if there is none.

        If the file is being replaced, this is either the old or the new one. Raises `FileNotFoundError` if its content is lost, and
        `OSError` if it is damaged.
        """
        while file := self.file(collection, name):
            try:
                return file, self._blobs.open(file.blob, file.size)
            except FileNotFoundError:
                # The file was replaced after its record was read: try again.
                if self.file(collection, name) == file:
                    raise
        return None

    def read(self, collection: Collection, name: str, most: int) -> bytes | None:
        """The content of a file, or None if there is none or it has more than `most` bytes. Raises as `open` does."""
        opened = self.open(collection, name)
        if opened is None:
            return None
        file, content = opened
        with content:
            return content.read() if file.size <= most else None

    def page(self, collection: Collection, after: str, limit: int) -> list[StoredFile]:
        """Files of a collection whose names come after `after`, sorted by name."""
        sql = "SELECT name, size, modified, blob FROM files WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?"
        return [StoredFile(**dict(row)) for row in self._database.rows(sql, collection.id, after, limit)]

    def put(self, collection: Collection, name: str, content: IncomingBlob) -> bool:
        """Make `content` the file `name`, durably. Returns False if the collection does not exist any more."""
        committing = False
        try:
            content.keep()
            with self._database.write() as connection:
                stored, unused = _record(connection, collection, name, content)
                committing = True
        except BaseException:
            # A commit that reports an error may be on disk all the same. The next start sees whether the blob is needed.
            if not committing:
                self._blobs.remove(content.id)
            raise
        if unused:
            # The file is stored whatever happens here. The next start removes the blob if this fails.
            with contextlib.suppress(OSError):
                self._blobs.remove(unused)
        return stored

    def delete(self, collection: Collection, name: str) -> bool:
        """Delete a file. Returns False if there was none."""
        key = (collection.id, name)
        with self._database.write() as connection:
            row = connection.execute("SELECT blob FROM files WHERE collection_id = ? AND name = ?", key).fetchone()
            connection.execute("DELETE FROM files WHERE collection_id = ? AND name = ?", key)
        if row:
            self._blobs.remove(row["blob"])
        return row is not None

    def delete_collection(self, collection: Collection, *, force: bool) -> int | None:
        """Delete a collection and return how many files it had. Without `force`, returns None and keeps one that has files."""
        with self._database.write() as connection:
            rows = connection.execute("SELECT blob FROM files WHERE collection_id = ?", (collection.id,)).fetchall()
            if rows and not force:
                return None
            connection.execute("DELETE FROM collections WHERE id = ?", (collection.id,))
        for row in rows:
            self._blobs.remove(row["blob"])
        return len(rows)

    def end_tree(self, account: str, tree: str) -> None:
        """Delete the `.session` data of a request tree that has ended."""
        if session := self.collection(DataPath(account, f".session/{tree}")):
            self.delete_collection(session, force=True)

    def expire(self) -> None:
        """Delete temporary files of algorithms that are older than `TEMPORARY_SECONDS`."""
        oldest = int(time.time()) - TEMPORARY_SECONDS
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT blob FROM files JOIN collections ON collections.id = collection_id"
                " WHERE collections.name GLOB '.algo/*/temp' AND modified < ?",
                (oldest,),
            ).fetchall()
            connection.executemany("DELETE FROM files WHERE blob = ?", [(row["blob"],) for row in rows])
        for row in rows:
            self._blobs.remove(row["blob"])


def _record(connection: sqlite3.Connection, collection: Collection, name: str, content: IncomingBlob) -> tuple[bool, str | None]:
    """Whether the collection still exists, and the id of the blob that no file refers to now."""
    if not connection.execute("SELECT 1 FROM collections WHERE id = ?", (collection.id,)).fetchone():
        return False, content.id
    key = (collection.id, name)
    old = connection.execute("SELECT blob FROM files WHERE collection_id = ? AND name = ?", key).fetchone()
    connection.execute(
        "INSERT OR REPLACE INTO files (collection_id, name, size, modified, blob) VALUES (?, ?, ?, ?, ?)",
        (*key, content.size, int(time.time()), content.id),
    )
    return True, old["blob"] if old else None


def _collection(row: sqlite3.Row) -> Collection:
    return Collection(row["id"], row["name"], json.loads(row["acl"]))
