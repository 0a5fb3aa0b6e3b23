"""Signed lock: a lock on a state in a file of its own. The file names the writer that holds the lock.

`file_lock` tells why the file is never renamed or removed, and that the kernel releases the lock when its holder dies. Readers of
older versions hold a shared lock on it, which excludes writers.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from algosync.core.error import StateError
from algosync.state.durable import reported, write_all
from algosync.state.file_lock import try_lock
from algosync.state.holder import ANOTHER, Holder, lock_held, utc_now

__all__ = ["SignedLock"]

_TRIES, _PAUSE = 20, 0.005  # seconds


class SignedLock:
    """A lock in the file `path`. `place`: what messages say is locked. `command`: what they name as its holder."""

    def __init__(self, path: Path, place: str, command: str, now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._place = place
        self._command = command
        self._now = now
        self._descriptor: int | None = None

    @property
    def exists(self) -> bool:
        """Whether the lock file is there. The first lock creates it."""
        return self._path.exists()

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def take(self) -> None:
        """Takes the lock without waiting. Creates the file; its folder must exist.

        LockHeld: another process or object holds it. StateError: this object holds it already, or the file cannot be opened.
        """
        if self.held:
            raise StateError(f"{self._place} is already locked by this session")
        with reported(self._path, "locked"):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            self._take(descriptor)

    def holder(self) -> Holder | None:
        """The command that holds the lock. None: nobody does. Another command can take it meanwhile."""
        with reported(self._path, "read"):
            try:
                descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
            except FileNotFoundError:
                return None
            try:
                return None if try_lock(descriptor, exclusive=False) else _holder(os.read(descriptor, 4096))
            finally:
                os.close(descriptor)

    def release(self) -> None:
        """Releases the lock if this object holds it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        with reported(self._path, "unlocked"):
            try:
                os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        holder = None
        try:
            if _try_lock(descriptor):
                self._sign(descriptor)
            else:
                holder = _holder(os.read(descriptor, 4096))
        except OSError:
            os.close(descriptor)
            raise
        if holder is not None:
            os.close(descriptor)
            raise lock_held(self._place, holder)
        self._descriptor = descriptor

    def _sign(self, descriptor: int) -> None:
        since = self._now().isoformat(timespec="seconds")
        note = json.dumps({"command": self._command, "pid": os.getpid(), "since": since})
        os.ftruncate(descriptor, 0)
        write_all(descriptor, note.encode() + b"\n")


def _try_lock(descriptor: int) -> bool:
    """Tries for a moment, because `holder` of another command has a shared lock while it looks."""
    for _ in range(_TRIES):
        if try_lock(descriptor, exclusive=True):
            return True
        time.sleep(_PAUSE)
    return False


def _holder(text: bytes) -> Holder:
    """The holder of a lock as its file names it. The file may be empty, half written, or hold any text."""
    try:
        note = json.loads(text)
        return Holder(str(note["command"]), f"pid {int(note['pid'])}", str(note["since"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ANOTHER
