"""Reads a source folder as an archive of it would be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.sources.archive.entries import DEFAULT, ArchiveLimits, SourceEntries
from algosync.sources.archive.refusal import refused, too_large
from algosync.sources.archive.selection import SourceFiles, select
from algosync.sources.ignored_files import ENVIRONMENT_FILE, IGNORE_FILE, IgnoreRules, ignored_by_name

__all__ = ["read_folder"]

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # non-blocking: a path may become a FIFO while we read
_BLOCK = 1 << 16  # bytes; some file systems tell the size 0 of every file


def read_folder(path: Path, limits: ArchiveLimits = DEFAULT) -> SourceFiles:
    """The files below a folder by path, with the rules of `read_archive`.

    Ignored folders are not entered. The folder itself may not be a symbolic link.

    SourceError: the path is not a folder, cannot be read, exceeds the limits, or contains an entry that is refused.
    """
    try:
        top = os.open(path, _OPEN | os.O_DIRECTORY)
        try:
            prefix = _top_of(top)
            walk = _FolderWalk(SourceEntries(limits), limits, prefix, _rules(top, f"{prefix}{IGNORE_FILE}"))
            walk.read(top, "")
        finally:
            os.close(top)
    except OSError as error:
        raise SourceError(f"the source folder {printable(str(path))} cannot be read: {error.strerror}") from error
    return select(walk.entries)


def _top_of(folder: int) -> str:
    """The prefix of the folder that has to contain `src`: empty, or the only name in the folder and `/`."""
    names = [name for name in os.listdir(folder) if not ignored_by_name(name)]
    return f"{names[0]}/" if len(names) == 1 and names != ["src"] and _is_folder(folder, names[0]) else ""


def _rules(folder: int, path: str) -> IgnoreRules:
    """The rules of the ignore file at a path, or the defaults if it is missing or not a file, which is reported later."""
    try:
        with open(os.open(path, _OPEN, dir_fd=folder), "rb") as file:
            return IgnoreRules(file.read(1 << 20) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b"")
    except OSError:
        return IgnoreRules()


class _FolderWalk:
    """One walk over a folder. Names are opened relative to their folder and never through links, so a link cannot be swapped in."""

    def __init__(self, entries: SourceEntries, limits: ArchiveLimits, top: str, rules: IgnoreRules) -> None:
        self.entries, self._limits = entries, limits
        self._left = limits.size
        self._top, self._rules = top, rules

    def read(self, folder: int, prefix: str) -> None:
        for name in sorted(os.listdir(folder)):
            path = prefix + name
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            inner = path[len(self._top) :] if path.startswith(self._top) else path
            if self._is_ignored(folder, name, inner, is_folder=stat.S_ISDIR(mode)):
                self.entries.left_out.add(f"{inner}/" if stat.S_ISDIR(mode) else inner)
            elif stat.S_ISDIR(mode):
                self.entries.folder(path)
                self._read_folder(folder, name, path)
            elif stat.S_ISREG(mode):
                self.entries.file(path)
                self.entries.files[path] = self._read_file(folder, name, path)
            elif stat.S_ISLNK(mode):
                self.entries.file(path)
                self.entries.links[path] = os.readlink(name, dir_fd=folder)
            else:
                raise refused(path, "is not a regular file")

    def _is_ignored(self, folder: int, name: str, inner: str, *, is_folder: bool) -> bool:
        if f"{inner}/" == self._top:
            return False
        environment = is_folder and _mode(folder, f"{name}/{ENVIRONMENT_FILE}") is not None
        return self._rules.ignores(inner, folder=is_folder, environment=environment)

    def _read_folder(self, folder: int, name: str, path: str) -> None:
        inner = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=folder)
        try:
            self.read(inner, f"{path}/")
        finally:
            os.close(inner)

    def _read_file(self, folder: int, name: str, path: str) -> Blob:
        file = os.open(name, _OPEN, dir_fd=folder)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise refused(path, "is not a regular file")
            data = self._content(file, status.st_size)
        finally:
            os.close(file)
        return Blob(data, executable=bool(status.st_mode & stat.S_IXUSR))

    def _content(self, file: int, size: int) -> bytes:
        """The bytes of a file. `size`: as the system tells it; the file may change meanwhile."""
        blocks = []
        most = max(size, _BLOCK)  # Python reserves what is asked for, so all that is allowed would be too much
        while block := os.read(file, min(most, self._left) + 1):
            blocks.append(block)
            self._left -= len(block)
            if self._left < 0:
                raise too_large(self._limits.size)
        return b"".join(blocks)


def _mode(folder: int, path: str) -> int | None:
    """None: there is no such path, or it cannot be looked at."""
    try:
        return os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return None


def _is_folder(folder: int, name: str) -> bool:
    mode = _mode(folder, name)
    return mode is not None and stat.S_ISDIR(mode)
