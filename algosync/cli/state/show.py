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
    """Show what is recorded of one resource, or of an algorithm."""
    from algosync.cli.state.missing_record import missing_record
    from algosync.cli.state.workflow_state import read_state
    from algosync.core.error import UsageError
    from algosync.core.text import printable
    from algosync.views.record import record_document, record_lines

    with read_state(options, terminal) as session:
        found = [record for known, record in sorted(session.records.items()) if address in (str(known), known.algorithm)]
        if not found:
            raise missing_record(address, session.records)
    if json and len(found) > 1:
        names = ", ".join(str(record.address) for record in found)
        raise UsageError(f"--json shows one resource, and {printable(address)} has {len(found)}", hint=f"name one of {names}")
    if json:
        terminal.document(record_document(found[0], terminal.redact))
    else:
        terminal.result_lines(line for record in found for line in record_lines(record, terminal.redact))
