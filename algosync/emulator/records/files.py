"""Hosted data: collections and the files in them. Names are keys of the database."""

import contextlib
import io
import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from algosync.emulator.records.batches import Batches
from algosync.emulator.records.blobs import Blobs, IncomingBlob
from algosync.emulator.records.data_uris import OWN_ALGORITHMS, Place
from algosync.emulator.records.database import Database

TEMPORARY_SECONDS = 24 * 3600
"""How long files under `.algo/…/temp` are kept."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection and who may read it."""

    id: str
    name: str
    acl: list[str]


@dataclass(frozen=True, slots=True)
class File:
    """A data file: `size` in bytes, `modified` in Unix seconds, its content's blob."""

    name: str
    size: int
    modified: int
    blob: str


@dataclass(frozen=True, slots=True)
class Put:
    """A small content for the file with this path, whose end is its name, in a collection."""

    collection: Collection
    path: str
    body: bytes


class Files:
    """The cluster's hosted data. A file is there when `put` has returned, whatever happens then."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self._entries = Batches(self._keep)

    def recover(self) -> None:
        """Clear up after the last server: request trees that ended with it, blobs that nothing names."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM collections WHERE name GLOB '.session/*'")
        self._blobs.sweep({row["blob"] for row in self._database.rows("SELECT blob FROM files")})
        self._database.shrink()

    def collection(self, place: Place) -> Collection | None:
        """The collection of a place, if it exists."""
        row = self._database.row(
            "SELECT id, name, acl FROM collections WHERE account = ? AND name = ?", place.account, place.collection
        )
        return _collection(row) if row else None

    def owned_by(self, account: str) -> list[Collection]:
        """An account's own collections, by name."""
        rows = self._database.rows(
            "SELECT id, name, acl FROM collections WHERE account = ? AND name NOT GLOB '.*' ORDER BY name", account
        )
        return [_collection(row) for row in rows]

    def has_any(self, account: str) -> bool:
        """Whether an account has collections, listed or not."""
        return self._database.row("SELECT 1 FROM collections WHERE account = ? LIMIT 1", account) is not None

    def collections(self, account: str, after: str, limit: int) -> list[str]:
        """Names of an account's own collections behind `after`, in order."""
        rows = self._database.rows(
            "SELECT name FROM collections WHERE account = ? AND name > ? AND name NOT GLOB '.*' ORDER BY name LIMIT ?",
            account,
            after,
            limit,
        )
        return [row["name"] for row in rows]

    def create(self, place: Place, acl: list[str] | None = None) -> Collection | None:
        """Make a collection, readable by its owner's algorithms unless said otherwise; None where it exists already."""
        found = Collection(uuid.uuid4().hex, place.collection, [OWN_ALGORITHMS] if acl is None else acl)
        with self._database.write() as connection:
            made = connection.execute(
                "INSERT INTO collections (id, account, name, acl) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (found.id, place.account, found.name, json.dumps(found.acl)),
            )
        return found if made.rowcount else None

    def set_acl(self, collection: Collection, acl: list[str]) -> None:
        """Change who may read."""
        with self._database.write() as connection:
            connection.execute("UPDATE collections SET acl = ? WHERE id = ?", (json.dumps(acl), collection.id))

    def file(self, collection: Collection, name: str) -> File | None:
        """A file, if it exists."""
        row = self._database.row(
            "SELECT name, size, modified, blob FROM files WHERE collection_id = ? AND name = ?", collection.id, name
        )
        return File(**dict(row)) if row else None

    def open(self, collection: Collection, name: str) -> tuple[File, BinaryIO] | None:
        """A file with its content; of a file that is being replaced, either the old or the new."""
        while file := self.file(collection, name):
            try:
                return file, self._content(file)
            except FileNotFoundError:
                if self.file(collection, name) == file:
                    raise
        return None

    def read(self, collection: Collection, name: str, most: int) -> bytes | None:
        """The content of a small file; None for one that is not there, or has more than `most` bytes."""
        row = self._database.row(
            "SELECT size, blob, body FROM files LEFT JOIN contents USING (blob) WHERE collection_id = ? AND name = ?",
            collection.id,
            name,
        )
        if row is None or row["size"] > most:
            return None
        body: bytes | None = row["body"]
        if body is not None:
            return body
        try:
            return self._blobs.read(row["blob"], row["size"])
        except FileNotFoundError:
            # It is being replaced.
            return None

    def _content(self, file: File) -> BinaryIO:
        row = self._database.row("SELECT body FROM contents WHERE blob = ?", file.blob)
        return io.BytesIO(row["body"]) if row else self._blobs.open(file.blob, file.size)

    def page(self, collection: Collection, after: str, limit: int) -> list[File]:
        """Files behind the name `after`, in order."""
        rows = self._database.rows(
            "SELECT name, size, modified, blob FROM files WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?",
            collection.id,
            after,
            limit,
        )
        return [File(**dict(row)) for row in rows]

    def put(self, collection: Collection, name: str, content: IncomingBlob) -> bool:
        """Make `content` the file `name`, durably. False where the collection has vanished meanwhile."""
        content.keep()
        return self._entries.do(_Entry(collection.id, name, content.size, content.id))

    def put_all(self, puts: "list[Put]") -> list[bool]:
        """Make small contents files, durably, in one commit. Each as `put` has it. Raises `OSError` where there is no room."""
        self._blobs.check_room()
        return self._record([_entry(put) for put in puts])

    def _keep(self, entries: "list[_Entry]") -> list[bool]:
        """One sync of their folder and one commit for contents that came at the same time."""
        return self._record(entries, before=self._blobs.sync)

    def _record(self, entries: "list[_Entry]", before: Callable[[], None] | None = None) -> list[bool]:
        """Record contents, in one commit. Those that cannot be recorded are there no more."""
        committing = False
        try:
            if before:
                before()
            with self._database.write() as connection:
                recorded = [_enter(connection, entry) for entry in entries]
                committing = True
        except BaseException:
            # A commit that fails may have been one: the next start knows, and removes what is nobody's.
            if not committing:
                for entry in entries:
                    self._blobs.remove(entry.blob)
            raise
        for _, unused in recorded:
            if unused:
                # They are stored, whatever happens now; what stays, the next start sweeps.
                with contextlib.suppress(OSError):
                    self._blobs.remove(unused)
        return [alive for alive, _ in recorded]

    def delete(self, collection: Collection, name: str) -> bool:
        """Delete a file; False where it was not there."""
        key = (collection.id, name)
        with self._database.write() as connection:
            row = connection.execute("SELECT blob FROM files WHERE collection_id = ? AND name = ?", key).fetchone()
            connection.execute("DELETE FROM files WHERE collection_id = ? AND name = ?", key)
        if row:
            self._blobs.remove(row["blob"])
        return row is not None

    def delete_collection(self, collection: Collection, *, force: bool) -> int | None:
        """Delete a collection and return how many files it had; None, and nothing done, where it is not empty."""
        with self._database.write() as connection:
            rows = connection.execute("SELECT blob FROM files WHERE collection_id = ?", (collection.id,)).fetchall()
            if rows and not force:
                return None
            connection.execute("DELETE FROM collections WHERE id = ?", (collection.id,))
        for row in rows:
            self._blobs.remove(row["blob"])
        return len(rows)

    def end_tree(self, account: str, tree: str) -> None:
        """A request tree has ended; its `.session` goes with it."""
        if session := self.collection(Place(account, f".session/{tree}")):
            self.delete_collection(session, force=True)

    def expire(self) -> None:
        """Delete temporary files of algorithms after their day."""
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


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file that is to have a content: `body`, or what is on disk as a blob already."""

    collection: str
    name: str
    size: int
    blob: str
    body: bytes | None = None


def _entry(put: Put) -> _Entry:
    return _Entry(put.collection.id, put.path.rpartition("/")[2], len(put.body), uuid.uuid4().hex, put.body)


def _enter(connection: sqlite3.Connection, entry: _Entry) -> tuple[bool, str | None]:
    """Whether the collection is still there, and the blob that nothing refers to any more."""
    if not connection.execute("SELECT 1 FROM collections WHERE id = ?", (entry.collection,)).fetchone():
        return False, entry.blob
    key = (entry.collection, entry.name)
    old = connection.execute("SELECT blob FROM files WHERE collection_id = ? AND name = ?", key).fetchone()
    connection.execute(
        "INSERT OR REPLACE INTO files (collection_id, name, size, modified, blob) VALUES (?, ?, ?, ?, ?)",
        (*key, entry.size, int(time.time()), entry.blob),
    )
    if entry.body is not None:
        connection.execute("INSERT INTO contents (blob, body) VALUES (?, ?)", (entry.blob, entry.body))
    return True, old["blob"] if old else None


def _collection(row: sqlite3.Row) -> Collection:
    return Collection(row["id"], row["name"], json.loads(row["acl"]))
