"""`algosync state unlock`: release the lock that a killed command left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.state.options import StateOptions
from algosync.cli.terminal import Terminal
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.state import Backend, Holder

__all__ = ["unlock"]

_COMMAND = "algosync state unlock"
Force = Annotated[
    str | None, typer.Option("--force", metavar="LOCK_ID", help="Release the lock with this id without asking.", show_default=False)
]


@command
def unlock(terminal: Terminal, options: StateOptions, force: Force = None) -> None:
    """Release the lock of a state whose command was killed. Only where locks outlive their command: https:// and s3://."""
    from algosync.core.error import StateError

    locked = [(backend, holder) for backend in _backends(options, terminal) if (holder := backend.holder()) is not None]
    if not locked:
        terminal.result("The state is not locked: no command holds it, or its lease has run out.")
        return
    for backend, holder in locked:
        lock_id = f", lock id {holder.lock_id}" if holder.lock_id else ""
        terminal.result(f"{backend.where} is in use by {holder}{lock_id}")
    if force is not None:
        locked = [(backend, holder) for backend, holder in locked if holder.lock_id == force]
    if not locked:
        raise StateError("no lock has that id")
    for backend, holder in locked:
        _release(backend, holder, terminal, options, ask=force is None)


def _release(backend: Backend, holder: Holder, terminal: Terminal, options: StateOptions, *, ask: bool) -> None:
    """StateError: only the end of that command releases the lock. A lock whose text cannot be read has an empty id."""
    import shlex

    from algosync.cli.approval import can_prompt, require_approval

    if ask and backend.can_break_lock:
        question = "If that command still runs, two commands may write at the same time. Release the lock?"
        prompt = can_prompt(terminal, options.environ, no_input=options.no_input)
        option = f"--force {shlex.quote(printable(holder.lock_id, 80))}"
        require_approval(question, "Not released.", terminal, prompt=prompt, option=option)
    backend.break_lock(holder.lock_id)
    terminal.result("Unlocked.")


def _backends(options: StateOptions, terminal: Terminal) -> list[Backend]:
    """The state of the workflow, and its test results. Both have locks."""
    from algosync.cli.state.workflow_state import known_state
    from algosync.state import parse_address, results_name

    name = known_state(options, terminal).key.name
    return [parse_address(options.state)(each, _COMMAND) for each in (name, results_name(name))]
