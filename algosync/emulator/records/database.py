"""The cluster's metadata in one SQLite file. Committed changes survive a kill at any moment."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from algosync.emulator.records.schema import FORMAT, upgrade


class Database:
    """One writer at a time, with readers beside it. Usable from every thread, and beside other processes.

    Readers see committed changes only. With `journal="MEMORY"` SQLite puts no other files beside the database, and a kill may
    damage it.

    Opening a file of an older format upgrades it. Contents that format 5 kept in the database move to the folder `blobs` beside the
    file. Pass `migrate=False` while another process may use the file. Raises `ValueError` for an older format with `migrate=False`,
    and for a newer format.
    """

    def __init__(self, path: Path, *, journal: Literal["WAL", "MEMORY"] = "WAL", migrate: bool = True) -> None:
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        with contextlib.suppress(FileExistsError):
            # SQLite gives the files beside the database the same mode. An existing file is not opened here: closing it would
            # release this process's locks on an open database.
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
                upgrade(connection, found, path.with_name("blobs"))
        if found == 5:
            self._shrink()

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._reading:
            return self._reader.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def change(self, sql: str, *values: object) -> int:
        """Execute one statement as a transaction. Returns the number of changed rows."""
        with self.write() as connection:
            return connection.execute(sql, values).rowcount

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction. It is committed and on disk when the block ends, and rolled back when the block raises."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite itself rolls back after some errors, for example on a full disk.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _shrink(self) -> None:
        """Give the room of deleted rows back to the disk."""
        # Without enough room for a copy, or while another process reads, the file stays as large as it is.
        with contextlib.suppress(sqlite3.OperationalError):
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _connect(path: Path, journal: str) -> sqlite3.Connection:
    # isolation_level=None: only `write` begins transactions.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection
