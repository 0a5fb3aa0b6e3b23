"""`algosync state rename`: keep a state under the name of another workflow."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.state.options import StateChangeOptions
from algosync.cli.terminal import Terminal

__all__ = ["rename"]

_COMMAND = "algosync state rename"
From = Annotated[str, typer.Argument(metavar="FROM", help="The name of the workflow under which the state is kept.")]
To = Annotated[str, typer.Argument(metavar="TO", help="The new name. Default: the name of the workflow.", show_default=False)]


@command
def rename(terminal: Terminal, from_: From, options: StateChangeOptions, to: To = "") -> None:
    """Keep a state under the name of another workflow."""
    from algosync.cli.state.workflow_state import known_state, tell_backup
    from algosync.cli.state_place import journals, patience, state_found
    from algosync.core.error import UsageError
    from algosync.core.text import printable
    from algosync.state import ResultsDocument, copied, journal_path, parse_address
    from algosync.state.exchange import rename as rename_state

    known = known_state(options, terminal)
    key = known.key if not to else replace(known.key, workflow=to)
    former = replace(known.key, workflow=from_)
    if key == former:
        raise UsageError(f"the state of {printable(from_, 100)} has this name already", hint="name another one as TO")
    create = parse_address(options.state)
    with state_found(options, terminal, former, writes=True, command=_COMMAND) as name:
        old, new = create(name, _COMMAND), create(key.name, _COMMAND)
        places = [(backend, journal_path(backend, journals(options))) for backend in (old, new)]
        state = rename_state(places[0], places[1], patience(options, terminal))
        documents = [ResultsDocument(lambda each: create(each, _COMMAND), each) for each in (name, key.name)]
        warning = copied(*documents)
        terminal.tell_lines([f"Warning: {printable(warning)}"] if warning else [])
    terminal.result(f"{printable(old.where)} is now {printable(new.where)}, with {len(state.records)} records.")
    tell_backup(old.backup, terminal)
