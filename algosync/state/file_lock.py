"""File locks (`flock`), shared by many processes or exclusive to one.

A lock file must never be renamed or removed: a lock on a replaced file excludes nobody. The kernel releases a lock when the process
that holds it ends. Child processes do not inherit it, because Python opens files close-on-exec.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["file_lock", "open_lock_file", "try_lock"]


@contextmanager
def file_lock(path: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold the lock while the body runs. Waits until it is free; creates the file if it is missing."""
    descriptor = open_lock_file(path)
    try:
        fcntl.flock(descriptor, _operation(exclusive=exclusive))
        yield
    finally:
        os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """A descriptor for `try_lock`, on a file that only its owner can read. Closing it releases the lock."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, *, exclusive: bool) -> bool:
    """Take the lock without waiting. False: another process holds it."""
    try:
        fcntl.flock(descriptor, _operation(exclusive=exclusive) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _operation(*, exclusive: bool) -> int:
    return fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
