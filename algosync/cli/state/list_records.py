"""`algosync state list`: the addresses that are recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.state.options import StateOptions
from algosync.cli.terminal import Terminal

__all__ = ["list_records"]

Pattern = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="Only these: an address, an algorithm, or a glob of either.", show_default=False)
]


@command
def list_records(terminal: Terminal, options: StateOptions, address: Pattern = "") -> None:
    """List what is recorded."""
    from algosync.cli.state.missing_record import missing_record
    from algosync.cli.state.workflow_state import read_state
    from algosync.core.planning.target import matches
    from algosync.views.value import redacted_address

    with read_state(options, terminal) as session:
        found = sorted(each for each in session.records if not address or matches(each, address))
        if address and not found:
            raise missing_record(address, session.records)
        terminal.result_lines(redacted_address(each, terminal.redact) for each in found)
    if not found:
        terminal.tell("Nothing is recorded.")
