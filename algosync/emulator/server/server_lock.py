"""The lock on a cluster's folder: taken by one server, and free when that is gone with all that it has started.

Leashes inherit it, so that it outlives a server that is killed until the last of them has cleared up. The file says who took it,
and when that process began: an id alone may be another's by now.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "server.lock"
PROBED_SECONDS = 1
"""How long a server tries: others look whether there is one, and hold the lock for that moment."""

LEFT_SECONDS = 10
"""How long it waits for what a killed server has left behind."""

LOOK_SECONDS = 0.02


def take(root: Path) -> int:
    """Keep every other server out. Raises `BlockingIOError` where there is one.

    The descriptor is never closed by hand: the lock is free when the process has ended, and not earlier.
    """
    descriptor = _opened(root)
    began = time.monotonic()
    while not _locked(descriptor, fcntl.LOCK_EX):
        if time.monotonic() - began > (LEFT_SECONDS if owner(root) is None else PROBED_SECONDS):
            os.close(descriptor)
            raise BlockingIOError
        time.sleep(LOOK_SECONDS)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()} {_began(os.getpid())}".encode())
    return descriptor


def leave(descriptor: int) -> None:
    """Whoever holds the lock from now on, it is not this process's doing."""
    os.ftruncate(descriptor, 0)


@contextmanager
def held(root: Path) -> Iterator[bool]:
    """Whether there is no server: then none starts in the body either."""
    descriptor = _opened(root)
    try:
        yield _locked(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def taken(root: Path) -> bool:
    """Whether a server has the folder, or what one has started still runs. Any number of processes may ask at once."""
    try:
        descriptor = os.open(root / NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def owner(root: Path) -> int | None:
    """The process that took the lock last, as long as that very one runs."""
    with contextlib.suppress(OSError, ValueError):
        pid, began = (root / NAME).read_text().split(" ")
        if _began(int(pid)) == began:
            return int(pid)
    return None


def _opened(root: Path) -> int:
    return os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did. Empty where the system has no `/proc`: then an id has to do.

    Raises `OSError` where there is no such process, or it has ended and nobody has waited for it yet.
    """
    if not Path("/proc/self/stat").exists():
        return ""
    # The name, in parentheses, may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return fields[19]
