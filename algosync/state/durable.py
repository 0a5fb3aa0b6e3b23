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

__all__ = [
    "EVERYTHING",
    "PRIVATE_FILES",
    "ignore_in_git",
    "make_folder",
    "move_file",
    "read_file",
    "remove_file",
    "replace_file",
    "reported",
    "sync_folder",
    "write_all",
]

_MODE = 0o600
_REASON = "# algosync wrote this file when it created the folder, and does not change it.\n"
EVERYTHING = f"{_REASON}*\n"
"""The `.gitignore` of a folder of which git should know nothing."""
PRIVATE_FILES = f"{_REASON}# The states themselves can be committed.\n/local/\n*.lock\n*.journal\n*.backup\n*.tmp\n*.damaged\n"
"""The `.gitignore` of a folder of states: what belongs to this machine, or to one command."""


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


def make_folder(path: Path, ignored: str = "") -> None:
    """Creates a folder and its missing parents. Existing folders keep their mode.

    `ignored`: the content of the folder's `.gitignore`. A folder that exists already does not get one: it may be the user's.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):  # another process created it
        os.mkdir(path, 0o700)
        if ignored:
            ignore_in_git(path, ignored)
        sync_folder(path.parent)


def ignore_in_git(folder: Path, ignored: str) -> None:
    """Writes the folder's `.gitignore`. One that is there already stays as it is."""
    with suppress(FileExistsError):
        descriptor = os.open(folder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        try:
            write_all(descriptor, ignored.encode())
        finally:
            os.close(descriptor)


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
