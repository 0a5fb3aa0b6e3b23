"""Contents of data files, each in a file named by a random id. Names from users never become paths."""

import errno
import logging
import os
import re
import uuid
from collections.abc import Container
from pathlib import Path
from typing import BinaryIO

from algosync.emulator.disk_space import check_room

BLOCK = 1024 * 1024
"""Bytes that are read or written at a time."""

BLOB_ID = re.compile(r"[0-9a-f]{32}")


class Blobs:
    """A folder of immutable files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def new(self) -> "IncomingBlob":
        """A new blob, to be written."""
        return IncomingBlob(self._incoming, self._folder)

    def open(self, blob: str, size: int) -> BinaryIO:
        """Open a blob for reading. It stays readable while it is open, even if it is removed.

        Raises `OSError` if the file does not have `size` bytes, because then it is damaged.
        """
        file = (self._folder / blob).open("rb", buffering=0)
        if os.fstat(file.fileno()).st_size != size:
            file.close()
            raise OSError(errno.EIO, "This content has another size than was stored", str(self._folder / blob))
        return file

    def remove(self, blob: str) -> None:
        """Remove a blob that no file refers to any more."""
        (self._folder / blob).unlink(missing_ok=True)

    def sweep(self, known: Container[str]) -> None:
        """Remove what a killed server left: unfinished uploads, and blobs whose ids are not `known`."""
        named = [entry for entry in os.scandir(self._folder) if BLOB_ID.fullmatch(entry.name) and entry.name not in known]
        for entry in (*os.scandir(self._incoming), *named):
            try:
                os.unlink(entry.path)
            except OSError as error:
                # For example a folder, which the cluster did not make. It must not keep the cluster from starting.
                logging.warning("%s is not removed: %s", entry.path, error.strerror)


class IncomingBlob:
    """A blob that is being written: call `write` for each block, then `keep` or `discard`."""

    def __init__(self, incoming: Path, folder: Path) -> None:
        self.id = uuid.uuid4().hex
        self.size = 0
        self._temporary = incoming / self.id
        self._folder = folder
        self._file = self._temporary.open("xb", buffering=0)

    def write(self, block: bytes | bytearray) -> None:
        """Append a block. Raises `OSError` shortly before the disk is full, so that deleting stays possible."""
        check_room(self._folder)
        view = memoryview(block)
        while view:
            view = view[os.write(self._file.fileno(), view) :]
        self.size += len(block)

    def keep(self) -> None:
        """Make the content a blob. It is on disk for good when this returns."""
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.rename(self._folder / self.id)
        sync_folder(self._folder)

    def discard(self) -> None:
        """Remove an unfinished upload."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Put the names of a folder's files on disk for good."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
