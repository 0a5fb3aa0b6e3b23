"""Backend: the storage of one state. Serial, lineage, journal and waiting are implemented once, in the session above it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from algosync.state.holder import Holder

__all__ = ["Backend", "fingerprint"]


class Backend(Protocol):
    """The storage of one state. Every failure is a StateError.

    Objects with different names at one address are independent: they have their own lock, state, backup and journal.
    Files are private (mode 0600, folders 0700, whatever the umask), and symbolic links are not followed. An object may be used by
    several threads, by one at a time.
    """

    @property
    def where(self) -> str:
        """The place of this one state in messages, such as `WHERE is in use by ...` or `Put the state back at WHERE`.

        No other state has the same place. It holds no secret.
        """

    @property
    def journal(self) -> Path | None:
        """The local file for the session's journal. The session creates and removes it.

        None: the state is not on this machine. `open_session` then chooses a file.
        """

    @property
    def save_every(self) -> float | None:
        """Seconds after which a recorded change has to be in the state, too. None: the journal beside the state is enough."""

    @property
    def backup(self) -> str | None:
        """The place of the state before the last write, for messages. None: there is no such state. `write` keeps it."""

    def lock(self) -> None:
        """Takes the lock of a writer until `unlock` or the end of the process. Does not wait. Readers take no lock.

        LockHeld: another process or object holds it. The message names its command.
        """

    def check_lock(self) -> None:
        """StateError: this object's lock was lost. Sends no request, so a loss may be noticed late."""

    def unlock(self) -> None:
        """Releases this object's own lock, if it holds one."""

    def holder(self) -> Holder | None:
        """The command that holds the lock. None: nobody holds it, or its lease has run out.

        A backend that cannot look otherwise takes the lock for a moment.
        """

    def seen_holder(self) -> Holder | None:
        """The command that seems to hold the lock, for readers: looking disturbs no other command and writes nothing.

        None: nobody seems to, or this backend cannot look without taking the lock.
        """

    @property
    def can_break_lock(self) -> bool:
        """Whether `break_lock` can release a lock. False: a lock ends with the process that holds it."""

    def break_lock(self, lock_id: str) -> None:
        """Releases the lock of another command. StateError: `lock_id` is not that lock's, or only its process can release it."""

    def read(self) -> bytes | None:
        """The bytes that were written last. None: nothing was written yet.

        Needs no lock. While another process writes, these are the bytes before or after that write.
        """

    def write(self, data: bytes, *, expect: str | None) -> None:
        """Replaces the state, atomically and durably, if its fingerprint is `expect`. Needs the lock.

        Stale: it has another fingerprint. It then stays as it is.
        """


def fingerprint(data: bytes | None) -> str | None:
    """The value for `expect` of `write`: the SHA-256 (hex) of the bytes that were read; None for None."""
    return None if data is None else hashlib.sha256(data).hexdigest()
