"""Recovery: reads what a session starts from: the state, and the journal of a command that did not close its session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.codec import decode_state
from algosync.core.error import Corrupt
from algosync.core.state import State
from algosync.state.backend import Backend, fingerprint
from algosync.state.entry import replay, unfinished
from algosync.state.journal import read_journal

__all__ = ["Found", "find"]


@dataclass(frozen=True, slots=True)
class Found:
    """`state`: with the journal's changes. `kept`: the fingerprint of the saved state. `pending`: intents without an outcome."""

    state: State | None = None
    kept: str | None = None
    pending: Mapping[Address, str] = field(default_factory=lambda: MappingProxyType({}))
    journal: bool = False


def find(backend: Backend, journal: Path) -> Found:
    """Reads both. Corrupt: one of them is damaged, or they do not belong together."""
    data = backend.read()
    log = read_journal(journal)
    state = None if data is None else _decode(backend, data)
    if log is None:
        return Found(state, fingerprint(data))
    if state is None:
        raise Corrupt(
            f"{journal} continues a state that is not there: {backend.where}",
            hint="Put the state back; or, to start anew, move the journal away too.",
        )
    try:
        return Found(replay(state, log), fingerprint(data), unfinished(log.entries), journal=True)
    except Corrupt as error:
        hint = f"Put the state that it belongs to back at {backend.where}."
        raise Corrupt(f"{journal} {error.message}", hint=hint) from error


def _decode(backend: Backend, data: bytes) -> State:
    try:
        return decode_state(data)
    except Corrupt as error:
        older = backend.backup and f"The state before the last save is {backend.backup}; what it lacks is found and adopted again."
        raise Corrupt(f"{backend.where} {error.message}", hint=error.hint or older) from error
