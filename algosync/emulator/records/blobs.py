"""Contents of data files, each under a random id. A name that a user gave never becomes a path."""

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
        """A blob to be written."""
        return IncomingBlob(self._incoming, self._folder)

    def open(self, blob: str, size: int) -> BinaryIO:
        """The content of a blob of this size; it stays readable while open, even when the blob is removed meanwhile.

        Raises `OSError` where it is damaged: it has another size.
        """
        file = (self._folder / blob).open("rb", buffering=0)
        if os.fstat(file.fileno()).st_size != size:
            file.close()
            raise self._damaged(blob)
        return file

    def read(self, blob: str, size: int) -> bytes:
        """The whole content of a small blob of this size. Raises `OSError` as `open` does."""
        file = os.open(f"{self._folder}/{blob}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            # One more than it has.
            content = os.read(file, size + 1)
        finally:
            os.close(file)
        if len(content) != size:
            raise self._damaged(blob)
        return content

    def _damaged(self, blob: str) -> OSError:
        return OSError(errno.EIO, "This content has another size than was stored", str(self._folder / blob))

    def check_room(self) -> None:
        """Raises `OSError` where there is no room for more contents."""
        check_room(self._folder)

    def remove(self, blob: str) -> None:
        """Forget a blob that nothing refers to any more."""
        (self._folder / blob).unlink(missing_ok=True)

    def sync(self) -> None:
        """The names of all blobs that were kept are on disk for good when this returns."""
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def sweep(self, known: Container[str]) -> None:
        """Remove what a killed server left: uploads it never finished, blobs it had already replaced."""
        named = [entry for entry in os.scandir(self._folder) if BLOB_ID.fullmatch(entry.name) and entry.name not in known]
        for entry in (*os.scandir(self._incoming), *named):
            try:
                os.unlink(entry.path)
            except OSError as error:
                # A folder, say, which is none of this cluster's, and keeps nobody from its files.
                logging.warning("%s is not removed: %s", entry.path, error.strerror)


class IncomingBlob:
    """A blob while it is written: `write` blocks, then `keep` or `discard`."""

    def __init__(self, incoming: Path, folder: Path) -> None:
        self.id = uuid.uuid4().hex
        self.size = 0
        self._temporary = incoming / self.id
        self._folder = folder
        self._file = self._temporary.open("xb", buffering=0)

    def write(self, block: bytes | bytearray) -> None:
        """Append a block. Raises `OSError` of a full disk before it is."""
        check_room(self._folder)
        _write(self._file.fileno(), block)
        self.size += len(block)

    def keep(self) -> None:
        """Its content is on disk for good when this returns, and its name when the folder has been synced, too."""
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.rename(self._folder / self.id)

    def discard(self) -> None:
        """The upload failed."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def _write(file: int, block: bytes | bytearray) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]
