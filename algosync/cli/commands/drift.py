"""`algosync drift`: show how the destination differs from what was last applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from algosync.cli.command import command
from algosync.cli.drifting.options import ReadingOptions
from algosync.cli.notify.options import NotifyOptions
from algosync.cli.options import CompareOptions, ReportOptions
from algosync.cli.report_output import write_reports
from algosync.cli.terminal import Terminal

__all__ = ["drift"]


@command
def drift(
    terminal: Terminal,
    reports: ReportOptions,
    options: CompareOptions,
    bytes_read: ReadingOptions,
    _notify: NotifyOptions,
    with_tests: Annotated[
        bool, typer.Option("--with-tests", help="Run all tests on what is published, and report answers that changed.")
    ] = False,
) -> None:
    """Show how the destination differs from what was last applied. Changes nothing; exit 2 if it differs, or if a test failed."""
    from algosync.cli.commands.plan import metadata
    from algosync.cli.drifting.seen import reading_of, seen_before
    from algosync.cli.history.shown import runs_with_this
    from algosync.cli.live import reading
    from algosync.cli.remembered_results import known_failures
    from algosync.cli.session import Needs, command_session
    from algosync.cli.testing.behaviour import tested_again
    from algosync.core.error import AlgosyncError
    from algosync.core.planning.change import Drift, Finding
    from algosync.core.planning.diff import comparable, redacted_attributes
    from algosync.core.planning.plan import plan_of_checks
    from algosync.engine.drift import examine, in_progress, managed_by
    from algosync.views.subject import Drifted

    with command_session(options, terminal, Needs("drift", source=False, secrets=with_tests)) as session:
        checks = plan_of_checks(session.workflow, session.header)
        failures = known_failures(session, checks, terminal)
        if not session.ledger.records and not failures:
            raise AlgosyncError("this workflow was never applied to this destination", hint="run algosync apply first")
        tested: tuple[Finding, ...] = ()
        if with_tests:
            tested, failures = tested_again(session, terminal), known_failures(session, checks, terminal)
        with reading(terminal, "the destination"):
            examined = examine(session.workflow, session.scene, session.ledger.records, reading_of(session, bytes_read, terminal))
        managed = managed_by(session.workflow, session.ledger.records)
        compared = comparable(examined.findings) if session.stand_ins else examined.findings
        undecided = {finding.address for finding in examined.findings} - {finding.address for finding in compared}
        findings = in_progress(compared, session.in_progress)
        failing = (Finding(f.address, Drift.FAILING, reason=f.reason, since=f.since) for f in failures)
        hidden = redacted_attributes({address: session.ledger.records[address] for address in managed})
        findings = tuple(sorted((*findings, *failing, *tested), key=lambda finding: finding.address))
        session.log.begin(findings=sum(finding.drift.differs for finding in findings))
        unproven = {*undecided, *(() if with_tests else (check.address for check in checks.checks))}
        findings = seen_before(replace(examined, findings=findings), session, unproven, terminal)
    kinds = {finding.drift for finding in findings}
    code = 1 if Drift.UNKNOWN in kinds else 2 if any(kind.differs for kind in kinds) else 0
    meta = metadata(session.header, code)
    drifted = Drifted(session.header, findings, meta, managed, hidden, examined.coverage, examined.notes)
    drifted = replace(drifted, history=runs_with_this(session, reports.places, code, terminal))
    write_reports(drifted, reports.places, terminal)
    raise typer.Exit(code)
