"""Former names: the state of a local cluster under the names that older versions gave it.

They named it by the address that was used, `local:staging` or `http://127.0.0.1:8080`, so one cluster could have several states. A
command reads the newest of them in place. The next command that writes renames it. As older versions may still run, a command that
writes also takes the locks under the former names. Only folders have such states: the other backends came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import cast

from algosync.core.error import Corrupt
from algosync.core.lean import dataclass
from algosync.state.backend import Backend
from algosync.state.local import LocalBackend
from algosync.state.patience import AT_ONCE, Patience
from algosync.state.recovery import find_beside_writers

__all__ = ["Located", "located"]


@dataclass(frozen=True, slots=True)
class Located:
    """The name of the state to work with. `unused`: the places of older states of the same cluster."""

    name: str
    unused: tuple[str, ...] = ()


@contextmanager
def located(
    create: Callable[[str], Backend], current: str, former: Sequence[str], *, exclusive: bool, wait: Patience = AT_ONCE
) -> Iterator[Located]:
    """Find the state under its current or a former name.

    `create`: creates the backend of a name. `exclusive`: a state under a former name is renamed first, and the former names stay
    locked while the body runs. `wait`: how long to wait for their locks. LockHeld: another command uses one of the former names.
    """
    new = create(current)
    if not isinstance(new, LocalBackend):
        yield Located(current)
        return
    with ExitStack() as locks:
        states = {}
        for name in former:
            backend = cast("LocalBackend", create(name))
            if exclusive and backend.was_locked:
                wait.take(backend.lock)
                locks.callback(backend.unlock)
            if backend.read() is not None:
                states[name] = backend
        if not states or new.read() is not None:
            yield Located(current)
            return
        newest, *others = sorted(states, key=lambda name: _rank(states[name]), reverse=True)
        if exclusive:
            _rename(states[newest], new, wait)
        unused = tuple(states[name].where for name in others if _has_records(states[name]))
        yield Located(current if exclusive else newest, unused)


def _rename(former: LocalBackend, current: LocalBackend, wait: Patience) -> None:
    """Unless another command has written a state under the current name meanwhile."""
    wait.take(current.lock)
    try:
        if current.read() is None:
            current.take_over(former)
    finally:
        current.unlock()


def _rank(backend: LocalBackend) -> tuple[bool, float]:
    return _has_records(backend), backend.written_at


def _has_records(backend: LocalBackend) -> bool:
    """True also if the state is damaged: the command that works with it reports that."""
    try:
        state = find_beside_writers(backend, backend.journal).state
    except Corrupt:
        return True
    return state is not None and bool(state.records)
