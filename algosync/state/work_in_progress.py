"""Work in progress: what other commands change in a state while a reader looks at the destination."""

from __future__ import annotations

from pathlib import Path

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.state.backend import Backend
from algosync.state.holder import Holder
from algosync.state.recovery import Found, find_beside_writers

__all__ = ["WorkInProgress", "work_in_progress"]


@dataclass(frozen=True, slots=True)
class WorkInProgress:
    """The addresses that other commands were changing, or have recorded since.

    `unseen`: a command is running on another machine, whose journal cannot be read here. It may be changing any resource.
    """

    addresses: frozenset[Address] = frozenset()
    unseen: bool = False

    def __contains__(self, address: object) -> bool:
        return self.unseen or address in self.addresses


def work_in_progress(backend: Backend, journal: Path, before: Found, running: Holder | None) -> WorkInProgress:
    """The work since a reader found `before`. `running`: the command that worked then. Raises what `find_beside_writers` raises."""
    still = backend.seen_holder()  # before the second reading: afterwards its last changes are read, too
    after = find_beside_writers(backend, journal)
    open_before = before.pending.keys() if running else frozenset()
    open_now = after.pending.keys() if still else frozenset()
    unseen = backend.journal is None and any(holder and not found.journal for holder, found in ((running, before), (still, after)))
    return WorkInProgress(frozenset(open_before | open_now | _recorded_since(before, after)), unseen)


def _recorded_since(before: Found, after: Found) -> set[Address]:
    old = {} if before.state is None else before.state.records
    new = {} if after.state is None else after.state.records
    return {address for address in old.keys() | new.keys() if old.get(address) != new.get(address)}
