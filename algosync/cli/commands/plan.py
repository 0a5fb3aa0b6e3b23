"""`algosync plan`: show what `apply` would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import CompareOptions, ReportOptions, ScopeOptions, SelectionOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.core.planning.plan import Plan, PlanHeader
    from algosync.core.resource import Json

__all__ = ["make_session_plan", "masked_for", "metadata", "plan", "require_allowed"]

DetailedExitcode = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")]


@command
def plan(
    terminal: Terminal,
    targets: SelectionOptions,
    reports: ReportOptions,
    options: CompareOptions,
    detailed_exitcode: DetailedExitcode = False,
) -> None:
    """Show what apply would change at the destination. Changes nothing; exit 5 if a guard would refuse to apply it."""
    from algosync.cli.session import Needs, command_session
    from algosync.views.subject import Planned

    with command_session(options, terminal, Needs.of(targets.selection)) as session:
        plan = masked_for(terminal, make_session_plan(session, targets, terminal))
    write_reports(Planned(plan, metadata(plan.header)), reports.places, terminal)
    require_allowed(plan)
    if detailed_exitcode and plan.visible:
        raise typer.Exit(2)


def make_session_plan(session: CommandSession, targets: ScopeOptions, terminal: Terminal) -> Plan:
    """Observe the clusters and make the plan, with the refusals of the guards. UsageError: a target names nothing."""
    from algosync.cli.live import reading
    from algosync.cli.remembered_results import known_failures
    from algosync.core.error import UsageError
    from algosync.core.planning.guards import Situation, guarded
    from algosync.core.planning.target import Mode, UnknownTarget
    from algosync.engine.plan import make_plan
    from algosync.engine.refresh import make_refresh_plan
    from algosync.sources.called_algorithms import call_warnings

    try:
        selection, allowed = targets.selection, targets.allowed
        make = make_refresh_plan if selection.mode is Mode.REFRESH else make_plan
        recorded = session.ledger.records
        with reading(terminal, "both clusters" if selection.mode is Mode.APPLY else "the destination"):
            plan = make(session.workflow, session.scene, recorded, session.header, selection)
    except UnknownTarget as error:
        raise UsageError(str(error), hint=error.hint) from None
    plan = guarded(plan, Situation(session.workflow, recorded, session.same_cluster, allowed))
    plan = replace(plan, failing=known_failures(session, plan, terminal))
    if plan.compared and selection.mode is Mode.APPLY:
        callers = {change.address.algorithm for change in plan.visible}
        terminal.tell_lines(call_warnings(session.workflow, callers, session.scene.site.sources.calls))
    return plan


def require_allowed(plan: Plan) -> None:
    """PlanRefused, or Several of them: guards refuse the plan."""
    from algosync.core.error import PlanRefused, Several

    refused = tuple(PlanRefused(refusal.message, hint=refusal.hint) for refusal in plan.refusals)
    if len(refused) > 1:
        raise Several(refused)
    if refused:
        raise refused[0]


def masked_for(terminal: Terminal, plan: Plan) -> Plan:
    """The plan as it may be shown: without former values of sensitive variables."""
    from algosync.core.planning.plan import masked

    return masked(plan, lambda value: terminal.redacted(value) != value)


def metadata(header: PlanHeader) -> Mapping[str, Json]:
    """The only part of a JSON document that may differ between two equal plans."""
    from algosync.cli.report_output import document_metadata

    return {**document_metadata(), "workflow": header.workflow}
