"""`algosync plan`: show what `apply` would do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import CompareOptions, ReportOptions, ScopeOptions, SelectionOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.core.planning.explanation import Explanation
    from algosync.core.planning.file_diff import FileDiff
    from algosync.core.planning.guards import Guard
    from algosync.core.planning.plan import Plan, PlanHeader
    from algosync.core.planning.plan_inputs import PlanFile
    from algosync.core.planning.target import Selection
    from algosync.core.resource import Json

__all__ = ["Choice", "asked_diffs", "make_session_plan", "masked_for", "metadata", "plan", "require_allowed"]

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


@dataclass(frozen=True, slots=True)
class PlanReportOptions(ReportOptions):
    """Options of `plan` about what it shows."""

    explain: Annotated[
        list[str],
        typer.Option(
            "--explain",
            metavar="ADDRESS",
            help="Tell why this resource changes or not. It shows the stamps and digests of both sides; may be repeated.",
            show_default=False,
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    """The choices of a user. `allowed`: the guards that do not refuse the plan."""

    selection: Selection
    allowed: frozenset[Guard]


@command
def plan(
    terminal: Terminal, targets: SelectionOptions, reports: PlanReportOptions, options: PlanOptions, _notify: NotifyOptions
) -> None:
    """Show what apply would change at the destination. Changes nothing; exit 5 if a guard would refuse to apply it."""
    from algosync.cli.history.shown import runs_with_this
    from algosync.cli.saved.plan_file import require_writable
    from algosync.cli.saved.saving import require_still, save, saved_plan
    from algosync.cli.session import Needs, command_session
    from algosync.cli.summary_file import summary_for
    from algosync.core.planning.saved_plan import plan_digest
    from algosync.views.subject import Planned

    if options.out:
        require_writable(Path(options.out))
    summary = summary_for("plan", targets.summary_file, terminal)
    choice = Choice(targets.selection, targets.allowed)
    needs = replace(Needs.of("plan", choice.selection), all_code=bool(options.out))  # a saved plan has the code
    with command_session(options, terminal, needs) as session:
        if options.out:
            require_still(session)
        plan = make_session_plan(session, choice, terminal)
        digest = plan_digest(saved_plan(session, plan, choice.selection, terminal, marks=False))
        if options.out and not plan.refusals:
            plan = _with_digests(plan, session, options.pin, terminal)
            saved = replace(saved_plan(session, plan, choice.selection, terminal), digest=digest)
            save(Path(options.out), session, saved, terminal)
        plan = summary.plan = masked_for(terminal, plan)
        explained, diffs = _explained(plan, session, reports.explain), asked_diffs(plan, session, targets)
    code = 5 if plan.refusals else 2 if options.detailed_exitcode and plan.visible else 0
    history = runs_with_this(session, reports.places, code, terminal)
    write_reports(Planned(plan, metadata(plan.header, code), explained, diffs, digest, history), reports.places, terminal)
    require_allowed(plan)
    if options.out:
        words = ["algosync", "apply", options.out]
        words += ["--destination", options.destination] if options.destination else []
        words += ["--state", options.state] if options.state != "state" else []
        words += [word for guard in sorted({*targets.allow}) for word in ("--allow", guard)]  # the file allows nothing by itself
        again = terminal.redact(printable(shlex.join(words), 1000))
        terminal.tell(f"Saved the plan to {printable(options.out)}. This does exactly these actions: {again}")
    elif plan.visible and reports.places["-"] == "text":
        terminal.result(f"\n{_NOT_SAVED}")
    raise typer.Exit(code)


def asked_diffs(plan: Plan, session: CommandSession, targets: ScopeOptions) -> tuple[FileDiff, ...]:
    """The diffs of the sources that change, if they were asked for."""
    from algosync.kinds import source_diffs

    return tuple(source_diffs(plan, session.workflow, session.scene.site)) if targets.diff else ()


def _explained(plan: Plan, session: CommandSession, patterns: Sequence[str]) -> tuple[Explanation, ...]:
    """UsageError: a pattern names nothing in the plan."""
    from algosync.core.error import UsageError
    from algosync.core.planning.explanation import explanations
    from algosync.core.planning.target import UnknownTarget

    try:
        return tuple(explanations(plan, session.ledger.records, patterns))
    except UnknownTarget as error:
        raise UsageError(f"--explain: {error}", hint=error.hint) from None


def _with_digests(plan: Plan, session: CommandSession, pin: PinBy, terminal: Terminal) -> Plan:
    """The plan with the digests of the files that it would upload."""
    from algosync.engine.pinning import pinned

    with terminal.reading("the files to upload"):
        return pinned(plan, session.workflow, session.scene, stamps=pin is PinBy.STAMP)


def make_session_plan(session: CommandSession, choice: Choice, terminal: Terminal, saved: PlanFile | None = None) -> Plan:
    """Observe the clusters and make the plan, with the refusals of the guards. UsageError: a target names nothing.

    `saved`: a plan that was saved before. What it has read is not read again where nothing has changed.
    """
    from algosync.cli.remembered_results import known_failures
    from algosync.core.error import UsageError
    from algosync.core.planning.guards import Situation, guarded
    from algosync.core.planning.target import Mode, UnknownTarget
    from algosync.core.testing.idle_rules import idle_rule_warnings
    from algosync.sources.called_algorithms import call_warnings

    scene, selection, recorded = session.scene, choice.selection, session.ledger.records
    if saved:
        from algosync.engine.pinning import with_known_digests

        scene = with_known_digests(scene, saved.saved.plan.changes)
    if selection.mode is Mode.REFRESH:
        from algosync.engine.refresh import make_refresh_plan as make
    else:
        from algosync.engine.plan import make_plan as make
    try:
        with terminal.reading("both clusters" if selection.mode is Mode.APPLY else "the destination"):
            plan = make(session.workflow, scene, recorded, session.header, selection)
    except UnknownTarget as error:
        raise UsageError(str(error), hint=error.hint) from None
    plan = guarded(plan, Situation(session.workflow, recorded, session.same_cluster, choice.allowed))
    plan = replace(plan, failing=known_failures(session, plan, terminal))
    if plan.compared and selection.mode is Mode.APPLY:
        calls = session.scene.site.sources.calls
        callers = {c.address.algorithm for c in plan.visible if saved is None or c.address.algorithm in calls}
        terminal.tell_lines(idle_rule_warnings(session.workflow))
        terminal.tell_lines(call_warnings(session.workflow, callers, calls))
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


def metadata(header: PlanHeader, exit_code: int | None = None) -> Mapping[str, Json]:
    """The only part of a JSON document that may differ between two equal plans. `exit_code`: if it is known."""
    from algosync.cli.report_output import document_metadata

    known = {} if exit_code is None else {"exit_code": exit_code}
    return {**document_metadata(), **known, "workflow": header.workflow, "state": header.state}
