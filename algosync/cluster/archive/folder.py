"""A source folder, read as the archive of it would be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from algosync.cluster.archive.entries import DEFAULT, Entries, Limits, refused, too_large
from algosync.cluster.archive.root import rooted
from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

__all__ = ["read_folder"]

_LEFT_BEHIND = {".git", "__pycache__", ".DS_Store"}
_COMPILED = (".pyc", ".pyo")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO put there meanwhile must not block us


def read_folder(path: Path, limits: Limits = DEFAULT) -> dict[str, Blob]:
    """The files below a folder by path, by the rules of `read_archive`.

    Skipped is what tools leave in a working folder: `.git`, `__pycache__`, `*.pyc`, `*.pyo`, `.DS_Store`. Symbolic links
    are refused wherever they point, the folder itself included.

    SourceError: it is no folder or cannot be read, is beyond the limits, or has an entry that is refused.
    """
    folder = _Folder(Entries(limits), limits)
    try:
        top = os.open(path, _OPEN | os.O_DIRECTORY)
        try:
            folder.walk(top, "")
        finally:
            os.close(top)
    except OSError as error:
        raise SourceError(f"the source folder {printable(str(path))} cannot be read: {error.strerror}") from error
    return rooted(folder.entries.files)


class _Folder:
    """One walk. Names are opened relative to their folder and never through a link, so nobody can swap one in."""

    def __init__(self, entries: Entries, limits: Limits) -> None:
        self.entries, self._limits = entries, limits
        self._left = limits.size

    def walk(self, folder: int, prefix: str) -> None:
        for name in sorted(os.listdir(folder)):
            if name in _LEFT_BEHIND or name.endswith(_COMPILED):
                continue
            path = prefix + name
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                self.entries.folder(path)
                self._descend(folder, name, path)
            elif stat.S_ISREG(mode):
                self.entries.file(path)
                self.entries.files[path] = self._read(folder, name, path)
            else:
                raise refused(path, "is a symbolic link" if stat.S_ISLNK(mode) else "is no plain file")

    def _descend(self, folder: int, name: str, path: str) -> None:
        inner = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=folder)
        try:
            self.walk(inner, f"{path}/")
        finally:
            os.close(inner)

    def _read(self, folder: int, name: str, path: str) -> Blob:
        with open(os.open(name, _OPEN, dir_fd=folder), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise refused(path, "is no plain file")
            data = file.read(self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise too_large(self._limits)
        return Blob(data, executable=bool(mode & stat.S_IXUSR))
