"""Workflow state: the state of the workflow that a command of `algosync state` is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.options import ClusterOptions
    from algosync.cli.state_place import StateKey
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.state import Session, TestResults

__all__ = ["KnownState", "changed_state", "known_state", "read_state", "read_state_and_results", "tell_backup"]


@dataclass(frozen=True, slots=True)
class KnownState:
    """The workflow, and what its state is known by."""

    loaded: LoadedWorkflow
    key: StateKey


def known_state(options: ClusterOptions, terminal: Terminal) -> KnownState:
    """Load the workflow, and ask the destination for the owner. From now on the terminal hides the keys of the place of states."""
    from algosync.cli.clusters import clusters
    from algosync.cli.session import owner_of
    from algosync.cli.state_place import NamedDestination, StateKey
    from algosync.cli.workflow_file import hide_state_keys, load_workflow
    from algosync.state import parse_address

    hide_state_keys(options, terminal)
    parse_address(options.state)  # report a mistake in it before any request
    loaded = load_workflow(options, terminal, stand_ins=True)
    with ExitStack() as stack:
        label, destination = clusters(options, terminal, stack).destination()
        owner = owner_of(loaded.workflow, destination.data.owners())
        return KnownState(loaded, StateKey(loaded.workflow.name, owner, NamedDestination.of(label, destination)))


@contextmanager
def read_state(options: ClusterOptions, terminal: Terminal) -> Iterator[Session]:
    """The state for reading, while the body runs."""
    with read_state_and_results(options, terminal) as (session, _):
        yield session


@contextmanager
def read_state_and_results(options: ClusterOptions, terminal: Terminal) -> Iterator[tuple[Session, TestResults]]:
    """The state for reading, and what is remembered beside it, while the body runs."""
    from algosync.cli.state_place import state_opened

    known = known_state(options, terminal)
    with state_opened(options, terminal, known.key, "algosync state", writes=False) as opened:
        yield opened


@contextmanager
def changed_state(options: ClusterOptions, terminal: Terminal, command: str) -> Iterator[Session]:
    """The locked state, and at the end where the state before is. PlanRefused: it belongs to another workflow file."""
    from pathlib import Path

    from algosync.cli.state_place import claim, state_opened
    from algosync.workflow import file_identity

    known = known_state(options, terminal)
    with state_opened(options, terminal, known.key, command, writes=True) as (session, _):
        claim(session, file_identity(known.loaded.path, Path.cwd()), known.loaded.workflow, terminal)
        yield session
    tell_backup(session.backup, terminal)


def tell_backup(backup: str | None, terminal: Terminal) -> None:
    """`backup`: as of a backend that has just written."""
    if backup is not None:
        terminal.tell(f"The state before is kept as {printable(backup)}, until the next command that changes it.")
