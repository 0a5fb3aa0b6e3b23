"""`algosync state show`: what is recorded of one resource."""

from __future__ import annotations

from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import JsonOutput
from algosync.cli.state.options import StateOptions
from algosync.cli.terminal import Terminal

__all__ = ["show"]

Which = Annotated[str, typer.Argument(metavar="ADDRESS", help='For example source.Greeter, or data.Greeter["words.txt"].')]


@command
def show(terminal: Terminal, address: Which, options: StateOptions, json: JsonOutput = False) -> None:
    """Show what is recorded of one resource."""
    from algosync.cli.state.missing_record import missing_record
    from algosync.cli.state.workflow_state import read_state
    from algosync.views.record import record_document, record_lines

    with read_state(options, terminal) as session:
        record = next((record for known, record in session.records.items() if str(known) == address), None)
        if record is None:
            raise missing_record(address, session.records)
    if json:
        terminal.document(record_document(record, terminal.redact))
    else:
        terminal.result_lines(record_lines(record, terminal.redact))
