"""`algosync history`: list what was done with a workflow."""

from dataclasses import field
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.help import RARE
from algosync.cli.options import ClusterOptions, JsonOutput
from algosync.cli.report_output import diagnosed
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from algosync.core.results.past_run import PastRun

__all__ = ["HistoryOptions", "chosen", "history"]


@dataclass(frozen=True, slots=True)
class HistoryOptions(ClusterOptions):
    """Options that choose entries. All of them have to fit."""

    command: Annotated[
        list[str],
        typer.Option("--command", metavar="NAME", help="Only this command, such as apply; may be repeated.", show_default=False),
    ] = field(default_factory=list)
    since: Annotated[
        str,
        typer.Option(metavar="WHEN", help="Only since an age (12h, 7d), a day (2026-11-30, UTC) or a time.", show_default=False),
    ] = ""
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed; differences that `drift` found are no failure.")] = (
        False
    )
    until: Annotated[
        str,
        typer.Option(
            metavar="WHEN", help="Only until then: as --since; a day is included.", show_default=False, rich_help_panel=RARE
        ),
    ] = ""
    by: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="Only where this is part of who ran it (USER@HOST), or of the run of CI.", show_default=False
        ),
    ] = ""
    exit_code: Annotated[
        list[int],
        typer.Option(
            "--exit-code", metavar="N", help="Only this exit code; may be repeated.", show_default=False, rich_help_panel=RARE
        ),
    ] = field(default_factory=list)
    published: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only what published this algorithm, or this version of any, or `NAME VERSION`.",
            show_default=False,
        ),
    ] = ""
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Only the last N that fit; 0: all.")] = 0


@command
def history(terminal: Terminal, options: HistoryOptions, json: JsonOutput = False) -> None:
    """List what was done with a workflow, the newest last. Who, when, what, exit code and versions. Changes nothing."""
    with diagnosed("history", {"-": "json"} if json else {}, terminal):
        _list(terminal, options, json=json)


def _list(terminal: Terminal, options: HistoryOptions, *, json: bool) -> None:
    from datetime import datetime, timezone

    from algosync.cli.report_output import document_metadata
    from algosync.cli.state.workflow_state import known_state
    from algosync.cli.state_place import state_found
    from algosync.state import ResultsDocument, parse_address
    from algosync.state.history import History
    from algosync.views.listings.history import history_document, history_lines

    _require_commands(options.command)
    now = datetime.now(timezone.utc)
    chosen((), options, now)  # a wrong time ends the command before it does anything
    known = known_state(options, terminal)
    create = parse_address(options.state)
    with state_found(options, terminal, known.key, writes=False, command="algosync history") as name:
        document = ResultsDocument(lambda each: create(each, "algosync history"), name)
        runs, unreadable = History(document).read()
    if unreadable:
        terminal.tell(f"Note: Entries of the history that cannot be read: {unreadable}.")
    found = chosen(runs, options, now)
    if json:
        meta = {**document_metadata(), "workflow": known.key.workflow, "state": document.where}
        terminal.document(history_document(found, meta))
        return
    terminal.result_lines(history_lines(found))
    if not found:
        terminal.tell("Nothing fits." if runs else "Nothing was done yet.")


def chosen(runs: "Sequence[PastRun]", options: HistoryOptions, now: "datetime") -> "Sequence[PastRun]":
    """The runs that fit the options, in their order. UsageError: `--since` or `--until` is no time."""
    from algosync.cli.history.since import since, until

    start, end = since(options.since, now) if options.since else None, until(options.until, now) if options.until else None
    found = [run for run in runs if _fits(run, options) and _is_between(run, start, end)]
    return found[-options.limit :]


def _fits(run: "PastRun", options: HistoryOptions) -> bool:
    who = f"{run.by}\n{run.ci}".casefold()
    names = {name for each in run.versions for name in (each.algorithm, each.version, f"{each.algorithm} {each.version}")}
    return (
        (not options.command or run.command in options.command)
        and (not options.failed or run.failed)
        and (not options.exit_code or run.exit_code in options.exit_code)
        and options.by.casefold() in who
        and (not options.published or options.published in names)
    )


def _is_between(run: "PastRun", start: "datetime | None", end: "datetime | None") -> bool:
    from algosync.core.timestamp import read_iso_time

    at = read_iso_time(run.at)
    if at is None:
        return start is None and end is None
    return (start is None or at >= start) and (end is None or at <= end)


def _require_commands(names: "Sequence[str]") -> None:
    from algosync.core.error import UsageError
    from algosync.core.results.past_run import COMMANDS
    from algosync.core.text import printable

    if unknown := [name for name in names if name not in COMMANDS]:
        raise UsageError(
            f"--command {printable(unknown[0], 60)}: it is not in the history", hint=f"use one of: {', '.join(COMMANDS)}"
        )
