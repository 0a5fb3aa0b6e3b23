"""`algosync show`: show a saved plan, or what is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions, ReportOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.core.planning.plan_inputs import PlanFile
    from algosync.core.resource import Json

__all__ = ["show"]


@dataclass(frozen=True, slots=True)
class ShowOptions(ClusterOptions):
    """Options of `show`."""

    workflow: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="A saved plan. Without it, or with a workflow: what is recorded.", show_default=False),
    ] = None


@command
def show(terminal: Terminal, reports: ReportOptions, options: ShowOptions) -> None:
    """Show a saved plan; without FILE, everything that is recorded."""
    from algosync.cli.saved.plan_file import is_plan_file, read_plan_file

    if options.workflow is not None and is_plan_file(Path(options.workflow)):
        from algosync.cli.workflow_file import hide_keys

        hide_keys(options.environ, terminal)
        _show_plan(read_plan_file(Path(options.workflow)), reports, terminal)
    else:
        _show_state(options, reports, terminal)


def _show_plan(file: PlanFile, reports: ReportOptions, terminal: Terminal) -> None:
    from algosync.cli.commands.plan import metadata
    from algosync.views.subject import Planned

    plan = file.saved.plan
    write_reports(Planned(plan, metadata(plan.header, 0), digest=file.saved.digest), reports.places, terminal)


def _show_state(options: ShowOptions, reports: ReportOptions, terminal: Terminal) -> None:
    from datetime import datetime, timezone

    from algosync import __version__
    from algosync.cli.history.shown import past_runs
    from algosync.cli.state.workflow_state import read_state_and_results
    from algosync.core.text import printable
    from algosync.views.subject import Recorded

    with read_state_and_results(options, terminal) as (session, results):
        history = past_runs(results.document, reports.places, terminal)
        records = tuple(record for _, record in sorted(session.records.items()))
        meta: dict[str, Json] = {
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "algosync_version": __version__,
            "exit_code": 0,
            "state": printable(session.where),
        }
    write_reports(Recorded(records, meta, history), reports.places, terminal)
