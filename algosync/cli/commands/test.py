"""`algosync test`: run tests on the published versions."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import typer

from algosync.cli.command import command
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import ClusterOptions, ReportOptions, TargetOptions
from algosync.cli.reporting.run_report import RunReport
from algosync.cli.terminal import Terminal
from algosync.cli.testing.options import TestOptions

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.cli.testing.accepting import Accepting
    from algosync.core.planning.plan import Plan
    from algosync.core.report import Report

__all__ = ["test"]


@command
def test(
    terminal: Terminal,
    tests: TestOptions,
    targets: TargetOptions,
    reports: ReportOptions,
    options: ClusterOptions,
    _notify: NotifyOptions,
) -> None:
    """Run the tests on what is published and remember the results. Changes nothing at the destination."""
    from algosync.cli.applying import show_outcome
    from algosync.cli.session import Needs, command_session
    from algosync.core.planning.target import Selection

    with command_session(options, terminal, Needs("test", source=False, selection=Selection(tuple(targets.target)))) as session:
        if tests.record:
            _record(tests.record, session, terminal)
            return
        run = RunReport.of("test", reports.places, terminal)
        terminal = run.terminal
        plan = _plan(tests, targets, session, terminal)
        report, accepting = _run(plan, tests, session, run)
        show_outcome(report, plan, terminal)
        refused = accepting is not None and _accept(accepting, terminal)
        code = report.exit_code or int(refused)
        run.write(plan, report, code, session)
    raise typer.Exit(code)


def _plan(tests: TestOptions, targets: TargetOptions, session: CommandSession, terminal: Terminal) -> Plan:
    """The tests to run, after the plan's header is shown. UsageError: no test fits the options."""
    from functools import partial

    from algosync.cli.remembered_results import known_failures
    from algosync.cli.testing.accepting import has_baseline
    from algosync.cli.testing.context import require_extras
    from algosync.cli.testing.selection import TestSelection, tests_of
    from algosync.views.plan import header_lines

    plan = tests_of(session, targets.target)
    failed = {check.address for check in known_failures(session, plan, terminal)} if tests.only_failed else None
    accept = partial(has_baseline, cases=session.scene.site.cases) if tests.accept else None
    chosen = TestSelection(tuple(tests.filter), failed, bench=tests.bench, accept=accept).of(plan)
    require_extras(chosen)
    terminal.result_lines(header_lines(plan.header, terminal.redact))
    if not chosen.checks:
        terminal.result("No test failed when it last ran." if plan.checks else "The workflow has no tests.")
    return chosen


def _run(plan: Plan, tests: TestOptions, session: CommandSession, run: RunReport) -> tuple[Report, Accepting | None]:
    """Runs the tests of a plan. What collects the answers to accept, if that is asked for."""
    from dataclasses import replace

    from algosync.cli.live import watch
    from algosync.cli.remembered_results import remembering
    from algosync.cli.testing.context import accepting_answers, with_answers
    from algosync.core.report import fold
    from algosync.engine.apply import apply

    context, terminal = session.scene.site, run.terminal
    accepting = None
    if tests.accept:
        context, accepting = accepting_answers(context, session.workflow, terminal)
    elif tests.show_answers:
        context = with_answers(context)
    scene = replace(session.scene, site=context)
    run.begin(plan)
    with (
        closing(apply(plan, session.workflow, scene, session.ledger)) as events,
        closing(remembering(watch(run.watching(events), terminal, answers=tests.show_answers), session, terminal)) as told,
    ):
        return fold(accepting.watching(told) if accepting else told, lambda: False), accepting


def _accept(accepting: Accepting, terminal: Terminal) -> bool:
    """Writes the baselines. True: one of them is refused."""
    from algosync.cli.report_output import replace_file
    from algosync.views.accepted import accepted_lines

    files = accepting.write(replace_file)
    terminal.result_lines(accepted_lines(files, terminal.redact))
    return any(file.refused for file in files)


def _record(asked: tuple[str, str], session: CommandSession, terminal: Terminal) -> None:
    """Calls the published version, and writes the answer as a case. Error: there is none, or it holds a sensitive value."""
    from pathlib import Path

    from algosync.cli.report_output import replace_file
    from algosync.cli.testing.recording import append, recording_of
    from algosync.core.error import AlgosyncError
    from algosync.core.text import printable
    from algosync.kinds.testing.caller import AlgorithmCaller
    from algosync.kinds.testing.target import target_of

    recording = recording_of(*asked, session.workflow)
    spec, context, check = session.workflow.algorithm(recording.algorithm), session.scene.site, recording.check
    target = target_of(check, spec, context)
    row = recording.row(AlgorithmCaller(target, context).answer(check.case))
    if terminal.holds(row):
        raise AlgosyncError("the payload or the answer holds a sensitive value, which must not be in a file")
    append(Path(session.workflow.folder) / recording.path, row, replace_file)
    terminal.result(f"Called {printable(str(target))}, and added to {printable(recording.path)}:")
    terminal.result(f"  {printable(row.strip(), 1000)}")
    terminal.result_lines(recording.lines_for(session.workflow))
