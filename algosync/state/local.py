"""Local: keeps a state in a file, with its lock, journal and backup beside it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from algosync.core.error import Stale, StateError, UsageError
from algosync.core.text import printable
from algosync.state.backend import fingerprint
from algosync.state.durable import PRIVATE_FILES, make_folder, move_file, read_file, replace_file, reported
from algosync.state.holder import Holder, utc_now
from algosync.state.signed_lock import SignedLock

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


class LocalBackend:
    """The state in the file `path`. `command`: the name that others see while it is locked."""

    save_every = None

    def __init__(self, path: Path, command: str = "algosync", now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._lock = SignedLock(path.with_name(path.name + ".lock"), str(path), command, now)
        self._backup = path.with_name(path.name + ".backup")

    @property
    def where(self) -> str:
        return str(self._path)

    @property
    def journal(self) -> Path:
        return self._path.with_name(self._path.name + ".journal")

    @property
    def backup(self) -> str | None:
        return str(self._backup) if self._backup.exists() else None

    @property
    def was_locked(self) -> bool:
        """Whether a writer ever worked on this state: it creates the lock file first."""
        with reported(self._path, "read"):
            return self._lock.exists or self._path.exists()

    @property
    def written_at(self) -> float:
        """When the state or its journal was last written, in seconds since 1970. 0: never."""
        with reported(self._path, "read"):
            return max((each.stat().st_mtime for each in (self._path, self.journal) if each.exists()), default=0.0)

    def take_over(self, former: LocalBackend) -> None:
        """Gives another state this one's name, which must be unused. Needs both exclusive locks.

        The state itself is moved last, so an interrupted move is continued by the next one.
        """
        if not (self._lock.held and former._lock.held):
            raise StateError(f"{former.where} cannot be renamed without its lock")
        with reported(former._path, f"renamed to {self._path.name}"):
            for old, new in ((former.journal, self.journal), (former._backup, self._backup), (former._path, self._path)):
                if old.exists():
                    move_file(old, new)

    def lock(self) -> None:
        with reported(self._path, "locked"):
            make_folder(self._path.parent, PRIVATE_FILES)
        self._lock.take()

    def check_lock(self) -> None:
        """The kernel keeps the lock until the process ends."""

    def holder(self) -> Holder | None:
        return self._lock.holder()

    def seen_holder(self) -> Holder | None:
        with suppress(StateError):  # a reader may not have the right to open the lock file
            return self._lock.holder()
        return None

    @property
    def can_break_lock(self) -> bool:
        return False

    def break_lock(self, lock_id: str) -> None:  # noqa: ARG002  # the Protocol hands it over
        raise StateError(
            f"{self._path} need not be unlocked: its lock ends with the process that holds it",
            hint="wait for that process, or end it",
        )

    def unlock(self) -> None:
        self._lock.release()

    def read(self) -> bytes | None:
        with reported(self._path, "read"):
            return read_file(self._path)

    def write(self, data: bytes, *, expect: str | None) -> None:
        if not self._lock.held:
            raise StateError(f"{self._path} cannot be written without its lock")
        with reported(self._path, "written"):
            previous = read_file(self._path)
            if fingerprint(previous) != expect:
                raise Stale(f"{self._path} was changed, past its lock, since it was read")
            if previous is not None:
                replace_file(self._backup, previous)
            replace_file(self._path, data)
