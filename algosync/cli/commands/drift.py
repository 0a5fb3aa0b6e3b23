"""`algosync drift`: show how the destination differs from what was last applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import typer

from algosync.cli.command import command
from algosync.cli.drifting.options import ReadingOptions
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import CompareOptions, ReportOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

__all__ = ["drift"]


@dataclass(frozen=True, slots=True)
class DriftOptions(CompareOptions):
    """`workflows`: a path or a name each. None, and not `all`: the workflow that `find_workflow` chooses."""

    workflows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORKFLOW...",
            help="Paths, or names in workflows/. Default: WORKFLOW_NAME, workflow.* here, or the only file in workflows/.",
            show_default=False,
        ),
    ] = None
    all: Annotated[bool, typer.Option("--all", help="Every workflow in workflows/.")] = False
    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class DriftReportOptions(ReportOptions):
    SITES: ClassVar[bool] = True


@command
def drift(
    terminal: Terminal,
    reports: DriftReportOptions,
    options: DriftOptions,
    bytes_read: ReadingOptions,
    _notify: NotifyOptions,
    with_tests: Annotated[
        bool, typer.Option("--with-tests", help="Run all tests on what is published, and report answers that changed.")
    ] = False,
) -> None:
    """Show how the destination differs from what was last applied. Changes nothing; exit 2 if it differs, or if a test failed."""
    from algosync.cli.drifting.examining import Look
    from algosync.cli.drifting.several import SeveralWorkflows, named_workflows, shown_so_far
    from algosync.cli.session import command_session

    look = Look(bytes_read.reading, with_tests, reports.places)
    names = named_workflows(options.workflows or (), options, all_of_folder=options.all)
    if options.all or len(names) > 1:
        run = SeveralWorkflows(names, options, look)
        with shown_so_far(run, reports.places["-"], terminal):
            run.examine(terminal)
        drifted_all = run.subject()
        write_reports(drifted_all, reports.places, terminal)
        raise typer.Exit(drifted_all.exit_code)
    with command_session(replace(options, workflow=next(iter(names), None)), terminal, look.needs) as session:
        drifted = look.at(session, terminal)
    write_reports(drifted, reports.places, terminal)
    raise typer.Exit(drifted.exit_code)
