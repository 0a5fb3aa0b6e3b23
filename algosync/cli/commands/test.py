"""`algosync test`: run all tests on the published versions."""

from __future__ import annotations

from contextlib import closing

import typer

from algosync.cli.command import command
from algosync.cli.options import ClusterOptions, TargetOptions
from algosync.cli.terminal import Terminal

__all__ = ["test"]


@command
def test(terminal: Terminal, targets: TargetOptions, options: ClusterOptions) -> None:
    """Run all tests on what is published and remember the results. Changes nothing at the destination."""
    from algosync.cli.live import watch
    from algosync.cli.remembered_results import remembering
    from algosync.cli.session import Needs, command_session
    from algosync.core.error import UsageError
    from algosync.core.planning.plan import plan_of_checks, targeted
    from algosync.core.planning.target import Selection, UnknownTarget
    from algosync.core.report import fold
    from algosync.engine.apply import apply
    from algosync.views.plan import header_lines
    from algosync.views.report import failure_lines, outcome_lines

    with command_session(options, terminal, Needs("test", source=False, selection=Selection(tuple(targets.target)))) as session:
        try:
            plan = targeted(plan_of_checks(session.workflow, session.header), targets.target)
        except UnknownTarget as error:
            raise UsageError(str(error), hint=error.hint) from None
        terminal.result_lines(header_lines(plan.header, terminal.redact))
        if not plan.checks:
            terminal.result("The workflow has no tests.")
        with (
            closing(apply(plan, session.workflow, session.scene, session.ledger)) as events,
            closing(remembering(watch(events, terminal), session, terminal)) as told,
        ):
            report = fold(told, lambda: False)
    terminal.result_lines(outcome_lines(report, plan))
    terminal.tell_lines(failure_lines(report, terminal.redact))
    raise typer.Exit(report.exit_code)
