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
from algosync.state.entry import Forget, Log, Result, replay, unfinished
from algosync.state.journal import read_journal

__all__ = ["Found", "find"]

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
    """Reads both. Corrupt: one of them is damaged, or they do not belong together."""
    log = read_journal(journal)  # before the state: beside a writer the state is then never older than the journal
    data = backend.read()
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
        raise Corrupt(f"{backend.where} {error.message}", hint=error.hint or _after_damage(backend)) from error


def _after_damage(backend: Backend) -> str:
    if backend.backup is None:
        return f"Move it away to start anew: {_ANEW}"
    return (
        f"Put the backup {backend.backup} in its place, and move its .journal file away if there is one. What the backup "
        "lacks is then found and adopted again."
    )
