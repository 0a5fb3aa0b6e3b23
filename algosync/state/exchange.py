"""Exchange: replaces a whole state, or keeps it under another name.

Both take the lock, keep the state before as the backend's backup, and raise the serial, so that nothing that was made for the state
before, such as a plan or a journal, is taken for one of the new state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from algosync.core.address import Address
from algosync.core.codec import encode_state
from algosync.core.error import Corrupt, NewerFormat, PlanRefused, StateError
from algosync.core.state import State
from algosync.core.text import printable
from algosync.state.backend import Backend, fingerprint
from algosync.state.durable import remove_file, reported
from algosync.state.journal import set_aside
from algosync.state.patience import Patience
from algosync.state.recovery import find

__all__ = ["push", "rename"]

_FORCE = "--force replaces it all the same, and keeps a backup"


def push(backend: Backend, journal: Path, pushed: State, *, force: bool, wait: Patience) -> State:
    """Makes `pushed` the state, with a higher serial if needed, and returns it. If it is the state already, nothing happens.

    PlanRefused, unless `force`: it has another lineage, an older serial, or the same serial and other content. Corrupt, unless
    `force`: the state is damaged. NewerFormat: a newer version wrote the state, and even `force` does not replace it.
    """
    with _locked(backend, wait):
        current, kept = _current(backend, journal, despite_damage=force)
        if current == pushed:
            return pushed
        if current is not None and not force:
            _require_successor(pushed, current, backend.where)
        new = replace(pushed, serial=pushed.serial if current is None else max(pushed.serial, current.serial + 1))
        backend.write(encode_state(new), expect=kept)
        return new


def rename(old: tuple[Backend, Path], new: tuple[Backend, Path], wait: Patience) -> State:
    """Keeps the state of one backend and journal in another one. The old one is then empty. An interrupted renaming is continued.

    The state forgets its workflow file: the next command that writes claims it. StateError: nothing is recorded in the old one.
    PlanRefused: something else is recorded in the new one.
    """
    (old_backend, old_journal), (new_backend, new_journal) = old, new
    with _locked(old_backend, wait), _locked(new_backend, wait):
        state, kept = _current(old_backend, old_journal)
        if state is None or not state.records:
            raise StateError(f"nothing is recorded in {old_backend.where}")
        target, target_kept = _current(new_backend, new_journal)
        if target is not None and target.records and not _is_copy(target, state):
            raise PlanRefused(f"{new_backend.where} has records of its own", hint="choose another name")
        renamed = replace(state, serial=state.serial + 1, file=None)
        new_backend.write(encode_state(renamed), expect=target_kept)
        old_backend.write(encode_state(State(str(uuid4()))), expect=kept)
        return renamed


@contextmanager
def _locked(backend: Backend, wait: Patience) -> Iterator[None]:
    wait.take(backend.lock)
    try:
        yield
    finally:
        backend.unlock()


def _current(backend: Backend, journal: Path, *, despite_damage: bool = False) -> tuple[State | None, str | None]:
    """The state and its fingerprint. A journal that a killed command left is added to it first, or set aside if it does not fit."""
    try:
        found = find(backend, journal)
    except NewerFormat:
        raise
    except Corrupt:
        if not despite_damage:
            raise
        if not journal.exists():
            return None, fingerprint(backend.read())
        set_aside(journal)
        return _current(backend, journal, despite_damage=True)
    if found.overtaken:
        set_aside(journal)
    if found.state is None or not found.journal:
        return found.state, found.kept
    state = _settled(found.state, found.pending)
    data = encode_state(state)
    if fingerprint(data) != found.kept:
        backend.write(data, expect=found.kept)
    with reported(journal, "removed"):
        remove_file(journal)
    return state, fingerprint(data)


def _settled(state: State, pending: Mapping[Address, str]) -> State:
    """Writes without an outcome lose their destination stamp, so that the destination is read again."""
    known = (record for address in pending if (record := state.records.get(address)) is not None)
    unsure = {record.address: replace(record, destination_stamp=None) for record in known if record.destination_stamp is not None}
    return replace(state, serial=state.serial + len(unsure), records={**state.records, **unsure})


def _require_successor(pushed: State, current: State, where: str) -> None:
    if pushed.lineage != current.lineage:
        lineages = f"{printable(current.lineage, 80)} there, {printable(pushed.lineage, 80)} in the file"
        raise PlanRefused(f"{where} is another state: its lineage is {lineages}", hint=_FORCE)
    if pushed.serial < current.serial:
        raise PlanRefused(f"{where} is newer: serial {current.serial} there, {pushed.serial} in the file", hint=_FORCE)
    if pushed.serial == current.serial:
        raise PlanRefused(f"{where} has the serial {current.serial} too, and other content", hint=_FORCE)


def _is_copy(target: State, state: State) -> bool:
    """Whether an interrupted renaming wrote the target, and nothing has changed it since."""
    return target.lineage == state.lineage and target.serial <= state.serial + 1
