"""Recovery: reads what a session starts from: the state, and the journal of a command that did not close its session.

A writer has the lock. A reader has none, so a writer may change both files while it reads them. What it then sees is the state at
one moment of that command, and the writes that had no outcome at that moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.codec import decode_state
from algosync.core.error import Corrupt, LockHeld
from algosync.core.lean import dataclass
from algosync.core.state import State
from algosync.state.backend import Backend, fingerprint
from algosync.state.entry import Forget, Log, Result, replay, unfinished
from algosync.state.journal import read_journal

__all__ = ["Found", "find", "find_beside_writers"]

_TRIES, _PAUSE = 100, 0.02  # seconds

_ANEW = (
    "the next plan reads and compares everything and records what is as the workflow wants it; what has left the workflow is no "
    "longer known."
)


@dataclass(frozen=True, slots=True)
class Found:
    """`state`: with the journal's changes. `kept`: the fingerprint of the saved state. `pending`: intents without an outcome.

    `journal`: there is one, and `state` contains it. `overtaken`: there is one, but other machines have gone on without it.
    """

    state: State | None = None
    kept: str | None = None
    pending: Mapping[Address, str] = field(default_factory=lambda: MappingProxyType({}))
    journal: bool = False
    overtaken: bool = False


def find(backend: Backend, journal: Path) -> Found:
    """Reads both. Needs the lock. Corrupt: one of them is damaged, or they do not belong together."""
    return _found(backend, journal, read_journal(journal), backend.read())


def find_beside_writers(backend: Backend, journal: Path, pause: Callable[[float], None] = time.sleep) -> Found:
    """The same without a lock. LockHeld: writers begin new journals faster than this can read them.

    The journal is read before and after the state. If both times it is the same one, the second reading has every change that is
    in the state.
    """
    for _ in range(_TRIES):
        before, data, after = read_journal(journal), backend.read(), read_journal(journal)
        if (before and before.header) == (after and after.header):
            return _found(backend, journal, after, data)
        pause(_PAUSE)
    raise LockHeld(f"{backend.where} changes faster than it can be read", hint="Try again when the other commands are done.")


def _found(backend: Backend, journal: Path, log: Log | None, data: bytes | None) -> Found:
    state = None if data is None else _decode(backend, data)
    if log is None:
        return Found(state, fingerprint(data))
    if state is None:
        raise Corrupt(
            f"{journal} continues a state that is not there: {backend.where}",
            hint=f"Put the state file back. Or move the journal away to start anew: {_ANEW}",
        )
    if backend.journal is None and _is_overtaken(state, log):
        return Found(state, fingerprint(data), overtaken=True)
    try:
        return Found(replay(state, log), fingerprint(data), unfinished(log.entries), journal=True)
    except Corrupt as error:
        hint = f"Put the state that it belongs to back at {backend.where}."
        raise Corrupt(f"{journal} {error.message}", hint=hint) from error


def _is_overtaken(state: State, log: Log) -> bool:
    """Whether a state that several machines share lacks changes of a local journal although its serial is past them."""
    changes = [entry for entry in log.entries if isinstance(entry, (Result, Forget))]
    absorbed = state.serial - log.header.serial
    if state.lineage != log.header.lineage or absorbed > len(changes):
        return True
    last = {change.address: change for change in changes[: max(absorbed, 0)]}
    return any(
        state.records.get(address) != (change.record if isinstance(change, Result) else None) for address, change in last.items()
    )


def _decode(backend: Backend, data: bytes) -> State:
    try:
        return decode_state(data)
    except Corrupt as error:
        raise type(error)(f"{backend.where} {error.message}", hint=error.hint or _after_damage(backend)) from error


def _after_damage(backend: Backend) -> str:
    if backend.backup is None:
        return f"Move it away to start anew: {_ANEW}"
    return (
        f"Copy the backup {backend.backup} to another place, and put it back with `algosync state push --force COPY`. "
        "What the backup lacks is then found and adopted again."
    )
