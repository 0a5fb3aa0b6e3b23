"""Backend: the storage of one state. Serial, lineage, journal and waiting are implemented once, in the session above it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

__all__ = ["Backend", "fingerprint"]


class Backend(Protocol):
    """The storage of one state. Every failure is a StateError.

    Objects with different names at one address are independent: they have their own lock, state, backup and journal.
    Files are private (mode 0600, folders 0700, whatever the umask), and symbolic links are not followed.
    """

    @property
    def where(self) -> str:
        """The place of this one state in messages, such as `WHERE is in use by ...` or `Put the state back at WHERE`."""

    @property
    def journal(self) -> Path:
        """The local file for the session's journal, wherever the state is kept. The session creates and removes it."""

    @property
    def backup(self) -> str | None:
        """The place of the state before the last write, for messages. None: there is no such state. `write` keeps it."""

    def lock(self, *, exclusive: bool) -> bool:
        """Takes a lock until `unlock` or the end of the process, however it ends: shared by many, or exclusive. Does not wait.

        False, for a shared lock only: this state was never written. Nothing was created, and no lock is held.
        LockHeld: another process or object holds it. If that is a writer, the message names its command.
        """

    def unlock(self) -> None:
        """Releases this object's own lock, if it holds one."""

    def read(self) -> bytes | None:
        """The bytes that were written last. None: nothing was written yet.

        Needs no lock. While another process writes, these are the bytes before or after that write.
        """

    def write(self, data: bytes, *, expect: str | None) -> None:
        """Replaces the state, atomically and durably, if its fingerprint is `expect`. Needs the exclusive lock.

        Stale: it has another fingerprint. It then stays as it is.
        """


def fingerprint(data: bytes | None) -> str | None:
    """The value for `expect` of `write`: the SHA-256 (hex) of the bytes that were read; None for None."""
    return None if data is None else hashlib.sha256(data).hexdigest()
