"""Applying: a plan is approved and carried out, by any command that makes one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from algosync.cli.options import ClusterOptions
    from algosync.cli.reporting.run_report import RunReport
    from algosync.cli.session import CommandSession, Needs
    from algosync.cli.summary_file import Summary
    from algosync.cli.terminal import Terminal
    from algosync.core.planning.plan import Plan
    from algosync.core.report import Report

__all__ = ["approve", "carried_out", "show_outcome", "show_report", "writing_session"]


@contextmanager
def writing_session(options: ClusterOptions, terminal: Terminal, needs: Needs) -> Iterator[CommandSession]:
    """A session that writes. ApplyIncomplete: something failed after something was written."""
    from algosync.cli.internal_error import internal_error
    from algosync.cli.session import command_session
    from algosync.core.error import AlgosyncError, ApplyIncomplete

    session: CommandSession | None = None
    try:
        with command_session(options, terminal, needs) as session:
            yield session
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if session is None or not session.ledger.wrote:
            raise
        cause = error if isinstance(error, AlgosyncError) else internal_error(error)
        raise ApplyIncomplete(cause.message, hint=cause.hint) from error


def approve(question: str, terminal: Terminal, environ: Mapping[str, str], *, no_input: bool) -> None:
    """AlgosyncError: the user does not approve, or cannot be asked."""
    from algosync.cli.approval import can_prompt, require_approval

    prompt = can_prompt(terminal, environ, no_input=no_input)
    declined = "it was not approved; nothing was changed"
    require_approval("\n" + terminal.paint(question, "bold"), declined, terminal, prompt=prompt)


def carried_out(
    plan: Plan, session: CommandSession, terminal: Terminal, summary: Summary | None = None, run: RunReport | None = None
) -> Report:
    """Makes the changes of the plan and runs its tests, and shows what happens. `summary` and `run` take note of it.

    UsageError: a test needs a library that is not installed; nothing was changed.
    """
    from algosync.cli.interrupt import Signalled
    from algosync.cli.live import watch
    from algosync.cli.remembered_results import remembering
    from algosync.cli.summary_file import Summary
    from algosync.cli.testing.context import require_extras
    from algosync.cli.transferring.totals import TransferTotals
    from algosync.core.read_back import ReadBack
    from algosync.core.report import fold
    from algosync.engine.apply import apply, schedule_of
    from algosync.views.report import interrupted_line

    require_extras(plan)
    session.log.summary = summary = summary or Summary(session.log.command)
    # Close the events before the session ends, because closing waits for the workers: the state must stay locked while they write.
    with closing(apply(plan, session.workflow, session.scene, session.ledger)) as events:
        try:
            if run is not None:
                run.begin(plan)
            steps = schedule_of(plan, session.scene).steps
            totals = TransferTotals(steps, reads_back=session.scene.site.read_back is ReadBack.FULL)
            watched = watch(events if run is None else run.watching(events), terminal, totals=totals)
            noted = summary.noting(watched, steps)
            with closing(remembering(noted, session, terminal)) as told:
                return fold(told, lambda: session.ledger.wrote)
        except Signalled:
            terminal.tell(interrupted_line(approved=run is not None and run.approved, wrote=session.ledger.wrote))
            raise


def show_report(report: Report, plan: Plan, terminal: Terminal, *, approved: bool = False) -> None:
    """`approved`: the plan was approved before, as a saved plan or by its digest."""
    from algosync.views.report import closing_lines

    show_outcome(report, plan, terminal, closing=tuple(closing_lines(report, plan, approved=approved)))


def show_outcome(report: Report, plan: Plan, terminal: Terminal, closing: Sequence[str] = ()) -> None:
    """Shows the tests and the failures, and last the lines of `closing`."""
    from algosync.views.report import failure_lines, outcome_lines

    terminal.result_lines(outcome_lines(report, plan))
    terminal.tell_lines(failure_lines(report, terminal.redact))
    terminal.result_lines(closing)
