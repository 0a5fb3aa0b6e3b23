"""Contents of data files, each under a random id. A name that a user gave never becomes a path."""

import os
import re
import uuid
from collections.abc import Container
from pathlib import Path
from typing import BinaryIO

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

    def open(self, blob: str) -> BinaryIO:
        """The content of a blob; it stays readable while open, even when the blob is removed meanwhile."""
        return (self._folder / blob).open("rb", buffering=0)

    def remove(self, blob: str) -> None:
        """Forget a blob that nothing refers to any more."""
        (self._folder / blob).unlink(missing_ok=True)

    def sweep(self, known: Container[str]) -> None:
        """Remove what a killed server left: uploads it never finished, blobs it had already replaced."""
        for entry in os.scandir(self._incoming):
            Path(entry.path).unlink()
        for entry in os.scandir(self._folder):
            if BLOB_ID.fullmatch(entry.name) and entry.name not in known:
                Path(entry.path).unlink()


class IncomingBlob:
    """A blob while it is written: `write` blocks, then `keep` or `discard`."""

    def __init__(self, incoming: Path, folder: Path) -> None:
        self.id = uuid.uuid4().hex
        self.size = 0
        self._temporary = incoming / self.id
        self._folder = folder
        self._file = self._temporary.open("xb", buffering=0)

    def write(self, block: bytes | bytearray) -> None:
        """Append a block."""
        view = memoryview(block)
        while view:
            view = view[self._file.write(view) :]
        self.size += len(block)

    def keep(self) -> None:
        """On disk for good when this returns."""
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.rename(self._folder / self.id)
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def discard(self) -> None:
        """The upload failed."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)
