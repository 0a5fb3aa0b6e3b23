"""The summary file: what `plan` and `apply` did, in numbers, as one JSON document for a pipeline.

It is written when the exit code is known, also after a failure. It has only numbers, times and words of algosync: gates are in the
order of the tests, without their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.core.event import Event, Measured, StepDone, StepFailed, StepSkipped
    from algosync.core.planning.plan import Plan
    from algosync.core.planning.schedule import Step
    from algosync.core.report import Report
    from algosync.core.resource import Json
    from algosync.core.testing.gate import GateOutcome

__all__ = ["Summary", "summary_for"]


@dataclass(slots=True)
class Summary:
    """What a command has done so far. `plan` is None until there is one, `ends` until the plan is carried out.

    `steps`: all steps of the plan. `ends`: the events of those that ended. The others did not end, because the command was
    interrupted. `gates`: what gates found.
    """

    command: str
    plan: Plan | None = None
    steps: Sequence[Step] = ()
    ends: list[StepDone | StepFailed | StepSkipped] | None = field(default=None, repr=False)
    gates: list[Measured] = field(default_factory=list, repr=False)

    def noting(self, events: Iterable[Event], steps: Sequence[Step]) -> Iterator[Event]:
        """Yields the events, and keeps the last one of each step for the numbers: a long transfer has many others."""
        from algosync.core.event import Measured, StepDone, StepFailed, StepSkipped

        ends: list[StepDone | StepFailed | StepSkipped] = []
        self.ends, self.steps = ends, steps
        for event in events:
            if isinstance(event, (StepDone, StepFailed, StepSkipped)):
                ends.append(event)
            elif isinstance(event, Measured) and event.gate is not None:
                self.gates.append(event)
            yield event

    def document(self, exit_code: int, time: str) -> Json:
        """`time`: ISO 8601 in UTC. What did not happen is null: the counts without a plan, the results of a `plan`."""
        report = self.report()
        return {
            "format_version": "1.0",
            "timestamp": time,
            "command": self.command,
            "exit_code": exit_code,
            "planned": None if self.plan is None else _planned(self.plan),
            "applied": None if self.plan is None or report is None else _applied(self.plan, report),
            "bytes_to_upload": None if self.plan is None else self.plan.upload()[1],
            "bytes_uploaded": None if report is None else _uploaded(report),
            "tests": None if report is None else _tests(report),
        }

    def report(self) -> Report | None:
        """What became of the plan so far. None: it is not carried out."""
        from algosync.core.event import StepSkipped
        from algosync.core.report import fold

        if self.ends is None:
            return None
        ended = {event.step.key for event in self.ends}
        broken_off = (StepSkipped(step, "") for step in self.steps if step.key not in ended)
        return fold([*self.gates, *self.ends, *broken_off], lambda: True)


def summary_for(command: str, file: str, terminal: Terminal) -> Summary:
    """A summary that is written to the file when the command ends. An empty name: it is not written.

    UsageError: the name is a folder's.
    """
    summary = Summary(command)
    if file:
        path = Path(file).absolute()  # also after the command changes to another folder
        if path.is_dir():
            raise UsageError(f"--summary-file {printable(file)} is a folder", hint="name a file")
        terminal.endings.append(_writer(summary, path, terminal))
    return summary


def _writer(summary: Summary, path: Path, terminal: Terminal) -> Callable[[int], None]:
    def write(exit_code: int) -> None:
        from datetime import datetime, timezone

        from algosync.cli.report_output import replace_file
        from algosync.core.redaction import Redactor
        from algosync.views.document import json_text

        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        try:
            replace_file(path, json_text(summary.document(exit_code, now), Redactor()).encode())
        except OSError as error:
            terminal.lost.append(f"--summary-file {printable(str(path))}: {error.strerror or error}")

    return write


def _planned(plan: Plan) -> Json:
    from algosync.core.planning.change import Action

    counted = plan.counted()
    return {action.value: counted[action] for action in Action if action.visible}


def _applied(plan: Plan, report: Report) -> Json:
    """The resources that were completed. Adopting, forgetting and refreshing take no step: they are recorded first."""
    from algosync.core.planning.change import Action

    counted, recorded, completed = plan.counted(), (Action.ADOPT, Action.FORGET, Action.RECORD), report.completed()
    return {a.value: counted[a] if a in recorded else completed[a] for a in Action if a.visible and a is not Action.HOLD}


def _uploaded(report: Report) -> int:
    from algosync.core.planning.schedule import Verb

    sent = (event.step.change for event in report.done if event.step.verb in (Verb.UPLOAD, Verb.OVERWRITE))
    return sum(change.after.size or 0 for change in sent if change is not None and change.after is not None)


def _tests(report: Report) -> Json:
    from algosync.core.event import StepDone, StepFailed

    passed, failed = (sum(isinstance(event, kind) for event in report.tests) for kind in (StepDone, StepFailed))
    found = ((event, report.tallies.get(event.step.address)) for event in report.tests)
    gates: list[Json] = [_gate(tally.gate, passed=isinstance(event, StepDone)) for event, tally in found if tally and tally.gate]
    return {"passed": passed, "failed": failed, "skipped": len(report.tests) - passed - failed, "gates": gates}


def _gate(gate: GateOutcome, *, passed: bool) -> Json:
    """The score over all cases; null where there is none."""
    score = next((score for score in gate.scores if score.part is None), None)
    return {
        "metric": gate.metric,
        "cases": gate.cases,
        "value": score.value if score else None,
        "interval": [score.interval.low, score.interval.high] if score else None,
        "published": score.published if score else None,
        "passed": passed,
    }
