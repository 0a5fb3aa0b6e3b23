"""`algosync state pull`: the whole state as JSON."""

from __future__ import annotations

from algosync.cli.command import command
from algosync.cli.state.options import StateOptions
from algosync.cli.terminal import Terminal

__all__ = ["pull"]


@command
def pull(terminal: Terminal, options: StateOptions) -> None:
    """Print the whole state as JSON, as `algosync state push` takes it."""
    from algosync.cli.state.workflow_state import read_state
    from algosync.cli.state_place import nothing_recorded
    from algosync.core.codec import encode_state

    with read_state(options, terminal) as session:
        state = session.state
    if state is None:
        raise nothing_recorded()
    text = encode_state(state).decode("ascii").removesuffix("\n")
    if terminal.redact(text) != text:
        terminal.tell("Warning: It holds values that are secret now. They are shown as ***, so it cannot be pushed.")
    terminal.verbatim(text)
