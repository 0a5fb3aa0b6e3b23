"""Run: all calls of one test, counted and measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import field
from itertools import chain, repeat
from typing import Protocol

from algosync.core.error import TestFailed
from algosync.core.lean import dataclass
from algosync.core.redaction import MASK
from algosync.core.testing.answer import Answer, CaseResult
from algosync.core.testing.case import TestCase
from algosync.core.testing.timing import Timing, timing_of
from algosync.kinds.context import Context
from algosync.kinds.testing.target import CallTarget

__all__ = ["SHOWN", "CaseCaller", "Run", "counts_errors"]

SHOWN = 3  # failing calls that an error carries


def counts_errors(case: TestCase) -> bool:
    """Whether a limit says how many calls may fail."""
    return any(limit.measure == "error_rate" for limit in case.load.limits)


class CaseCaller(Protocol):
    """Makes one call of a test. See `AlgorithmCaller`."""

    @property
    def target(self) -> CallTarget: ...

    @property
    def counts_errors(self) -> bool: ...

    def answer(self, case: TestCase, *, waits: bool = False) -> Answer: ...

    def result(self, number: int, case: TestCase, *, waits: bool = False) -> CaseResult: ...


@dataclass(slots=True)
class Run:
    """The calls of one test. The first call comes before all others and alone, whether it counts or warms up.

    Without a warm-up, the first call and those that start right after it are cold: each may wait for a worker to start.

    `failed`: the calls that fail the test; `failures` has the first of them. `errors`: those without an answer. If a limit says how
    many these may be, they do not fail the test by themselves, and `counted` has the first of them.
    """

    case: TestCase
    caller: CaseCaller
    context: Context
    calls: int = 0
    failed: int = 0
    errors: int = 0
    failures: list[CaseResult] = field(default_factory=list)
    counted: list[CaseResult] = field(default_factory=list)
    total: float = 0.0
    _warm_up_seconds: float = 0.0
    _warm: list[float] = field(default_factory=list)
    _cold: list[float] = field(default_factory=list)
    _digests: dict[str, _Digest] = field(default_factory=dict)

    def results(self) -> Iterator[CaseResult]:
        """Makes the calls, in bounded memory however many they are. TestFailed: the test has no cases."""
        load, name = self.case.load, self.caller.target.name
        cases = iter(self.context.cases(self.case, name))
        head = next(cases, None)
        if head is None:
            raise TestFailed(f"{self.case.cases.path if self.case.cases else 'the test'} has no cases")
        self._warm_up(head)
        numbered = enumerate(chain.from_iterable(repeat(case, load.repeat) for case in chain([head], cases)), 1)
        started = self.context.clock()
        first = self.caller.result(*next(numbered), waits=not load.warmup)
        others = self.context.concurrently(lambda item: self.caller.result(*item), numbered, load.concurrency)
        for result in chain([first], others):
            self._count(result)
            yield result
        self.total = self.context.clock() - started

    def _warm_up(self, case: TestCase) -> None:
        """An error of the algorithm does not matter here: the calls that count show it."""
        load = self.case.load
        if load.warmup:
            first = self.caller.answer(case, waits=True)
            others = self.context.concurrently(self.caller.answer, repeat(case, load.warmup - 1), load.concurrency)
            self._warm_up_seconds = max(answer.seconds for answer in chain([first], others))

    def _is_cold(self, result: CaseResult) -> bool:
        load = self.case.load
        return not load.warmup and result.number <= (1 if load.concurrency == 1 else 1 + load.concurrency)

    def _count(self, result: CaseResult) -> None:
        self.calls += 1
        (self._cold if self._is_cold(result) else self._warm).append(result.answer.seconds)
        error = any(mismatch.expectation == "call" for mismatch in result.mismatches)
        self.errors += error
        counted = error and self.caller.counts_errors
        if not result.passed and not counted:
            self.failed += 1
        kept = self.counted if counted else self.failures
        if not result.passed and len(kept) < SHOWN:
            kept.append(result)
        if (result.number - 1) % self.case.load.repeat == 0:
            secret = result.payload == MASK or self.context.holds(result.payload)
            self._digest("payload", "" if secret else hashlib.sha256(result.payload.encode()).hexdigest())
            self._digest("answer", "" if result.answer.failure else result.sha256)

    def _digest(self, name: str, part: str) -> None:
        self._digests.setdefault(name, _Digest()).add(part)

    def sha256(self, name: str) -> str:
        """Over all payloads (`payload`) or answers (`answer`). Empty if one of them is sensitive, or is no answer."""
        return self._digests[name].value

    def timing(self) -> Timing:
        """The measures, when all calls have ended."""
        return timing_of(self._warm, self._cold, errors=self.errors, total=self.total, warm_up=self._warm_up_seconds)


@dataclass(slots=True)
class _Digest:
    """A digest over digests; that of a single one is itself. It has no value if one of them is empty."""

    first: str = ""
    count: int = 0
    whole: bool = True
    all: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, part: str) -> None:
        self.first = self.first or part
        self.count += 1
        self.whole = self.whole and bool(part)
        self.all.update(part.encode())

    @property
    def value(self) -> str:
        if not self.whole:
            return ""
        return self.first if self.count == 1 else self.all.hexdigest()
