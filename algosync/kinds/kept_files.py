"""Kept files: the bytes that data files had before an apply overwrote them, until the new version is published.

A folder on this machine, never the state: files are large, and may be confidential.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from algosync.cluster.blob_cache import user_cache
from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File, stream
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.text import printable
from algosync.net import Retry
from algosync.state.durable import EVERYTHING, make_folder, sync_folder

__all__ = ["KeptFiles", "default_keep_folder"]

_BLOCK = 1 << 20  # bytes


def default_keep_folder() -> Path:
    """In the user's cache."""
    return user_cache() / "kept"


class KeptFiles:
    """One file for each address and content of one state. The folder is created, for its owner only, when the first file is kept.

    `lineage`: that of the state; None: it has none yet. Two states may have the same addresses, and must not share their files.
    """

    def __init__(self, folder: Path, lineage: Callable[[], str | None] = lambda: None) -> None:
        self._folder = folder
        self._lineage = lineage

    def keep(self, address: Address, file: File, retry: Retry) -> tuple[str, int]:
        """Copies a file durably. Returns its SHA-256 (hex) and length in bytes. TransferError: the folder cannot be written."""
        try:
            return retry.run(lambda: self._keep(address, file))
        except OSError as error:
            place = printable(str(self._folder))
            hint = "--keep-dir names another folder; `restore_data: false` in `publish` keeps no bytes"
            raise TransferError(f"previous bytes cannot be kept in {place}: {error.strerror or error}", hint=hint) from error

    def _keep(self, address: Address, file: File) -> tuple[str, int]:
        make_folder(self._folder, EVERYTHING)
        folder = self._place(address)
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="incoming-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as copy:
                digest, size = _copied(file, cast("BinaryIO", copy))
            os.replace(name, folder / digest)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        for each in (folder, folder.parent, self._folder):
            sync_folder(each)
        return digest, size

    def has(self, address: Address, digest: str) -> bool:
        return self._path(address, digest).is_file()

    def file(self, address: Address, digest: str, size: int) -> File:
        """A kept file, to be read."""
        path = self._path(address, digest)
        return File(Directory(self._folder), (path.parent.parent.name, path.parent.name, path.name), size, digest)

    def drop(self, address: Address, digest: str) -> None:
        _remove(self._path(address, digest))

    def sweep(self, needed: Iterable[tuple[Address, str]]) -> None:
        """Removes the files of this state that are not needed any more, such as those of killed commands.

        `needed`: addresses and digests. The caller is the only command that works on the state.
        """
        if self._lineage() is None:
            return
        paths = {self._path(address, digest) for address, digest in needed}
        for path in self._own_folder.glob("*/*"):
            if path not in paths:
                _remove(path)

    @property
    def _own_folder(self) -> Path:
        return self._folder / hashlib.sha256((self._lineage() or "").encode()).hexdigest()[:32]

    def _place(self, address: Address) -> Path:
        return self._own_folder / hashlib.sha256(str(address).encode()).hexdigest()

    def _path(self, address: Address, digest: str) -> Path:
        return self._place(address) / digest


def _copied(file: File, copy: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with stream(file) as original:
        while block := original.read(_BLOCK):
            digest.update(block)
            size += copy.write(block)
    copy.flush()
    os.fsync(copy.fileno())
    return digest.hexdigest(), size


def _remove(path: Path) -> None:
    """A file or folder that cannot be removed does no harm. Folders stay while they have other files."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()
        path.parent.parent.rmdir()
