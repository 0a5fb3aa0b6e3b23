"""`algosync plan`: show what `apply` would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import CompareOptions, ReportOptions, SelectionOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.core.planning.plan import Plan, PlanHeader
    from algosync.core.resource import Json

__all__ = ["make_session_plan", "masked_for", "metadata", "plan"]

DetailedExitcode = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")]


@command
def plan(
    terminal: Terminal,
    targets: SelectionOptions,
    reports: ReportOptions,
    options: CompareOptions,
    detailed_exitcode: DetailedExitcode = False,
) -> None:
    """Show what apply would change at the destination. Changes nothing."""
    from algosync.cli.session import Needs, command_session
    from algosync.views.subject import Planned

    with command_session(options, terminal, Needs(targets=targets.target, replace=targets.replace)) as session:
        plan = masked_for(terminal, make_session_plan(session, targets, terminal))
    write_reports(Planned(plan, metadata(plan.header)), reports.places, terminal)
    if detailed_exitcode and plan.visible:
        raise typer.Exit(2)


def make_session_plan(session: CommandSession, targets: SelectionOptions, terminal: Terminal) -> Plan:
    """Observe both clusters and make the plan. UsageError: a target names nothing."""
    from algosync.cli.live import reading
    from algosync.cli.remembered_results import known_failures
    from algosync.core.error import UsageError
    from algosync.core.planning.target import Selection, UnknownTarget
    from algosync.engine.plan import make_plan
    from algosync.sources.called_algorithms import call_warnings

    try:
        with reading(terminal, "both clusters"):
            wanted = Selection(tuple(targets.target), tuple(targets.replace))
            plan = make_plan(session.workflow, session.scene, session.ledger.records, session.header, wanted)
    except UnknownTarget as error:
        raise UsageError(str(error), hint=error.hint) from None
    plan = replace(plan, failing=known_failures(session, plan, terminal))
    if plan.compared:
        callers = {change.address.algorithm for change in plan.visible}
        terminal.tell_lines(call_warnings(session.workflow, callers, session.scene.site.sources.calls))
    return plan


def masked_for(terminal: Terminal, plan: Plan) -> Plan:
    """The plan as it may be shown: without former values of sensitive variables."""
    from algosync.core.planning.plan import masked

    return masked(plan, lambda value: terminal.redacted(value) != value)


def metadata(header: PlanHeader) -> Mapping[str, Json]:
    """The only part of a JSON document that may differ between two equal plans."""
    from algosync.cli.report_output import document_metadata

    return {**document_metadata(), "workflow": header.workflow}
