"""Gate outcome: a metric over labelled cases as it was measured, and the lines of its gate that it does not reach."""

from __future__ import annotations

from algosync.core.lean import dataclass
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.case import Metric, TestCase

__all__ = ["GateOutcome", "GateScore", "Interval", "LabelledCase"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value is with a probability of 95 %, as far as so many cases tell. `high` may be infinite."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GateScore:
    """A metric over all cases, or over those of one slice. `part`: the slice's value in the column `by`; None: all cases.

    `published`: the metric of the published version on the same cases; None: it was not asked. `worse`: how much worse than the
    published version the called one is, in 95 %.
    """

    part: str | None
    cases: int
    value: float
    interval: Interval
    published: float | None = None
    worse: Interval | None = None


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What a gate found. `scores`: first over all cases, then of each slice; empty if the metric cannot be computed.

    `broken`: the lines that are not reached. `notes`: what a reader should know besides, such as a difference within noise.
    """

    metric: Metric
    cases: int
    scores: tuple[GateScore, ...] = ()
    broken: tuple[Mismatch, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledCase(TestCase):
    """One case of a gate's file, which expects its label. `part`: its value in the column `by`."""

    part: str | None = None
