"""What a full disk does, told from other failures."""

import errno
import sqlite3

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
SQLITE_FULL = "database or disk is full"
"""SQLite's own fixed words; Python tells its error codes from 3.11 on only."""


def is_full(error: BaseException) -> bool:
    """Whether an operation failed because there is no room, or no more for this user."""
    if isinstance(error, sqlite3.Error):
        return str(error) == SQLITE_FULL
    return isinstance(error, OSError) and error.errno in FULL
