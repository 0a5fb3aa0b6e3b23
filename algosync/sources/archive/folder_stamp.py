"""The stamp of a source folder: sizes, times and numbers of its files, as git's index has them. Equal stamps mean equal files."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

__all__ = ["folder_stamp"]

_MOST = 5000  # entries: beyond them reading the files is not much slower
_DEEPEST = 50  # folders
_SETTLED = 2.0  # seconds: the time resolution of some file systems
_GIT = ".git"  # is never part of a source


def folder_stamp(folder: Path) -> str | None:
    """SHA-256 (hex) of what the file system tells of a folder's files. It changes if a name or the content of a file changes.

    None: it would not prove that. A file was written in the last two seconds, so another write may have the same time ("racy git");
    or there is a link, whose target has a time of its own; or the folder is too large, or cannot be read.
    """
    found: list[tuple[object, ...]] = []
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode) or not _collect(str(folder), "", found):
            return None
    except OSError:
        return None
    return hashlib.sha256(repr(sorted(found)).encode("utf-8", "surrogatepass")).hexdigest()


def _collect(folder: str, prefix: str, found: list[tuple[object, ...]]) -> bool:
    """Append a row for each entry below a folder. False: as None of `folder_stamp`."""
    latest = time.time() - _SETTLED
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            path, mode = prefix + entry.name, status.st_mode
            if stat.S_ISDIR(mode):
                found.append((path, stat.S_IFMT(mode)))
                inside = entry.name == _GIT or (prefix.count("/") < _DEEPEST and _collect(entry.path, f"{path}/", found))
                if not inside:
                    return False
            elif stat.S_ISREG(mode) and max(status.st_mtime, status.st_ctime) < latest:
                times = (status.st_mtime_ns, status.st_ctime_ns)
                found.append((path, mode, status.st_size, *times, status.st_ino, status.st_dev))
            else:
                return False
            if len(found) > _MOST:
                return False
    return True
