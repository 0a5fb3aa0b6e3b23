"""Run log: notes what a command does, and adds it to the history beside the state when the exit code is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from algosync.core.event import StepDone, StepFailed
from algosync.core.lean import dataclass
from algosync.core.planning.schedule import Verb
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.summary_file import Summary
    from algosync.cli.terminal import Terminal
    from algosync.core.event import Event
    from algosync.core.ports import Ledger
    from algosync.core.report import Report
    from algosync.core.results.past_run import PastRun, PublishedVersion
    from algosync.state import ResultsDocument
    from algosync.state.results_document import Change

__all__ = ["RunLog", "ci_run", "keep_log"]

_LONGEST = 100  # characters of a text from the environment


@dataclass(slots=True)
class RunLog:
    """What one command has done so far. It goes into the history if `begun`: a refused or declined plan has done nothing.

    `counts`: as of `PastRun`. `summary`: of the plan that is carried out; None: there is none. `exit_code`: of this workflow alone;
    None: that of the command. `ci`: as of `PastRun`.
    """

    command: str = ""
    workflow: str = ""
    begun: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    versions: list[PublishedVersion] = field(default_factory=list)
    summary: Summary | None = None
    exit_code: int | None = None
    ci: str = ""
    started_at: str = ""
    started: float = field(default_factory=time.monotonic)

    def begin(self, **counts: int) -> None:
        """From now on the command is worth an entry. `counts`: what is known already."""
        self.begun = True
        self.counts |= counts

    def note(self, event: Event, ledger: Ledger) -> None:
        """Counts tests, and keeps published versions. `ledger`: has their commits."""
        match event:
            case StepDone(step=step) if step.verb is Verb.TEST:
                self._count("tests_passed")
            case StepFailed(step=step) if step.verb is Verb.TEST:
                self._count("tests_failed")
            case StepDone(step=step, detail=number) if step.verb is Verb.PUBLISH:
                self._count("published")
                self.versions.append(_published(step.address.algorithm, number, ledger))
            case _:
                pass

    def ended(self, exit_code: int, redact: Callable[[str], str]) -> Mapping[str, Change]:
        """What adds the entry to the history, for a write together with other sections. Nothing is added later.

        `exit_code`: of this workflow alone.
        """
        from algosync.state.history import run_added

        self.begun, self.exit_code = False, exit_code
        return run_added(self.entry(exit_code, redact))

    def entry(self, exit_code: int, redact: Callable[[str], str]) -> PastRun:
        """The entry of the history, without secrets. `exit_code`: of the command."""
        from dataclasses import replace

        from algosync.core.results.past_run import PastRun
        from algosync.state import signer

        report = self.summary.report() if self.summary else None
        counts = {**self.counts, **(_resources(report) if report else {})}
        return PastRun(
            command=self.command,
            workflow=redact(self.workflow),
            by=redact(signer()),
            at=self.started_at,
            seconds=time.monotonic() - self.started,
            exit_code=exit_code if self.exit_code is None else self.exit_code,
            ci=redact(self.ci),
            counts=counts,
            versions=tuple(replace(each, algorithm=redact(each.algorithm)) for each in self.versions),
        )

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _published(algorithm: str, number: str, ledger: Ledger) -> PublishedVersion:
    from algosync.core.address import Address
    from algosync.core.results.past_run import PublishedVersion

    record = ledger.records.get(Address("version", algorithm))
    stamp = record.destination_stamp if record is not None else None
    recorded, _, commit = (stamp or "").partition("@")
    return PublishedVersion(algorithm, number, commit if recorded == number else "")


def _resources(report: Report) -> Mapping[str, int]:
    """As the last line of `apply` counts them."""
    from algosync.core.planning.change import Action

    counted = (("added", Action.CREATE), ("changed", Action.UPDATE), ("destroyed", Action.DELETE))
    completed = report.completed()
    return {name: completed[action] for name, action in counted}


def keep_log(log: RunLog, document: ResultsDocument, environ: Mapping[str, str], terminal: Terminal) -> RunLog:
    """The log of a command that starts now. It is added to the history when the command ends, whatever its outcome.

    A failure to do so is a warning. `document`: has the history.
    """
    from algosync.kinds.context import utc_now

    log.started_at, log.ci = utc_now(), ci_run(environ)

    def write(exit_code: int) -> None:
        if not log.begun:
            return
        from algosync.state.history import History

        if warning := History(document).add(log.entry(exit_code, terminal.redact)):
            terminal.tell(f"Warning: {printable(warning)}")

    terminal.endings.append(write)
    return log


def ci_run(environ: Mapping[str, str]) -> str:
    """The run of the CI system that this process is part of; empty: none that is known."""
    for name, variable in (("GitHub run", "GITHUB_RUN_ID"), ("GitLab pipeline", "CI_PIPELINE_ID")):
        if number := environ.get(variable, "").strip():
            return f"{name} {printable(number, _LONGEST)}"
    return ""
