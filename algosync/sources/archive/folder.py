"""Reads a source folder as an archive of it would be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.sources.archive.entries import DEFAULT, ArchiveLimits, SourceEntries, refused, too_large
from algosync.sources.archive.top_folder import without_top_folder
from algosync.sources.managed_files import is_left_out

__all__ = ["read_folder"]

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # non-blocking: a path may become a FIFO while we read


def read_folder(path: Path, limits: ArchiveLimits = DEFAULT) -> dict[str, Blob]:
    """The files below a folder by path, with the rules of `read_archive`.

    Files that `is_left_out` names are skipped. Symbolic links are refused, including the folder itself.

    SourceError: the path is not a folder, cannot be read, exceeds the limits, or contains an entry that is refused.
    """
    walk = _FolderWalk(SourceEntries(limits), limits)
    try:
        top = os.open(path, _OPEN | os.O_DIRECTORY)
        try:
            walk.read(top, "")
        finally:
            os.close(top)
    except OSError as error:
        raise SourceError(f"the source folder {printable(str(path))} cannot be read: {error.strerror}") from error
    return without_top_folder(walk.entries.files)


class _FolderWalk:
    """One walk over a folder. Names are opened relative to their folder and never through links, so a link cannot be swapped in."""

    def __init__(self, entries: SourceEntries, limits: ArchiveLimits) -> None:
        self.entries, self._limits = entries, limits
        self._left = limits.size

    def read(self, folder: int, prefix: str) -> None:
        for name in sorted(os.listdir(folder)):
            if is_left_out(name):
                continue
            path = prefix + name
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                self.entries.folder(path)
                self._read_folder(folder, name, path)
            elif stat.S_ISREG(mode):
                self.entries.file(path)
                self.entries.files[path] = self._read_file(folder, name, path)
            else:
                raise refused(path, "is a symbolic link" if stat.S_ISLNK(mode) else "is not a regular file")

    def _read_folder(self, folder: int, name: str, path: str) -> None:
        inner = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=folder)
        try:
            self.read(inner, f"{path}/")
        finally:
            os.close(inner)

    def _read_file(self, folder: int, name: str, path: str) -> Blob:
        with open(os.open(name, _OPEN, dir_fd=folder), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise refused(path, "is not a regular file")
            data = file.read(self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise too_large(self._limits)
        return Blob(data, executable=bool(mode & stat.S_IXUSR))
