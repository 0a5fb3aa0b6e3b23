"""`algosync state rm`: forget what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.state.options import StateChangeOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from algosync.core.address import Address

__all__ = ["rm", "selected"]

Which = Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="Addresses, algorithms, or globs of either.")]


@command
def rm(terminal: Terminal, address: Which, options: StateChangeOptions) -> None:
    """Forget what is recorded. Deletes nothing at the destination."""
    from algosync.cli.state.workflow_state import changed_state
    from algosync.views.value import redacted_address

    with changed_state(options, terminal, "algosync state rm") as session:
        gone = selected(session.records, address)
        session.replace_records(gone, ())
    for each in gone:
        terminal.result(f"{redacted_address(each, terminal.redact)} is forgotten")
    terminal.result(f"{len(gone)} records removed. Nothing was deleted at the destination.")


def selected(recorded: Collection[Address], patterns: Sequence[str]) -> Sequence[Address]:
    """The recorded addresses that at least one pattern names. AlgosyncError: a pattern names nothing."""
    from algosync.cli.state.missing_record import missing_record
    from algosync.core.planning.target import matches

    for pattern in patterns:
        if not any(matches(each, pattern) for each in recorded):
            raise missing_record(pattern, recorded)
    return sorted(each for each in recorded if any(matches(each, pattern) for pattern in patterns))
