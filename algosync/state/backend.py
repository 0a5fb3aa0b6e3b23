"""Backend: keeps one state somewhere. Serial, lineage, journal and waiting are done once, in the session above it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

__all__ = ["Backend", "fingerprint"]


class Backend(Protocol):
    """One state somewhere. Every failure is a StateError."""

    @property
    def where(self) -> str:
        """The name of the place in messages."""

    @property
    def journal(self) -> Path:
        """The local file for the session's journal, wherever the state is kept."""

    @property
    def backup(self) -> str | None:
        """Where the state before the last write is kept, if there is one."""

    def lock(self, *, exclusive: bool) -> bool:
        """Takes a lock until `unlock` or the end of the process: shared by many, or exclusive. Does not wait.

        False: no state was ever kept here, so there is nothing to read; nothing was created and no lock is held. Only for a
        shared lock. LockHeld: somebody else holds it; the message says who.
        """

    def unlock(self) -> None:
        """Releases this backend's own lock, if it holds one."""

    def read(self) -> bytes | None:
        """The bytes that were written last. None: nothing was written yet."""

    def write(self, data: bytes, *, expect: str | None) -> None:
        """Replaces the state, atomically and durably, if its fingerprint is `expect`. Needs the exclusive lock.

        Stale: it has another fingerprint. It then stays as it is.
        """


def fingerprint(data: bytes | None) -> str | None:
    """The value for `expect` of `write`: the SHA-256 (hex) of the bytes that were read; None for None."""
    return None if data is None else hashlib.sha256(data).hexdigest()
