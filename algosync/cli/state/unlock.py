"""`algosync state unlock`: release the lock that a killed command left."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.state import Backend, Holder

__all__ = ["unlock"]

Force = Annotated[
    str, typer.Option("--force", metavar="LOCK_ID", help="Release the lock with this id without asking.", show_default=False)
]


@command
def unlock(terminal: Terminal, options: ClusterOptions, force: Force = "") -> None:
    """Release the lock of a state whose command was killed. Only where locks outlive their command: https:// and s3://."""
    from algosync.core.error import StateError

    locked = [(backend, holder) for backend in _backends(options, terminal) if (holder := backend.holder()) is not None]
    if not locked:
        terminal.result("The state is not locked: no command holds it, or its lease has run out.")
        return
    for backend, holder in locked:
        terminal.result(f"{backend.where} is in use by {holder}" + (f", lock id {holder.lock_id}" if holder.lock_id else ""))
    if force:
        locked = [(backend, holder) for backend, holder in locked if holder.lock_id == force]
    if not locked:
        raise StateError("no lock has that id")
    for backend, holder in locked:
        _release(backend, holder, terminal, options, ask=not force)


def _release(backend: Backend, holder: Holder, terminal: Terminal, options: ClusterOptions, *, ask: bool) -> None:
    from algosync.cli.approval import can_prompt, require_approval

    if ask and holder.lock_id:
        question = "If that command still runs, two commands may write at the same time. Release the lock?"
        prompt = can_prompt(terminal, options.environ, no_input=options.no_input)
        require_approval(question, "Not released.", terminal, prompt=prompt)
    backend.break_lock(holder.lock_id)
    terminal.result("Unlocked.")


def _backends(options: ClusterOptions, terminal: Terminal) -> list[Backend]:
    """The state of the workflow, and its test results. Both have locks."""
    from algosync.cli.clusters import clusters
    from algosync.cli.session import owner_of
    from algosync.cli.state_place import NamedDestination
    from algosync.cli.workflow_file import hide_state_keys, load_workflow
    from algosync.state import parse_address, results_name, state_name

    hide_state_keys(options, terminal)
    create = parse_address(options.state)
    workflow = load_workflow(options, terminal, stand_ins=True).workflow
    with ExitStack() as stack:
        label, destination = clusters(options, terminal, stack).destination()
        owner = owner_of(workflow, destination.data.owners())
        name = state_name(workflow.name, NamedDestination.of(label, destination).name, owner)
    return [create(each, "algosync state unlock") for each in (name, results_name(name))]
