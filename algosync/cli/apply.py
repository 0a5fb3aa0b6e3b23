"""`algosync apply`: the plan, approval, the changes, the tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.plan import planned
from algosync.cli.stage import Stage, opened

if TYPE_CHECKING:
    from algosync.core.plan import Plan
    from algosync.core.report import Report
    from algosync.views.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal, *, targets: list[str], auto_approve: bool, no_input: bool) -> None:
    from algosync.core.error import ApplyIncomplete, StateError
    from algosync.views.plan import show_header, show_plan
    from algosync.views.report import show_report

    stage: Stage | None = None
    try:
        with opened(choice, terminal, writes=True) as stage:
            plan = planned(stage, targets, terminal)
            show_header(plan, terminal)
            show_plan(plan, terminal)
            if plan.visible and not auto_approve:
                _ask(terminal, no_input=no_input or bool(choice.environ.get("CI")))
            terminal.result()
            report = _carry_out(plan, stage, terminal)
    except StateError as error:
        if stage is None or not stage.session.wrote:
            raise
        raise ApplyIncomplete(error.message, hint=error.hint) from error
    show_report(report, terminal)
    raise typer.Exit(report.exit_code)


def _carry_out(plan: Plan, stage: Stage, terminal: Terminal) -> Report:
    from algosync.core.report import fold
    from algosync.engine.apply import apply
    from algosync.views.progress import watch

    events = apply(plan, stage.workflow, stage.scene, stage.session)
    return fold(watch(events, terminal), lambda: stage.session.wrote)


def _ask(terminal: Terminal, *, no_input: bool) -> None:
    from algosync.core.error import AlgosyncError

    if no_input or not sys.stdin.isatty():
        raise AlgosyncError("nobody is there to approve", hint="use --auto-approve, or run it on a terminal")
    terminal.result()
    terminal.result(terminal.paint("Do you want to perform these actions?", "bold"))
    terminal.result("  Only 'yes' will be accepted to approve.")
    try:
        answer = input("  Enter a value: ")
    except EOFError:
        answer = ""
    if answer.strip() != "yes":
        raise AlgosyncError("apply was not approved; nothing was changed")
