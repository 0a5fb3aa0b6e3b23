"""`algosync apply`: show the plan, ask for approval, make the changes, run the tests."""

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.help import RARE
from algosync.cli.options import AutoApprove, CompareOptions, LockTimeout, ScopeOptions, SelectionOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosync.cli.session import CommandSession
    from algosync.core.planning.plan import Plan
    from algosync.core.report import Report

__all__ = ["ApprovedOptions", "apply", "carry_out_plan"]

_TEST_FAILED = 3


@dataclass(frozen=True, slots=True)
class ApprovedOptions(CompareOptions):
    """Options of the commands that ask for approval."""

    auto_approve: AutoApprove = False


@dataclass(frozen=True, slots=True)
class ApplyOptions(ApprovedOptions):
    """Options of `apply` alone."""

    build_timeout: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="How long to wait for one build.", rich_help_panel=RARE)
    ] = 1800
    lock_timeout: LockTimeout = 0
    keep_dir: Annotated[
        str,
        typer.Option(
            metavar="DIR",
            help="Where previous bytes of overwritten data files are kept until the new version is published. Default: the user's "
            "cache.",
            show_default=False,
            rich_help_panel=RARE,
        ),
    ] = ""


@command
def apply(terminal: Terminal, targets: SelectionOptions, options: ApplyOptions) -> None:
    """Make the needed changes and run the tests. Every algorithm is tested before it is published."""
    carry_out_plan(terminal, targets, options)


def carry_out_plan(terminal: Terminal, targets: ScopeOptions, options: ApprovedOptions) -> None:
    """Plan, ask for approval and apply; ends the command. PlanRefused, or Several of them: guards refuse the plan."""
    from algosync.cli.commands.plan import make_session_plan, masked_for, metadata, require_allowed
    from algosync.views.report import closing_lines, failure_lines, outcome_lines
    from algosync.views.subject import Planned

    with _apply_session(options, terminal, targets) as session:
        plan = make_session_plan(session, targets, terminal)
        terminal.show(Planned(masked_for(terminal, plan), metadata(plan.header)), "text")
        require_allowed(plan)
        if len(plan.visible) > len(plan.held()) and not options.auto_approve:
            _ask(plan, options, terminal)
        terminal.result()
        report = _carry_out(plan, session, terminal)
    terminal.result_lines(outcome_lines(report, plan))
    terminal.tell_lines(failure_lines(report, terminal.redact))
    terminal.result_lines(closing_lines(report, plan))
    raise typer.Exit(report.exit_code or (_TEST_FAILED if plan.held() else 0))


@contextmanager
def _apply_session(options: ApprovedOptions, terminal: Terminal, targets: ScopeOptions) -> "Iterator[CommandSession]":
    """A session that writes. ApplyIncomplete: something failed after something was written."""
    from algosync.cli.internal_error import internal_error
    from algosync.cli.session import Needs, command_session
    from algosync.core.error import AlgosyncError, ApplyIncomplete

    session: CommandSession | None = None
    try:
        with command_session(options, terminal, Needs.of(targets.selection, writes=True)) as session:
            yield session
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if session is None or not session.ledger.wrote:
            raise
        cause = error if isinstance(error, AlgosyncError) else internal_error(error)
        raise ApplyIncomplete(cause.message, hint=cause.hint) from error


def _carry_out(plan: "Plan", session: "CommandSession", terminal: Terminal) -> "Report":
    from algosync.cli.interrupt import Signalled
    from algosync.cli.live import watch
    from algosync.cli.remembered_results import remembering
    from algosync.core.report import fold
    from algosync.engine.apply import apply

    # Close the events before the session ends, because closing waits for the workers: the state must stay locked while they write.
    with closing(apply(plan, session.workflow, session.scene, session.ledger)) as events:
        try:
            with closing(remembering(watch(events, terminal), session, terminal)) as told:
                return fold(told, lambda: session.ledger.wrote)
        except Signalled:
            terminal.tell("Everything done so far is recorded; run the same command again to continue from here.")
            raise


def _ask(plan: "Plan", options: ApprovedOptions, terminal: Terminal) -> None:
    from algosync.cli.approval import can_prompt, require_approval
    from algosync.core.planning.target import Mode

    questions = {
        Mode.APPLY: "Do you want to perform these actions?",
        Mode.DESTROY: "Do you really want to destroy all these resources? They cannot be restored.",
        Mode.REFRESH: "Do you want to take this into the record?",
    }
    prompt = can_prompt(terminal, options.environ, no_input=options.no_input)
    question = "\n" + terminal.paint(questions[plan.mode], "bold")
    require_approval(question, "apply was not approved; nothing was changed", terminal, prompt=prompt)
