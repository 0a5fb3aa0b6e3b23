"""Measuring: the scores of the called version, and of the published one, over all cases and in each slice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from algosync.answers.gates.metric import LOWER_IS_BETTER, PROPORTIONS, metric_value
from algosync.answers.gates.proportion import paired_difference, wilson
from algosync.answers.gates.resampling import bootstrap
from algosync.answers.gates.sample import Sample
from algosync.core.testing.case import QualityGate
from algosync.core.testing.gate import GateScore, Interval

__all__ = ["FEWEST_CHANGED", "changed", "score_of"]

FEWEST_CHANGED = 6
"""Fewer predictions that differ can all be for the worse by chance: of five, in one of sixteen cases."""

_EVERYTHING = Interval(0.0, math.inf)


def score_of(gate: QualityGate, samples: Sequence[Sample], part: str | None, *, compared: bool) -> GateScore:
    """The score over these samples, of which there is at least one. `compared`: they have predictions of the published version.

    UndefinedMetric: these labels have none. UsageError: scikit-learn is not installed.
    """
    labels, predicted = [s.label for s in samples], [s.predicted for s in samples]
    sides = [predicted, *([[s.published for s in samples]] if compared else [])]
    value, *others = (metric_value(gate.metric, labels, side, gate.positive) for side in sides)
    published = others[0] if others else None
    if gate.metric in PROPORTIONS:
        interval, worse = wilson(value, len(samples)), _paired(samples) if compared else None
    else:
        interval, worse = _resampled(gate, labels, sides)
        interval = _widened(gate, interval, value, samples)
    return GateScore(part, len(samples), value, interval, published, worse)


def changed(samples: Sequence[Sample]) -> int:
    """How many cases have another prediction than that of the published version."""
    return sum(sample.predicted != sample.published for sample in samples)


def _paired(samples: Sequence[Sample]) -> Interval:
    won = sum(s.predicted == s.label != s.published for s in samples)
    lost = sum(s.published == s.label != s.predicted for s in samples)
    return paired_difference(lost, won, len(samples))


def _resampled(gate: QualityGate, labels: Sequence[str], sides: Sequence[Sequence[str | None]]) -> tuple[Interval, Interval | None]:
    interval, *others = bootstrap(gate.metric, labels, sides, gate.positive)
    if not others:
        return interval, None
    more = others[-1]
    return interval, more if gate.metric in LOWER_IS_BETTER else Interval(-more.high, -more.low)


def _widened(gate: QualityGate, interval: Interval, value: float, samples: Sequence[Sample]) -> Interval:
    """Resamples of few cases are too much alike: the interval of a part of as many cases is the least. Of less than six numbers
    nothing can be said.
    """
    if gate.metric in LOWER_IS_BETTER:
        return interval if len(samples) >= FEWEST_CHANGED else _EVERYTHING
    least = wilson(min(max(value, 0.0), 1.0), len(samples))
    return Interval(min(interval.low, least.low), max(interval.high, least.high))
