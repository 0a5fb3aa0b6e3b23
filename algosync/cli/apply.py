"""`algosync apply`: the plan, approval, the changes, the tests."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.interrupt import Signalled
from algosync.cli.plan import meta_of, planned, shown
from algosync.cli.stage import Stage, opened

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.plan import Plan
    from algosync.core.report import Report

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal, *, targets: list[str], auto_approve: bool, no_input: bool) -> None:
    from algosync.cli.fault import fault_in_algosync
    from algosync.core.error import AlgosyncError, ApplyIncomplete
    from algosync.views.report import closing_lines, failure_lines, outcome_lines
    from algosync.views.subject import Planned

    stage: Stage | None = None
    try:
        with opened(choice, terminal, writes=True) as stage:
            plan = planned(stage, targets, terminal)
            terminal.show(Planned(shown(plan, terminal), meta_of(plan.header)), "text")
            if plan.visible and not auto_approve:
                _ask(terminal, no_input=no_input or bool(choice.environ.get("CI")))
            terminal.result()
            report = _carry_out(plan, stage, terminal)
    except AlgosyncError as error:
        if stage is None or not stage.session.wrote:
            raise
        raise ApplyIncomplete(error.message, hint=error.hint) from error
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if stage is None or not stage.session.wrote:
            raise
        fault = fault_in_algosync(error)
        raise ApplyIncomplete(fault.message, hint=fault.hint) from error
    terminal.result_lines(outcome_lines(report, plan))
    terminal.tell_lines(failure_lines(report))
    terminal.result_lines(closing_lines(report, plan))
    raise typer.Exit(report.exit_code)


def _carry_out(plan: Plan, stage: Stage, terminal: Terminal) -> Report:
    from algosync.cli.live import watch
    from algosync.core.report import fold
    from algosync.engine.apply import apply

    # Closed here whatever happens above it: the state must not be unlocked while anything is still written.
    with closing(apply(plan, stage.workflow, stage.scene, stage.session)) as events:
        try:
            return fold(watch(events, terminal), lambda: stage.session.wrote)
        except Signalled:
            terminal.tell("What is done is recorded; running the same command again continues from here.")
            raise


def _ask(terminal: Terminal, *, no_input: bool) -> None:
    from algosync.core.error import AlgosyncError

    # On stderr: where the plan is piped or kept in a file, the question must still be seen.
    if no_input or not sys.stdin.isatty() or not terminal.err.isatty():
        raise AlgosyncError("nobody is there to approve", hint="use --auto-approve, or run it on a terminal")
    terminal.tell()
    terminal.tell(terminal.paint("Do you want to perform these actions?", "bold"))
    terminal.tell("  Only 'yes' will be accepted to approve.")
    terminal.err.write("  Enter a value: ")
    terminal.err.flush()
    answer = sys.stdin.readline()
    if answer.strip() != "yes":
        raise AlgosyncError("apply was not approved; nothing was changed")
