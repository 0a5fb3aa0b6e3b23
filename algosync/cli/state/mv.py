"""`algosync state mv`: what is recorded of one algorithm is that of another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.state.options import StateChangeOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosync.core.address import Address
    from algosync.core.resource import Record

__all__ = ["moved_records", "mv"]

From = Annotated[str, typer.Argument(metavar="FROM", help="The recorded algorithm.")]
To = Annotated[str, typer.Argument(metavar="TO", help="Its new name. Nothing may be recorded of it.")]


@command
def mv(terminal: Terminal, from_: From, to: To, options: StateChangeOptions) -> None:
    """Rename a recorded algorithm. Nothing is renamed at the destination."""
    from algosync.cli.state.workflow_state import changed_state

    old, new = (_algorithm_name(text) for text in (from_, to))
    with changed_state(options, terminal, "algosync state mv") as session:
        moved = moved_records(session.records, old, new)
        session.replace_records(moved, moved.values())
    for before, after in sorted(moved.items()):
        terminal.result(f"{before} is now {after.address}")
    terminal.result(f"{len(moved)} records moved. Nothing was renamed at the destination: look at algosync plan.")


def moved_records(records: Mapping[Address, Record], old: str, new: str) -> Mapping[Address, Record]:
    """For each record of an algorithm, that record under the new name. The next plan compares its content, not its stamp.

    AlgosyncError: nothing is recorded of the old one. PlanRefused: something is recorded of the new one.
    """
    from algosync.cli.state.missing_record import missing_record
    from algosync.core.error import PlanRefused
    from algosync.kinds.previous_bytes import moved_record

    moved = {
        address: moved_record(record, replace(address, algorithm=new))
        for address, record in records.items()
        if address.algorithm == old
    }
    if not moved:
        raise missing_record(old, records)
    if any(address.algorithm == new for address in records):
        raise PlanRefused(f"{new} is recorded already", hint=f"algosync state rm {new} forgets it first")
    return moved


def _algorithm_name(text: str) -> str:
    """UsageError: it cannot be an algorithm."""
    from algosync.core.address import ALGORITHM_NAME
    from algosync.core.error import UsageError
    from algosync.core.text import printable

    name = text.removeprefix("algorithm.")
    if ALGORITHM_NAME.fullmatch(name) is None:
        raise UsageError(f"{printable(text, 100)} is no name of an algorithm", hint="name algorithms: all their records move")
    return name
