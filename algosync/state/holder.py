"""Holder: the command that holds a lock, as it names itself in the lock."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict
from datetime import datetime, timezone
from uuid import uuid4

from algosync.core.error import LockHeld
from algosync.core.lean import dataclass

__all__ = ["ANOTHER", "Holder", "lock_held", "sign", "signer", "utc_now"]

_LONGEST = 200  # characters of each part in messages


@dataclass(frozen=True, slots=True)
class Holder:
    """`since`: ISO 8601. `lock_id`: for `break_lock`; empty: it has none, or its text cannot be read.

    All texts may come from outside. `str()` is safe to print.
    """

    command: str
    owner: str
    since: str
    lock_id: str = ""

    def __str__(self) -> str:
        if not self.command:
            return "another command"
        command, owner, since = (text[:_LONGEST] for text in (self.command, self.owner, self.since))
        words = f"`{command}` ({owner}, since {since})"
        return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words)

    def to_json(self, **more: str) -> bytes:
        """The JSON text of a lock that this holder signs. `more`: further members."""
        return json.dumps({**asdict(self), **more}).encode()

    @classmethod
    def from_json(cls, text: bytes | str) -> Holder:
        """The holder in a lock's text. An unnamed one if the text cannot be read."""
        try:
            note = json.loads(text)
            return cls(*(str(note[name]) for name in ("command", "owner", "since", "lock_id")))
        except (ValueError, KeyError, TypeError, RecursionError):
            return ANOTHER


ANOTHER = Holder("", "", "")


def sign(command: str, lock_id: str = "") -> Holder:
    """This process as the holder of a lock, since now. Without a `lock_id` it gets a random one."""
    owner = f"{signer()}, pid {os.getpid()}"
    return Holder(command, owner, utc_now().isoformat(timespec="seconds"), lock_id or str(uuid4()))


def signer() -> str:
    """Who runs this process: USER@HOST."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def lock_held(place: str, holder: Holder, hint: str = "Try again when that is done.") -> LockHeld:
    """The error for a lock that another command holds. `place`: what is locked."""
    return LockHeld(f"{place} is in use by {holder}", hint=hint)
