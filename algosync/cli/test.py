"""`algosync test`: every payload and every workflow test on what is published now."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import typer

from algosync.cli.choice import Choice
from algosync.cli.stage import opened

if TYPE_CHECKING:
    from algosync.views.terminal import Terminal

__all__ = ["run"]


def run(choice: Choice, terminal: Terminal, *, targets: list[str]) -> None:
    from algosync.core.error import UsageError
    from algosync.core.plan import plan_of_checks, targeted
    from algosync.core.report import fold
    from algosync.engine.apply import apply
    from algosync.views.plan import show_header
    from algosync.views.progress import watch
    from algosync.views.report import show_failures, show_tests

    with opened(choice, terminal, writes=False, needs_source=False) as stage:
        try:
            plan = targeted(plan_of_checks(stage.workflow, stage.header), targets)
        except ValueError as error:
            raise UsageError(str(error)) from None
        show_header(plan.header, terminal)
        if not plan.checks:
            terminal.result("The workflow has no tests.")
        with closing(apply(plan, stage.workflow, stage.scene, stage.session)) as events:
            report = fold(watch(events, terminal), lambda: False)
    show_tests(report, plan, terminal)
    show_failures(report, terminal)
    raise typer.Exit(report.exit_code)
