"""Reading order: with a budget of bytes, the workflow whose files were not read for the longest time is examined first."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from algosync.cli.interrupt import exit_code
from algosync.core.error import AlgosyncError

if TYPE_CHECKING:
    from algosync.cli.clusters import SharedDestination
    from algosync.cli.drifting.examining import Look
    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow

    Load: TypeAlias = Callable[[str, Terminal], LoadedWorkflow]

__all__ = ["longest_unread_first"]

_LAST = "~"  # behind every time


def longest_unread_first(names: Sequence[str], shared: SharedDestination, load: Load, look: Look) -> list[str]:
    """The workflows in that order. One that cannot be examined comes last; its error is told when it is examined.

    `load`: reads the file of one, and tells the terminal what there is to note.
    """
    try:
        shared.answered()
    except AlgosyncError:
        return list(names)
    silent = replace(shared.connections.terminal, err=io.StringIO())  # examining tells the notes
    reader = replace(shared, connections=replace(shared.connections, terminal=silent))
    return sorted(names, key=lambda name: _read_before(name, reader, load, look))


def _read_before(name: str, shared: SharedDestination, load: Load, look: Look) -> str:
    """When the file that was not read for the longest time was last read; empty: never."""
    from algosync.cli.session import workflow_session

    terminal = shared.connections.terminal
    try:
        with workflow_session(load(name, terminal), shared, look.needs) as session:
            return _oldest(session, look, terminal)
    except Exception:
        if exit_code() is not None:
            raise
        return _LAST


def _oldest(session: CommandSession, look: Look, terminal: Terminal) -> str:
    from algosync.cli.drifting.seen import reading_of

    verified = reading_of(session, look.reading, terminal).verified
    return min((verified.get(a, "") for a in session.ledger.records if session.scene.is_file(a)), default=_LAST)
