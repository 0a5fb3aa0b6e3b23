"""Accepting: writes what tests were answered to their baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import AlgosyncError
from algosync.core.event import CaseDone, Event, Measured
from algosync.core.lean import dataclass
from algosync.core.testing.case import Baseline
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.core.address import Address
    from algosync.core.planning.plan import Check
    from algosync.core.resource import Json
    from algosync.core.testing.answer import Answer, CaseResult, Mismatch
    from algosync.core.testing.case import Expectation, TestCase
    from algosync.core.testing.timing import Timing

__all__ = ["AcceptedFile", "Accepting", "has_baseline", "without_baseline"]

_VERSUS = "_vs_baseline"


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """A baseline that was looked at. `refused`: why it is not written; empty: it is. `changed`: whether its content differs."""

    path: str
    test: Address
    changed: bool = False
    refused: str = ""


@dataclass(slots=True)
class _Found:
    """The first answer for one baseline, and its test."""

    baseline: Baseline
    test: Address
    result: CaseResult
    timing: Timing | None = None
    refused: str = ""


def has_baseline(check: Check, cases: Callable[[TestCase, str], Iterable[TestCase]]) -> bool:
    """Whether the test has a baseline, or one of its cases. `cases`: as of a context."""
    if check.case.expect.baseline is not None or check.case.cases is None:
        return check.case.expect.baseline is not None
    return any(case.expect.baseline is not None for case in cases(check.case, check.address.algorithm))


@dataclass(slots=True)
class Accepting:
    """Collects answers from the events of a run, and writes them when it has ended.

    `folder`: of the workflow. `judge`: as of a context. `accepted`: the text of a baseline. `holds`: whether a value contains a
    secret. Answers have to be whole (`Context.answer_limit`).
    """

    folder: Path
    judge: Callable[[Expectation, Answer], tuple[Mismatch, ...]]
    accepted: Callable[[Answer, Timing | None], str]
    holds: Callable[[Json], bool]
    _found: dict[str, _Found] = field(default_factory=dict)

    def watching(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yields the events, and keeps one answer for each baseline."""
        for event in events:
            match event:
                case CaseDone(step=step, result=result) if result.expect.baseline is not None:
                    self._add(result.expect.baseline, step.address, result)
                case Measured(step=step, timing=timing) if step.check is not None:
                    compared = any(limit.measure.endswith(_VERSUS) for limit in step.check.case.load.limits)
                    for found in self._found.values() if compared else ():
                        found.timing = timing if found.test == step.address else found.timing
                case _:
                    pass
            yield event

    def _add(self, baseline: Baseline, test: Address, result: CaseResult) -> None:
        found = self._found.setdefault(baseline.path, _Found(baseline, test, result))
        if not result.passed:
            found.refused = found.refused or "the test failed, so its answer is not accepted"
        elif found.result is not result and not found.refused:
            found.refused = self._difference(found.result, result)

    def _difference(self, first: CaseResult, other: CaseResult) -> str:
        """Why one file cannot stand for both answers; empty: it can."""
        try:
            text = self.accepted(first.answer, None)
        except ValueError as error:
            return str(error)
        mismatches = self._judged(other.expect, text, other.answer)
        if not mismatches:
            return ""
        return f"calls {first.number} and {other.number} were answered differently ({mismatches[0]}): add the place to `ignore:`"

    def _judged(self, expect: Expectation, text: str, answer: Answer) -> tuple[Mismatch, ...]:
        """How an answer differs from the text of a baseline."""
        baseline = replace(expect, baseline=Baseline("", text))
        return tuple(mismatch for mismatch in self.judge(baseline, answer) if mismatch.expectation == "baseline")

    def write(self, replace_file: Callable[[Path, bytes], None]) -> tuple[AcceptedFile, ...]:
        """Writes the baselines that have changed. One that the answer still meets stays as it is, so that what is ignored makes no
        difference. AlgosyncError: a file cannot be written.
        """
        return tuple(self._written(found, replace_file) for found in self._found.values())

    def _written(self, found: _Found, replace_file: Callable[[Path, bytes], None]) -> AcceptedFile:
        path, answer, before = found.baseline.path, found.result.answer, found.baseline.content
        text = ""
        if not found.refused:
            try:
                text = self.accepted(answer, found.timing)
            except ValueError as error:
                found.refused = str(error)
        if not found.refused and self.holds(text):
            found.refused = "the answer holds a sensitive value, which must not be in a file"
        if not found.refused and not self._is_inside(path):
            found.refused = "it is neither in the workflow's folder nor in the current one"
        if found.refused:
            return AcceptedFile(path, found.test, refused=found.refused)
        if before is not None and found.timing is None and not self._judged(found.result.expect, before, answer):
            return AcceptedFile(path, found.test)
        if before != text:
            _write(self.folder / path, text, replace_file)
        return AcceptedFile(path, found.test, changed=before != text)

    def _is_inside(self, path: str) -> bool:
        """Whether a file may be written: a workflow from elsewhere must not replace other files of the user."""
        place = (self.folder / path).resolve()
        return any(place.is_relative_to(top.resolve()) for top in (self.folder, Path.cwd()))


def _write(path: Path, text: str, replace_file: Callable[[Path, bytes], None]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    except OSError as error:
        raise AlgosyncError(f"{printable(str(path))} cannot be written: {error.strerror or error}") from None


def without_baseline(
    judge: Callable[[Expectation, Answer], tuple[Mismatch, ...]],
) -> Callable[[Expectation, Answer], tuple[Mismatch, ...]]:
    """The judge, for answers that take the place of their baselines: it says nothing of these."""

    def judged(expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
        return judge(replace(expect, baseline=None), answer)

    return judged
