"""Local: keeps a state in a file, with its lock, journal and backup beside it.

The lock is a separate file that is never renamed or removed, because a lock on a file that is replaced excludes nobody. The kernel
releases it when its holder dies, since no child inherits it (Python opens files close-on-exec). Its content names the writer that
holds it.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from algosync.core.error import LockHeld, Stale, StateError, UsageError
from algosync.core.text import printable
from algosync.state.backend import fingerprint
from algosync.state.durable import make_folder, read_file, replace_file, reported, write_all
from algosync.state.file_lock import try_lock

__all__ = ["LocalBackend", "parse_address"]


def parse_address(address: str) -> Callable[[str, str], LocalBackend]:
    """States in a folder: a path, or `file://` and a path. UsageError: it cannot be a folder."""
    text = address.removeprefix("file://")
    if not text:
        raise UsageError("--state is empty", hint="name a folder, or leave it out for the folder `state`")
    folder = Path(text)
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        is_folder = not folder.is_symlink()  # it will be created
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--state {printable(address, 200)} cannot be used: {reason}") from None
    if not is_folder:
        raise UsageError(f"--state {printable(address, 200)} is no folder")
    return lambda name, command: LocalBackend(folder / name, command)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class LocalBackend:
    """The state in the file `path`. `command`: the name that others see while it is locked."""

    def __init__(self, path: Path, command: str = "algosync", now: Callable[[], datetime] = _utc_now) -> None:
        self._path = path
        self._lock = path.with_name(path.name + ".lock")
        self._backup = path.with_name(path.name + ".backup")
        self._command = command
        self._now = now
        self._held: int | None = None
        self._exclusive = False

    @property
    def where(self) -> str:
        return str(self._path)

    @property
    def journal(self) -> Path:
        return self._path.with_name(self._path.name + ".journal")

    @property
    def backup(self) -> str | None:
        return str(self._backup) if self._backup.exists() else None

    def lock(self, *, exclusive: bool) -> bool:
        if self._held is not None:
            raise StateError(f"{self._path} is already locked by this session")
        with reported(self._lock, "locked"):
            # A writer creates the lock file first. If both files are missing, nothing was ever written.
            if not exclusive and not self._lock.exists() and not self._path.exists():
                return False
            if exclusive:
                make_folder(self._path.parent)
            descriptor = self._open_lock(exclusive=exclusive)
            if descriptor is not None:
                self._take(descriptor, exclusive=exclusive)
        return True

    def unlock(self) -> None:
        if self._held is None:
            return
        with reported(self._lock, "unlocked"):
            try:
                if self._exclusive:
                    os.ftruncate(self._held, 0)
            finally:
                os.close(self._held)
                self._held, self._exclusive = None, False

    def read(self) -> bytes | None:
        with reported(self._path, "read"):
            return read_file(self._path)

    def write(self, data: bytes, *, expect: str | None) -> None:
        if not self._exclusive:
            raise StateError(f"{self._path} cannot be written without its lock")
        with reported(self._path, "written"):
            previous = read_file(self._path)
            if fingerprint(previous) != expect:
                raise Stale(f"{self._path} was changed, past its lock, since it was read")
            if previous is not None:
                replace_file(self._backup, previous)
            replace_file(self._path, data)

    def _open_lock(self, *, exclusive: bool) -> int | None:
        """None: the folder is read-only and has no lock file, so there can be no writer."""
        try:
            return os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if exclusive or error.errno not in (errno.EROFS, errno.EACCES):
                raise
        try:
            return os.open(self._lock, os.O_RDONLY | os.O_NOFOLLOW)
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
            raise LockHeld(f"{self._path} is in use by {holder}", hint="Try again when that is done.")
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


def _holder(text: bytes) -> str:
    """The holder of a lock as its file names it. The file may be empty (readers hold it), half written, or hold any text."""
    try:
        note = json.loads(text)
        command, pid, since = str(note["command"]), int(note["pid"]), str(note["since"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return "another command"
    words = f"`{command}` (pid {pid}, since {since})"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words)
