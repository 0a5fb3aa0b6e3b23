"""Backend: where one state is kept. Dumb on purpose: serial, lineage, journal and waiting are done once, above it."""

from __future__ import annotations

import hashlib
from typing import Protocol

__all__ = ["Backend", "fingerprint"]


class Backend(Protocol):
    """One state somewhere. Whatever goes wrong is a StateError."""

    @property
    def where(self) -> str:
        """How people name it."""

    @property
    def backup(self) -> str | None:
        """Where the state before the last write is, if there is one."""

    def lock(self, *, exclusive: bool) -> bool:
        """Many may hold it shared, or one exclusively, until `unlock` or the end of the process. Does not wait.

        False: nothing was ever kept here, so there is nothing to read; nothing was made and nothing is held. Only a shared lock
        can find that. LockHeld: others hold it; says who.
        """

    def unlock(self) -> None:
        """Lets go of our own lock, if we hold one."""

    def read(self) -> bytes | None:
        """What was written last; None: nothing yet."""

    def write(self, data: bytes, *, expect: str | None) -> None:
        """Replaces, atomically and durably, what has the fingerprint `expect`. Needs the exclusive lock.

        Stale: something else is there by now, and stays.
        """


def fingerprint(data: bytes | None) -> str | None:
    """What `write` expects: the SHA-256 (hex) of what was read; None for nothing."""
    return None if data is None else hashlib.sha256(data).hexdigest()
