"""Examining: the drift report of one workflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from algosync.core.lean import dataclass
from algosync.core.planning.change import Drift, Finding

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession, Needs
    from algosync.cli.terminal import Terminal
    from algosync.core.planning.coverage import Reading
    from algosync.views.subject import Drifted, Failed

__all__ = ["Look", "drift_code"]


@dataclass(frozen=True, slots=True)
class Look:
    """How closely a drift report looks. `reading`: which bytes it reads. `with_tests`: it runs all tests on what is published.

    `places`: where reports go. If one is a page, it shows the history.
    """

    reading: Reading
    with_tests: bool = False
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> Needs:
        from algosync.cli.session import Needs

        return Needs("drift", source=False, secrets=self.with_tests)

    def after(self, part: Drifted | Failed) -> Look:
        """The look at the next workflow: of the bytes that may be read it has what this report left."""
        from algosync.views.subject import Drifted

        budget = self.reading.budget
        if budget is None or not isinstance(part, Drifted):
            return self
        return replace(self, reading=replace(self.reading, budget=max(budget - sum(part.coverage.read.values()), 0)))

    def at(self, session: CommandSession, terminal: Terminal) -> Drifted:
        """The report, whose findings and entry of the history are remembered beside the state.

        AlgosyncError: nothing of the workflow was applied to the destination, or the destination does not answer.
        """
        from algosync.cli.commands.plan import metadata
        from algosync.cli.drifting.seen import reading_of, seen_before
        from algosync.cli.history.shown import past_runs
        from algosync.cli.remembered_results import known_failures
        from algosync.cli.state_place import nothing_recorded
        from algosync.cli.testing.behaviour import tested_again
        from algosync.core.planning.diff import comparable, redacted_attributes
        from algosync.core.planning.plan import plan_of_checks
        from algosync.engine.drift import examine, in_progress, managed_by
        from algosync.views.subject import Drifted

        checks = plan_of_checks(session.workflow, session.header)
        failures = known_failures(session, checks, terminal)
        if not session.ledger.records and not failures:
            raise nothing_recorded()
        tested: tuple[Finding, ...] = ()
        if self.with_tests:
            tested, failures = tested_again(session, terminal), known_failures(session, checks, terminal)
        bytes_read = reading_of(session, self.reading, terminal)
        with terminal.reading("the destination"):
            examined = examine(session.workflow, session.scene, session.ledger.records, bytes_read)
        managed = managed_by(session.workflow, session.ledger.records)
        compared = comparable(examined.findings) if session.stand_ins else examined.findings
        undecided = {finding.address for finding in examined.findings} - {finding.address for finding in compared}
        findings = in_progress(compared, session.in_progress)
        failing = (Finding(f.address, Drift.FAILING, reason=f.reason, since=f.since) for f in failures)
        hidden = redacted_attributes({address: session.ledger.records[address] for address in managed})
        findings = tuple(sorted((*findings, *failing, *tested), key=lambda finding: finding.address))
        session.log.begin(findings=sum(finding.drift.differs for finding in findings))
        unproven = {*undecided, *(() if self.with_tests else (check.address for check in checks.checks))}
        code = drift_code(findings)
        findings = seen_before(replace(examined, findings=findings), session, unproven, terminal, exit_code=code)
        meta = metadata(session.header, code)
        history = past_runs(session.results.document, self.places, terminal)
        return Drifted(session.header, findings, meta, managed, hidden, examined.coverage, examined.notes, history)


def drift_code(findings: Iterable[Finding]) -> int:
    """The exit code of a drift report."""
    kinds = {finding.drift for finding in findings}
    return 1 if Drift.UNKNOWN in kinds else 2 if any(kind.differs for kind in kinds) else 0
