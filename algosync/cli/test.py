"""`algosync test`: run all tests on the published versions."""

from __future__ import annotations

from contextlib import closing

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions, TargetOptions
from algosync.views.terminal import Terminal

__all__ = ["test"]


@command
def test(terminal: Terminal, targets: TargetOptions, options: ClusterOptions) -> None:
    """Run all tests on the published versions. Changes nothing."""
    from algosync.cli.session import command_session
    from algosync.core.error import UsageError
    from algosync.core.plan import plan_of, targeted
    from algosync.core.report import fold
    from algosync.engine.apply import apply
    from algosync.views.plan import show_header
    from algosync.views.progress import watch
    from algosync.views.report import show_failures, show_tests

    with command_session(options, terminal, writes=False, needs_source=False) as session:
        try:
            plan = targeted(plan_of(session.workflow, session.header, compared=False), targets.target)
        except ValueError as error:
            raise UsageError(str(error)) from None
        show_header(plan.header, terminal)
        if not plan.checks:
            terminal.result("The workflow has no tests.")
        with closing(apply(plan, session.workflow, session.scene, session.ledger)) as events:
            report = fold(watch(events, terminal), lambda: False)
    show_tests(report, plan, terminal)
    show_failures(report, terminal)
    raise typer.Exit(report.exit_code)
