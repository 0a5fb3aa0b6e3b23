"""Durable: private files that are completely on the disk when a function returns.

A file is written under a temporary name, fsync'ed and renamed, and then its folder is fsync'ed: otherwise a power loss could undo
the rename. Files are created with mode 0600 and folders with 0700, whatever the umask. OSError: the operation failed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from algosync.core.error import StateError

__all__ = ["make_folder", "move_file", "read_file", "remove_file", "replace_file", "reported", "sync_folder", "write_all"]

_MODE = 0o600


@contextmanager
def reported(path: Path, deed: str) -> Iterator[None]:
    """Turns an OSError into "PATH cannot be DEED: reason"."""
    try:
        yield
    except OSError as error:
        hint = f"look at {path.parent}; --state keeps the state elsewhere"
        raise StateError(f"{path} cannot be {deed}: {error.strerror or error}", hint=hint) from error


def read_file(path: Path) -> bytes | None:
    """The bytes of a regular file. Symbolic links are not followed. None: the file does not exist."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)  # opening a pipe would block until it has a writer
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Replaces a file. After a crash at any moment it has either its old content or the new one.

    The caller excludes other writers: the name of the temporary file is fixed, so that crashes leave at most one.
    """
    temporary = path.with_name(path.name + ".tmp")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """Removes a file durably. It need not exist."""
    with suppress(FileNotFoundError):
        os.unlink(path)
        sync_folder(path.parent)


def move_file(path: Path, to: Path) -> None:
    """Renames a file durably within its folder. A file under the new name is replaced."""
    os.replace(path, to)
    sync_folder(to.parent)


def make_folder(path: Path) -> None:
    """Creates a folder and its missing parents. Existing folders keep their mode."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):  # another process created it
        os.mkdir(path, 0o700)
        sync_folder(path.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all bytes; a single write may take only some of them."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(path: Path) -> None:
    """Puts the names of a folder's files on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
