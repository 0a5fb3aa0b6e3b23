"""Parity: how the answers of the destination compare with those of the source. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.lean import dataclass
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.timing import percentile

__all__ = ["DIFFERENCE", "NOISE", "CaseParity", "Comparison", "Sides", "TestParity", "parity_of"]

NOISE = "noise"
"""The `expectation` of a mismatch between two answers of the source."""
DIFFERENCE = "difference"
"""The `expectation` of a mismatch between the source and the destination."""

_KEPT_CASES = 100  # of one test
_KEPT_NOISE = 100  # places of one test


@dataclass(frozen=True, slots=True)
class Sides:
    """What is called on each side, such as `quality/Greeter 1.2.0`."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class CaseParity:
    """The answers to one payload. `number`: from 1, the place in the test. `name`: of the case; may be empty.

    `payload`: JSON text as the workflow has it, shortened and with its secrets hidden. `found`: noise and differences; `expected`
    is the source's value. The seconds are those of all calls.
    """

    number: int
    name: str
    payload: str
    found: tuple[Mismatch, ...]
    source_seconds: tuple[float, ...]
    destination_seconds: tuple[float, ...]

    @property
    def differences(self) -> tuple[Mismatch, ...]:
        return tuple(each for each in self.found if each.expectation == DIFFERENCE)

    @property
    def noise(self) -> tuple[Mismatch, ...]:
        return tuple(each for each in self.found if each.expectation == NOISE)


@dataclass(frozen=True, slots=True)
class TestParity:
    """The comparison of all payloads of one test, of which `differing` differ. `cases`: the first 100 of these.

    `noise`: the first 100 places at which the source differs from itself, each once. The medians are over the seconds of all calls
    of a side. `sides` and the medians are None if there was no call. `error`: why not everything was compared.
    """

    __test__ = False  # without this pytest would collect the class

    address: Address
    sides: Sides | None = None
    payloads: int = 0
    differing: int = 0
    cases: tuple[CaseParity, ...] = ()
    noise: tuple[Mismatch, ...] = ()
    source_median: float | None = None
    destination_median: float | None = None
    error: AlgosyncError | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The tests in the order of the workflow."""

    tests: tuple[TestParity, ...]

    @property
    def errors(self) -> tuple[AlgosyncError, ...]:
        """Those of the tests. Equal messages count once."""
        return tuple({str(test.error): test.error for test in self.tests if test.error is not None}.values())

    @property
    def exit_code(self) -> int:
        """0: all answers are equal. 1: something could not be compared. 2: there are differences."""
        if self.errors:
            return 1
        return 2 if any(test.differing for test in self.tests) else 0


@dataclass(slots=True)
class _ParityCount:
    """Counts the payloads of one test. It keeps a bounded number of them."""

    payloads: int = 0
    differing: int = 0
    cases: list[CaseParity] = field(default_factory=list)
    noise: dict[tuple[str, str], Mismatch] = field(default_factory=dict)
    source: list[float] = field(default_factory=list)
    destination: list[float] = field(default_factory=list)

    def add(self, case: CaseParity) -> None:
        self.payloads += 1
        self.source += case.source_seconds
        self.destination += case.destination_seconds
        for each in case.noise:
            if len(self.noise) < _KEPT_NOISE:
                self.noise.setdefault((each.path, each.note), each)
        if case.differences:
            self.differing += 1
            if len(self.cases) < _KEPT_CASES:
                self.cases.append(case)


def parity_of(address: Address, sides: Sides, cases: Iterable[CaseParity]) -> TestParity:
    """The comparison of a test. An error that ends `cases` becomes its `error`."""
    counting, failed = _ParityCount(), None
    try:
        for case in cases:
            counting.add(case)
    except AlgosyncError as error:
        failed = error
    return TestParity(
        address,
        sides,
        counting.payloads,
        counting.differing,
        tuple(counting.cases),
        tuple(counting.noise.values()),
        _median(counting.source),
        _median(counting.destination),
        failed,
    )


def _median(seconds: list[float]) -> float | None:
    return percentile(sorted(seconds), 0.5) if seconds else None
