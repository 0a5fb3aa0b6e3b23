"""Report: the result of an apply, as a fold over its events. The exit code is a function of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field

from algosync.core.address import Address
from algosync.core.error import TestFailed, TimedOut
from algosync.core.event import CaseDone, Event, Measured, StepDone, StepFailed, StepSkipped
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.answer import Called, CaseResult
from algosync.core.testing.gate import GateOutcome
from algosync.core.testing.timing import Timing

__all__ = ["CallTally", "Report", "fold"]

_FINE, _ERROR, _TEST_FAILED, _INCOMPLETE = 0, 1, 3, 4
_KEPT_FAILURES = 100  # of one test


@dataclass(frozen=True, slots=True)
class CallTally:
    """The calls of one test. `failures`: the first 100 that failed. `called` and `timing` are None if it ended early.

    `gate`: what a gate found. None: the test is none, or ended early.
    """

    calls: int = 0
    failed: int = 0
    failures: tuple[CaseResult, ...] = ()
    called: Called | None = None
    timing: Timing | None = None
    gate: GateOutcome | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The steps that were done, that failed, and that were skipped because of it, each in the order of events.

    `wrote`: a remote write succeeded, or may have succeeded. `tallies`: the calls of each test that made some.
    """

    done: tuple[StepDone, ...] = ()
    failed: tuple[StepFailed, ...] = ()
    skipped: tuple[StepSkipped, ...] = ()
    wrote: bool = False
    tallies: Mapping[Address, CallTally] = field(default_factory=dict)

    def completed(self) -> Counter[Action]:
        """How many resources were created, updated and so on: all their steps succeeded, and it was not put back."""
        published = {e.step.address.algorithm for e in self.published}
        put_back = (e.step.address for e in self.done if e.step.verb is Verb.RESTORE)
        broken = {step.address for step in self._unfinished} | {a for a in put_back if a.algorithm not in published}
        changes = {e.step.address: e.step.change for e in self.done if e.step.change}
        return Counter(change.action for a, change in changes.items() if a not in broken)

    @property
    def published(self) -> tuple[StepDone, ...]:
        """The published versions; `detail` is the number."""
        return tuple(e for e in self.done if e.step.verb is Verb.PUBLISH)

    @property
    def unpublished(self) -> tuple[str, ...]:
        """The algorithms whose new version was to be published, and was not."""
        return tuple(dict.fromkeys(step.address.algorithm for step in self._unfinished if step.verb is Verb.PUBLISH))

    @property
    def tests(self) -> tuple[StepDone | StepFailed | StepSkipped, ...]:
        everything: tuple[StepDone | StepFailed | StepSkipped, ...] = (*self.done, *self.failed, *self.skipped)
        return tuple(e for e in everything if e.step.verb is Verb.TEST)

    @property
    def _unfinished(self) -> list[Step]:
        return [*(e.step for e in self.failed), *(e.step for e in self.skipped)]

    @property
    def exit_code(self) -> int:
        """0: success. 1: failed before any write. 3: only tests failed, and only what waits for them was left out.

        4: something was written, and something other than a test failed. A test that could not be carried out has not failed.
        """
        if not self._unfinished:
            return _FINE
        if all(isinstance(e.error, (TestFailed, TimedOut)) and e.step.verb is Verb.TEST for e in self.failed):
            return _TEST_FAILED
        return _INCOMPLETE if self.wrote else _ERROR


def fold(events: Iterable[Event], wrote: Callable[[], bool]) -> Report:
    """The report of all events. `wrote` is called after the last one."""
    done: list[StepDone] = []
    failed: list[StepFailed] = []
    skipped: list[StepSkipped] = []
    tallies: dict[Address, _Counting] = {}
    for event in events:
        match event:
            case StepDone():
                done.append(event)
            case StepFailed():
                failed.append(event)
            case StepSkipped():
                skipped.append(event)
            case CaseDone(step=step) | Measured(step=step):
                tallies.setdefault(step.address, _Counting()).add(event)
            case _:
                pass
    counted = {address: counting.tally() for address, counting in tallies.items()}
    return Report(tuple(done), tuple(failed), tuple(skipped), wrote(), counted)


@dataclass(slots=True)
class _Counting:
    """Counts the calls of one test. It keeps a bounded number of them."""

    calls: int = 0
    failed: int = 0
    failures: list[CaseResult] = field(default_factory=list)
    measured: Measured | None = None

    def add(self, event: CaseDone | Measured) -> None:
        match event:
            case Measured():
                self.measured = event
            case CaseDone(result=result):
                self.calls += 1
                self.failed += not result.passed
                if not result.passed and len(self.failures) < _KEPT_FAILURES:
                    self.failures.append(result)

    def tally(self) -> CallTally:
        found = self.measured
        told = (found.called, found.timing, found.gate) if found else (None, None, None)
        return CallTally(self.calls, self.failed, tuple(self.failures), *told)
