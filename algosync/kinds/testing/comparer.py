"""Comparer: calls an algorithm at the source and at the destination, and has the answers compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from algosync.core.lean import dataclass
from algosync.core.planning.plan import Check
from algosync.core.testing.answer import Answer, Mismatch
from algosync.core.testing.case import Expectation, TestCase
from algosync.core.testing.parity import DIFFERENCE, CaseParity, Sides
from algosync.core.text import middle_cut
from algosync.core.workflow import AlgorithmSpec, SourceAlgorithm
from algosync.kinds.context import Context
from algosync.kinds.testing.caller import AlgorithmCaller, without_parts
from algosync.kinds.testing.source_caller import SourceCaller
from algosync.kinds.testing.target import CallTarget, target_of

__all__ = ["BothSides", "CompareAnswers"]

_PAYLOAD = 4000  # characters that are kept of a payload


class CompareAnswers(Protocol):
    """The noise and the differences of an answer of the destination, which is compared with several of the source."""

    def __call__(self, expect: Expectation, sources: Sequence[Answer], got: Answer, /) -> tuple[Mismatch, ...]: ...


@dataclass(frozen=True, slots=True)
class BothSides:
    """A `Comparer`. `repeat`: how often the destination is called with each payload. The source is called once more, because its
    answers are also compared with each other.
    """

    specs: Mapping[str, AlgorithmSpec]
    source: SourceCaller
    context: Context
    compare: CompareAnswers
    repeat: int = 1

    def sides(self, check: Check) -> Sides:
        there, here = self._targets(check)
        ours = str(here.called).removeprefix("version ")
        source = f"{there.owner}/{there.name} {there.version}"
        return Sides(source, f"{self.context.destination.owner}/{here.name} {ours}{f' ({here.note})' if here.note else ''}")

    def cases(self, check: Check) -> Iterator[CaseParity]:
        there, here = self._targets(check)
        pair = _Pair(self, there, AlgorithmCaller(here, self.context))
        cases = enumerate(self.context.cases(check.case, here.name), 1)
        return self.context.concurrently(lambda each: pair.parity(*each), cases, check.case.load.concurrency)

    def _targets(self, check: Check) -> tuple[SourceAlgorithm, CallTarget]:
        """The destination comes first: without a version there, nothing is asked at the source."""
        spec = self.specs[check.address.algorithm]
        here = target_of(check, spec, self.context)
        return self.source.target(spec), here


@dataclass(frozen=True, slots=True)
class _Pair:
    """What one test calls on both sides."""

    sides: BothSides
    there: SourceAlgorithm
    here: AlgorithmCaller

    def parity(self, number: int, case: TestCase) -> CaseParity:
        """The source is called first. If there are differences, it is called again: by then the time may be another one, which
        algorithms may answer.
        """
        ask: Callable[[], Answer] = lambda: self.sides.source.answer(self.there, case)  # noqa: E731  # a name for two uses
        sources = [ask() for _ in range(self.sides.repeat + 1)]
        answers = [self.here.answer(case) for _ in range(self.sides.repeat)]
        found = self._compared(case.expect, sources, answers)
        if any(each.expectation == DIFFERENCE for each in found):
            sources.append(ask())
            found = self._compared(case.expect, sources, answers)
        seconds = (tuple(answer.seconds for answer in each) for each in (sources, answers))
        return CaseParity(number, case.name, self._shown(case.payload), found, *seconds)

    def _compared(self, expect: Expectation, sources: Sequence[Answer], answers: Sequence[Answer]) -> tuple[Mismatch, ...]:
        """Each place once, however many answers of the destination differ there."""
        every = (each for answer in answers for each in self.sides.compare(expect, sources, answer))
        found: dict[tuple[str, str, str], Mismatch] = {}
        for each in every:
            found.setdefault((each.expectation, each.path, each.note), each)
        context = self.sides.context
        if found and any(context.holds(answer.body.decode("utf-8", "replace")) for answer in (*sources, *answers)):
            return tuple(map(without_parts, found.values()))
        return tuple(found.values())

    def _shown(self, payload: str) -> str:
        return middle_cut(str(self.sides.context.redacted(payload)), _PAYLOAD)
