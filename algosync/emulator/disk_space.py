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
    disk = os.statvfs(folder)
    # Some file systems report a size of zero.
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def is_full(error: BaseException) -> bool:
    """Whether an operation failed because the disk is full or the user's quota is used up."""
    if isinstance(error, sqlite3.Error):
        return str(error) == SQLITE_FULL
    return isinstance(error, OSError) and error.errno in FULL


def explains(failure: str, folder: Path) -> bool:
    """Whether a program that failed with this text found the disk of `folder` full."""
    if not any(os.strerror(number) in failure for number in FULL):
        return False
    try:
        check_room(folder)
    except OSError:
        return True
    return False
