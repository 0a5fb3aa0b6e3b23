"""`algosync plan`: show what `apply` would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.options import CompareOptions, ReportOptions, SelectionOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.core.planning.plan import Plan, PlanHeader
    from algosync.core.planning.plan_inputs import PlanFile
    from algosync.core.planning.target import Selection
    from algosync.core.resource import Json

__all__ = ["make_session_plan", "masked_for", "metadata", "plan", "selection_of"]

_NOT_SAVED = "Note: The plan is not saved (--out FILE), so apply may do something else if anything changes until then."


class PinBy(Enum):
    """What binds a saved plan to the files that it would upload."""

    CONTENT = "content"
    STAMP = "stamp"


@dataclass(frozen=True, slots=True)
class PlanOptions(CompareOptions):
    """Options of `plan` alone."""

    out: Annotated[str, typer.Option(metavar="FILE", help="Save the plan. `apply FILE` does exactly that.", show_default=False)] = (
        ""
    )
    pin: Annotated[PinBy, typer.Option(help="With --out: read the files to upload for their digests, or trust size and time.")] = (
        PinBy.CONTENT
    )
    detailed_exitcode: Annotated[bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")] = False


@command
def plan(terminal: Terminal, targets: SelectionOptions, reports: ReportOptions, options: PlanOptions) -> None:
    """Show what apply would change at the destination. Changes nothing."""
    from algosync.cli.saved.plan_file import require_writable
    from algosync.cli.saved.saving import require_still, save, saved_plan
    from algosync.cli.session import Needs, command_session
    from algosync.core.planning.saved_plan import plan_digest
    from algosync.views.subject import Planned

    if options.out:
        require_writable(Path(options.out))
    selection = selection_of(targets)
    with command_session(options, terminal, Needs(targets=targets.target, replace=targets.replace)) as session:
        if options.out:
            require_still(session)
        plan = make_session_plan(session, selection, terminal)
        digest = plan_digest(saved_plan(session, plan, selection, terminal))
        if options.out:
            plan = _with_digests(plan, session, options.pin, terminal)
            saved = replace(saved_plan(session, plan, selection, terminal), digest=digest)
            save(Path(options.out), session, saved, terminal)
    write_reports(Planned(masked_for(terminal, plan), metadata(plan.header), digest), reports.places, terminal)
    if options.out:
        terminal.tell(
            f"Saved the plan to {printable(options.out)}. This does exactly these actions: algosync apply {printable(options.out)}"
        )
    elif plan.visible and reports.places["-"] == "text":
        terminal.result(f"\n{_NOT_SAVED}")
    if options.detailed_exitcode and plan.visible:
        raise typer.Exit(2)


def _with_digests(plan: Plan, session: CommandSession, pin: PinBy, terminal: Terminal) -> Plan:
    """The plan with the digests of the files that it would upload."""
    from algosync.cli.live import reading
    from algosync.engine.pinning import pinned

    with reading(terminal, "the files to upload"):
        return pinned(plan, session.workflow, session.scene, stamps=pin is PinBy.STAMP)


def selection_of(targets: SelectionOptions) -> Selection:
    """The choices of a user, from the options."""
    from algosync.core.planning.target import Selection

    return Selection(tuple(targets.target), tuple(targets.replace))


def make_session_plan(session: CommandSession, selection: Selection, terminal: Terminal, saved: PlanFile | None = None) -> Plan:
    """Observe both clusters and make the plan. UsageError: a target names nothing.

    `saved`: a plan that was saved before. What it has read is not read again where nothing has changed.
    """
    from algosync.cli.live import reading
    from algosync.cli.remembered_results import known_failures
    from algosync.core.error import UsageError
    from algosync.core.planning.target import UnknownTarget
    from algosync.engine.pinning import with_known_digests
    from algosync.engine.plan import make_plan
    from algosync.sources.called_algorithms import call_warnings

    scene = with_known_digests(session.scene, saved.saved.plan.changes) if saved else session.scene
    try:
        with reading(terminal, "both clusters"):
            plan = make_plan(session.workflow, scene, session.ledger.records, session.header, selection)
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
    from datetime import datetime, timezone

    from algosync import __version__

    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"timestamp": now, "algosync_version": __version__, "workflow": header.workflow, "state": header.state}
