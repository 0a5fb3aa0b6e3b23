"""What a full disk does, told from other failures."""

import errno
import os
import sqlite3
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
SQLITE_FULL = "database or disk is full"
"""SQLite's own fixed words; Python tells its error codes from 3.11 on only."""


RESERVE = 16 * 1024 * 1024
"""Bytes of the disk that contents of data leave free: a deletion is written, too, and so would be impossible without any."""


def check_room(folder: Path) -> None:
    """Raises the `OSError` of a full disk where contents would take what is left of it."""
    disk = os.statvfs(folder)
    # Some file systems do not tell their size.
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def is_full(error: BaseException) -> bool:
    """Whether an operation failed because there is no room, or no more for this user."""
    if isinstance(error, sqlite3.Error):
        return str(error) == SQLITE_FULL
    return isinstance(error, OSError) and error.errno in FULL
