"""The history as a page shows it: what was done before, and the command that makes the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cli.terminal import Terminal
    from algosync.core.results.past_run import PastRun
    from algosync.state import ResultsDocument

__all__ = ["past_runs", "runs_with_this"]

_DRAWN = "html"  # the format that shows it


def past_runs(document: ResultsDocument, places: Mapping[str, str], terminal: Terminal) -> tuple[PastRun, ...]:
    """The history, the oldest run first. Nothing is read if no place gets a page. A failure to read it is a warning.

    `places`: as of `report_places`.
    """
    from algosync.core.error import StateError
    from algosync.state.history import History

    if _DRAWN not in places.values():
        return ()
    try:
        return History(document).read()[0]
    except StateError as error:
        terminal.tell(f"Warning: the report does not show the history: {printable(error.message)}")
        return ()


def runs_with_this(session: CommandSession, places: Mapping[str, str], code: int, terminal: Terminal) -> tuple[PastRun, ...]:
    """As `past_runs`, and last the command itself, which is added to the history when it has ended. `code`: its exit code."""
    runs = past_runs(session.results.document, places, terminal)
    if _DRAWN not in places.values() or not session.log.begun:
        return runs
    return (*runs, session.log.entry(code, terminal.redact))
