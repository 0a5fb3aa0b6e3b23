"""Kept files: the bytes that data files had before an apply overwrote them, until the new version is published.

A folder on this machine, never the state: files are large, and may be confidential.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File, stream
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.text import printable
from algosync.net import Retry

__all__ = ["KeptFiles", "default_keep_folder"]

_BLOCK = 1 << 20  # bytes


def default_keep_folder() -> Path:
    """In the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "algosync" / "kept"


class KeptFiles:
    """One file for each address and content. The folder is created, for its owner only, when the first file is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, address: Address, file: File, retry: Retry) -> tuple[str, int]:
        """Copies a file durably. Returns its SHA-256 (hex) and length in bytes. TransferError: the folder cannot be written."""
        try:
            return retry.run(lambda: self._keep(address, file))
        except OSError as error:
            place = printable(str(self._folder))
            hint = "--keep-dir names another folder; `restore_data: false` in `publish` keeps no bytes"
            raise TransferError(f"previous bytes cannot be kept in {place}: {error.strerror or error}", hint=hint) from error

    def _keep(self, address: Address, file: File) -> tuple[str, int]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix="incoming-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as copy:
                digest, size = _copied(file, cast("BinaryIO", copy))
            kept = self._path(address, digest)
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(name, kept)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        _sync_folder(kept.parent)
        return digest, size

    def has(self, address: Address, digest: str) -> bool:
        return self._path(address, digest).is_file()

    def file(self, address: Address, digest: str, size: int) -> File:
        """A kept file, to be read."""
        path = self._path(address, digest)
        return File(Directory(self._folder), (path.parent.parent.name, path.parent.name, path.name), size, digest)

    def drop(self, address: Address, digest: str) -> None:
        with suppress(OSError):  # a file that stays does no harm
            self._path(address, digest).unlink(missing_ok=True)

    def _path(self, address: Address, digest: str) -> Path:
        place = hashlib.sha256(str(address).encode()).hexdigest()
        return self._folder / place[:2] / place / digest


def _copied(file: File, copy: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with stream(file) as original:
        while block := original.read(_BLOCK):
            digest.update(block)
            size += copy.write(block)
    copy.flush()
    os.fsync(copy.fileno())
    return digest.hexdigest(), size


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
