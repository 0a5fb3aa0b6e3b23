"""Signed lock: a lock on a state in a file of its own. The file names the writer that holds the lock.

`file_lock` tells why the file is never renamed or removed, and that the kernel releases the lock when its holder dies.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from algosync.core.error import StateError
from algosync.state.durable import make_folder, reported, write_all
from algosync.state.file_lock import try_lock
from algosync.state.holder import ANOTHER, Holder, lock_held, utc_now

__all__ = ["SignedLock"]


class SignedLock:
    """A lock in the file `path`. `place`: what messages say is locked. `command`: what they name as its holder."""

    def __init__(self, path: Path, place: str, command: str, now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._place = place
        self._command = command
        self._now = now
        self._held: int | None = None
        self._exclusive = False

    @property
    def exists(self) -> bool:
        """Whether the lock file is there. The first exclusive lock creates it."""
        return self._path.exists()

    @property
    def exclusive(self) -> bool:
        """Whether this object holds the lock exclusively."""
        return self._exclusive

    def take(self, *, exclusive: bool) -> None:
        """Takes the lock without waiting. An exclusive lock creates the file's folder.

        LockHeld: another process or object holds it. StateError: this object holds it already, or the file cannot be opened.
        """
        if self._held is not None:
            raise StateError(f"{self._place} is already locked by this session")
        with reported(self._path, "locked"):
            if exclusive:
                make_folder(self._path.parent)
            descriptor = self._open_lock(exclusive=exclusive)
            if descriptor is not None:
                self._take(descriptor, exclusive=exclusive)

    def holder(self) -> Holder | None:
        """The command that holds the lock exclusively. None: nobody does. The lock is not changed."""
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
        if self._held is None:
            return
        with reported(self._path, "unlocked"):
            try:
                if self._exclusive:
                    os.ftruncate(self._held, 0)
            finally:
                os.close(self._held)
                self._held, self._exclusive = None, False

    def _open_lock(self, *, exclusive: bool) -> int | None:
        """None: the folder is read-only and has no lock file, so there can be no writer."""
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if exclusive or error.errno not in (errno.EROFS, errno.EACCES):
                raise
        try:
            return os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None

    def _take(self, descriptor: int, *, exclusive: bool) -> None:
        holder = None
        try:
            if try_lock(descriptor, exclusive=exclusive):
                self._sign(descriptor, exclusive=exclusive)
            else:
                holder = _holder(os.read(descriptor, 4096))
        except OSError:
            os.close(descriptor)
            raise
        if holder is not None:
            os.close(descriptor)
            raise lock_held(self._place, holder)
        self._held, self._exclusive = descriptor, exclusive

    def _sign(self, descriptor: int, *, exclusive: bool) -> None:
        if exclusive:
            since = self._now().isoformat(timespec="seconds")
            note = json.dumps({"command": self._command, "pid": os.getpid(), "since": since})
            os.ftruncate(descriptor, 0)
            write_all(descriptor, note.encode() + b"\n")
        elif os.fstat(descriptor).st_size:
            # The note of a writer that was killed. If it cannot be removed, it is only out of date.
            with suppress(OSError):
                os.ftruncate(descriptor, 0)


def _holder(text: bytes) -> Holder:
    """The holder of a lock as its file names it. The file may be empty (readers hold it), half written, or hold any text."""
    try:
        note = json.loads(text)
        return Holder(str(note["command"]), f"pid {int(note['pid'])}", str(note["since"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ANOTHER
