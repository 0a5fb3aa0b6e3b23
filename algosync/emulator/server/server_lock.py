"""The lock on a cluster's folder. One server holds it until the server and all processes that it started have ended.

Leashes inherit the lock, so after a kill of the server it is held until the last leash has cleaned up. The file contains the
process id of the server and the start time of that process, because the system reuses process ids.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "server.lock"
PROBE_SECONDS = 1
"""How long a new server tries while the lock is held. Commands that only look for a server hold it for a moment."""

LEFTOVER_SECONDS = 10
"""How long a new server waits for processes that a killed server left behind."""

RETRY_SECONDS = 0.02


def take(root: Path) -> int:
    """Lock the folder for this process. Raises `BlockingIOError` if another server holds the lock.

    Keep the returned descriptor open: the lock must last until the process has ended.
    """
    descriptor = _open(root)
    began = time.monotonic()
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() - began > (LEFTOVER_SECONDS if owner(root) is None else PROBE_SECONDS):
            os.close(descriptor)
            raise BlockingIOError
        time.sleep(RETRY_SECONDS)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()} {_start_time(os.getpid())}".encode())
    return descriptor


def leave(descriptor: int) -> None:
    """Record that this process no longer owns the lock, which its leashes may still hold."""
    os.ftruncate(descriptor, 0)


@contextmanager
def held(root: Path) -> Iterator[bool]:
    """Try to hold the lock while the body runs, so that no server can start. Yields whether that succeeded."""
    descriptor = _open(root)
    try:
        yield _try_lock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def taken(root: Path) -> bool:
    """Whether a server, or a process that one has started, holds the lock. Any number of processes may ask at the same time."""
    try:
        descriptor = os.open(root / NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def owner(root: Path) -> int | None:
    """The id of the process that took the lock last; None if that process has ended."""
    with contextlib.suppress(OSError, ValueError):
        pid, start_time = (root / NAME).read_text().split(" ")
        if _start_time(int(pid)) == start_time:
            return int(pid)
    return None


def _open(root: Path) -> int:
    return os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start_time(pid: int) -> str:
    """The start time of a process in clock ticks since boot. Empty on systems without `/proc`.

    Raises `OSError` if there is no such process, or if it is a zombie.
    """
    if not Path("/proc/self/stat").exists():
        return ""
    # The second field is the name of the program in parentheses, which may contain spaces and parentheses.
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return fields[19]
