"""`algosync rollback`: publish an earlier version of an algorithm again."""

from dataclasses import field, replace
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.commands.versions import AlgorithmName
from algosync.cli.help import RARE
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import AllowedGuards, AutoApprove, CompareOptions, LockTimeout, ReportOptions, WorkflowOption
from algosync.cli.reporting.run_report import RunReport
from algosync.cli.terminal import Terminal
from algosync.core.lean import dataclass

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.core.planning.guards import Guard
    from algosync.core.planning.plan import Plan

__all__ = ["rollback"]


@dataclass(frozen=True, slots=True)
class RollbackOptions(CompareOptions):
    """The argument is an algorithm, so the workflow is an option."""

    to: Annotated[
        str,
        typer.Option(
            metavar="VERSION", help="The version to publish again. Default: the one before the current one.", show_default=False
        ),
    ] = ""
    allow: AllowedGuards = field(default_factory=list)
    auto_approve: AutoApprove = False
    workflow: WorkflowOption = None
    build_timeout: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="How long to wait for one build.", rich_help_panel=RARE)
    ] = 1800
    lock_timeout: LockTimeout = 0
    keep_dir: Annotated[
        str,
        typer.Option(
            metavar="DIR",
            help="Where an interrupted apply kept previous bytes of data files. Default: the user's cache.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = ""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The choices of a user. `number`: the version to publish again. Empty: the one before the current one.

    `allowed`: the guards that do not refuse the plan.
    """

    algorithm: str
    number: str = ""
    allowed: "frozenset[Guard]" = frozenset()


@command
def rollback(
    terminal: Terminal, algorithm: AlgorithmName, reports: ReportOptions, options: RollbackOptions, _notify: NotifyOptions
) -> None:
    """Publish an earlier version again. Its source and settings become a new version, which is tested first."""
    from algosync.cli.applying import approve, carried_out, show_report, writing_session
    from algosync.cli.commands.plan import masked_for, metadata, require_allowed
    from algosync.cli.session import Needs
    from algosync.core.planning.guards import guards_named
    from algosync.core.planning.target import Selection
    from algosync.core.report import Report
    from algosync.views.plan import header_lines, note_lines
    from algosync.views.subject import Planned

    run = RunReport.of("rollback", reports.places, terminal)
    terminal = run.terminal
    choice = _Choice(algorithm, options.to, guards_named(options.allow))
    needs = Needs("rollback", writes=True, source=False, selection=Selection((algorithm,)))
    with writing_session(options, terminal, needs) as opened:
        session, plan = _planned(opened, choice, terminal)
        if not plan.visible:
            terminal.result_lines(header_lines(plan.header, terminal.redact))
            terminal.result(f"Nothing to roll back: what is published of {algorithm} is equal.")
            terminal.result_lines(note_lines(plan, terminal.redact))  # data may differ all the same
            nothing = replace(plan, checks=())  # no test runs
            run.begin(nothing)
            run.write(nothing, Report(), 0, session)
            return
        terminal.show(Planned(masked_for(terminal, plan), metadata(plan.header)), "text")
        require_allowed(plan)
        if not options.auto_approve:
            question = "Do you want to publish this version again?"
            approve(question, terminal, options.environ, no_input=options.no_input)
        terminal.result()
        report = carried_out(plan, session, terminal, run=run)
    show_report(report, plan, terminal)
    run.write(plan, report, report.exit_code, session)
    raise typer.Exit(report.exit_code)


def _planned(session: "CommandSession", choice: _Choice, terminal: Terminal) -> "tuple[CommandSession, Plan]":
    """The session in which the earlier version takes the place of the source, and the plan with the refusals of the guards."""
    from algosync.cli.commands.versions import versions_of
    from algosync.cli.remembered_results import known_failures
    from algosync.core.planning.guards import Situation, guarded
    from algosync.engine.rollback import make_rollback_plan, rollback_workflow
    from algosync.kinds.rollback import EarlierVersion, LeftData, cannot_be_put_back, earlier_version, rollback_context

    algorithm, workflow, scene = choice.algorithm, session.workflow, session.scene
    _require_recorded(algorithm, session)
    with terminal.reading("the destination"):
        earlier = EarlierVersion.of(versions_of(algorithm, session), algorithm, choice.number)
        spec = earlier_version(workflow.algorithm(algorithm), earlier.target, scene.site)
        context = rollback_context(scene.site, spec, earlier)
        kinds = {**scene.kinds, "data": LeftData()}
        scene = replace(scene, kinds=kinds, performers={**scene.performers, **kinds}, site=context)
        notes = cannot_be_put_back(spec, earlier, context)
        header = replace(session.header, source=f"version {earlier.target.number} of {algorithm}, from its own repository")
        plan = make_rollback_plan(rollback_workflow(workflow, spec), scene, session.ledger.records, header, notes)
    plan = guarded(plan, Situation(workflow, session.ledger.records, session.same_cluster, choice.allowed))
    # Results of tests are remembered for the whole workflow.
    specs = tuple(spec if each.name == algorithm else each for each in workflow.algorithms)
    session = replace(session, workflow=replace(workflow, algorithms=specs), scene=scene, header=header)
    return session, replace(plan, failing=known_failures(session, plan, terminal))


def _require_recorded(algorithm: str, session: "CommandSession") -> None:
    """UsageError: the workflow does not have the algorithm. AlgosyncError: it was never applied here."""
    from algosync.core.address import Address
    from algosync.core.error import AlgosyncError, UsageError
    from algosync.core.planning.target import UnknownTarget

    if algorithm not in session.workflow.depends_on:
        error = UnknownTarget.unnamed([algorithm], list(session.workflow.depends_on))
        raise UsageError(str(error), hint=error.hint)
    missing = [kind for kind in ("algorithm", "source", "version") if Address(kind, algorithm) not in session.ledger.records]
    if missing:
        message = f"{algorithm} cannot be rolled back: no record of its {' and '.join(missing)}"
        raise AlgosyncError(message, hint=f"algosync import {algorithm} records what is there, algosync apply applies the workflow")
