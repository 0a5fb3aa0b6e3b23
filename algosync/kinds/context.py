"""The context of a command: the destination, the sources and the record, as the kinds use them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime, timezone
from typing import Protocol, TypeVar

from algosync.cluster.transfers import LocalTransfers, Transfers
from algosync.core.lean import dataclass
from algosync.core.ports import Ledger
from algosync.core.read_back import ReadBack
from algosync.core.resource import Json
from algosync.core.testing.answer import Answer, Mismatch
from algosync.core.testing.case import Expectation, TestCase
from algosync.core.testing.timing import Timing
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.data_writes import DataWrites
from algosync.kinds.desired_sources import DesiredSources
from algosync.kinds.destination import Destination
from algosync.kinds.failure import Failure
from algosync.kinds.kept_files import KeptFiles, default_keep_folder
from algosync.sources.source import Sources
from algosync.sources.store import SourceStore

__all__ = ["Context"]

T = TypeVar("T")
R = TypeVar("R")


class Concurrently(Protocol):
    """The function over the items, by at most `workers` threads. The results come in the order of the items."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], workers: int, /) -> Iterator[R]: ...


def one_by_one(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """`Concurrently` without threads."""
    return map(function, items)


def as_expected(expect: Expectation, answer: Answer) -> tuple[Mismatch, ...]:
    """Judges nothing: for commands that run no tests."""
    return ()


def only_case(case: TestCase, algorithm: str) -> Iterable[TestCase]:
    """The single case of a test that has no file of cases. The test's name says enough."""
    return (replace(case, name=""),)


def utc_now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Context:
    """The objects that the kinds use during one command.

    `build_deadline`: seconds that a build may take. `recorded_only`: the command uses the record instead of the source. `pushed`:
    the commits that this run has pushed. `pause` and `clock` work in seconds. `data_writes`: numbers the writes of data
    files. `kept`: the previous bytes of overwritten files. `redacted`: hides secrets in a value. `tests`: for the entrypoint the
    workflow's tests. `retried`: algorithms whose failed data changes are written again. `failed_tests`: for each
    algorithm the test that failed in this run; tests that could not be carried out do not count. `now`: the time, ISO 8601 in UTC.
    `rollback`: what the record of a version is to remember of the rollback that publishes it (`to`, `from`, `at`), or empty.
    `holds`: whether a value contains a secret. `judge`: how an answer differs from what is expected; it is called by several
    threads. `cases`: the cases of a test of an algorithm, one after the other. `transfers`: where files are copied and read.
    `accepted_timing`: the measures that the text of a baseline holds. `answer_limit`: events carry at most so many
    characters of an answer. None: all.
    """

    destination: Destination
    desired_sources: DesiredSources
    build_deadline: float
    recorded_only: bool = False
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    pushed: set[str] = field(default_factory=set)
    data_writes: DataWrites = field(default_factory=DataWrites)
    kept: KeptFiles = field(default_factory=lambda: KeptFiles(default_keep_folder()))
    redacted: Callable[[Json], Json] = lambda value: value
    tests: Mapping[str, tuple[TestCase, ...]] = field(default_factory=dict)
    retried: frozenset[str] = frozenset()
    failed_tests: dict[str, Failure] = field(default_factory=dict)
    now: Callable[[], str] = utc_now
    rollback: Mapping[str, Json] = field(default_factory=dict)
    holds: Callable[[Json], bool] = lambda _: False
    judge: Callable[[Expectation, Answer], tuple[Mismatch, ...]] = as_expected
    cases: Callable[[TestCase, str], Iterable[TestCase]] = only_case
    transfers: Transfers = field(default_factory=LocalTransfers)
    accepted_timing: Callable[[str], Timing | None] = lambda _: None
    concurrently: Concurrently = one_by_one
    answer_limit: int | None = 4000
    read_back: ReadBack = ReadBack.FULL

    @property
    def ledger(self) -> Ledger:
        return self.desired_sources.ledger

    @property
    def sources(self) -> Sources:
        return self.desired_sources.sources

    def uses_record(self, spec: AlgorithmSpec) -> bool:
        """Whether the record of an algorithm takes the place of what the workflow and the source say."""
        return self.recorded_only or spec.removed

    @property
    def store(self) -> SourceStore:
        return self.sources.store
