"""Timing: measures over the calls of one test. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from algosync.core.lean import dataclass

__all__ = ["Timing", "percentile", "timing_of"]

_BUCKETS = 24


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in seconds. Percentiles are exact, by linear interpolation between neighbours.

    `calls` and `errors` (without an answer, or with an error of the algorithm) count every call but the warm-up. `total`: from the
    start of the first call to the end of the last one. `cold`: the slowest of the calls that may have waited for a worker to start.
    The percentiles, `max` and the distribution leave these out, unless there are no other calls. `distribution`: upper bounds of
    buckets in seconds, each with the number of calls up to it and above the bound before.
    """

    calls: int
    errors: int
    total: float
    cold: float
    p50: float
    p95: float
    p99: float
    max: float
    distribution: tuple[tuple[float, int], ...] = ()

    @property
    def error_rate(self) -> float:
        return self.errors / self.calls if self.calls else 0.0

    @property
    def throughput(self) -> float:
        """Calls a second."""
        return self.calls / self.total if self.total else 0.0


def timing_of(warm: Sequence[float], cold: Sequence[float], *, errors: int, total: float, warm_up: float = 0.0) -> Timing:
    """The measures of these calls, of which there is at least one. `warm_up`: the slowest call of the warm-up."""
    ordered = sorted(warm or cold)
    return Timing(
        calls=len(warm) + len(cold),
        errors=errors,
        total=total,
        cold=max(cold, default=warm_up),
        p50=percentile(ordered, 0.50),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        max=ordered[-1],
        distribution=_distribution(ordered),
    )


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value that this part of at least one value is below, by linear interpolation. `ordered`: the smallest first."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _distribution(ordered: Sequence[float]) -> tuple[tuple[float, int], ...]:
    """Buckets of equal width up to the largest value. Empty ones are left out."""
    width = ordered[-1] / _BUCKETS
    if width <= 0:
        return ((ordered[-1], len(ordered)),)
    counts = [0] * _BUCKETS
    for value in ordered:
        counts[min(int(value / width), _BUCKETS - 1)] += 1
    return tuple(((place + 1) * width, count) for place, count in enumerate(counts) if count)
