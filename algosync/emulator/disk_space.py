"""Detects a full disk, and keeps a reserve of free space."""

import errno
import os
import sqlite3
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
SQLITE_FULL = "database or disk is full"
"""SQLite's fixed message. Python before 3.11 does not expose its error codes."""

RESERVE = 16 * 1024 * 1024
"""Bytes of the disk that data files leave free. A deletion also writes to the database, so it needs some free space."""


def check_room(folder: Path) -> None:
    """Raises `OSError` (ENOSPC) if the disk of a folder has less than `RESERVE` left."""
    if _lacks_room(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def is_full(error: BaseException) -> bool:
    """Whether an operation failed because the disk is full or the user's quota is used up."""
    if isinstance(error, sqlite3.Error):
        return str(error) == SQLITE_FULL
    return isinstance(error, OSError) and error.errno in FULL


def explains(failure: str, folder: Path) -> bool:
    """Whether the text of a program's failure reports a full disk, and the disk of `folder` is full."""
    return any(os.strerror(number) in failure for number in FULL) and _lacks_room(folder)


def _lacks_room(folder: Path) -> bool:
    disk = os.statvfs(folder)
    # Some file systems report a size of zero.
    return disk.f_blocks > 0 and disk.f_bavail * disk.f_frsize < RESERVE
