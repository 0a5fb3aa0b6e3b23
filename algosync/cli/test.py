"""`algosync test`: every payload and every workflow test on what is published now."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.stage import opened

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal, *, targets: list[str]) -> None:
    from algosync.cli.live import watch
    from algosync.core.error import UsageError
    from algosync.core.plan import plan_of_checks, targeted
    from algosync.core.report import fold
    from algosync.engine.apply import apply
    from algosync.views.plan import header_lines
    from algosync.views.report import failure_lines, outcome_lines

    with opened(choice, terminal, writes=False, needs_source=False) as stage:
        try:
            plan = targeted(plan_of_checks(stage.workflow, stage.header), targets)
        except ValueError as error:
            raise UsageError(str(error)) from None
        terminal.result_lines(header_lines(plan.header))
        if not plan.checks:
            terminal.result("The workflow has no tests.")
        with closing(apply(plan, stage.workflow, stage.scene, stage.session)) as events:
            report = fold(watch(events, terminal), lambda: False)
    terminal.result_lines(outcome_lines(report, plan))
    terminal.tell_lines(failure_lines(report))
    raise typer.Exit(report.exit_code)
