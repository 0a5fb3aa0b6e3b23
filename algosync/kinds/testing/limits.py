"""Limits: what the measures of many calls may be at most."""

from __future__ import annotations

from collections.abc import Iterable

from algosync.core.testing.answer import Mismatch
from algosync.core.testing.case import Limit
from algosync.core.testing.timing import Timing
from algosync.core.text import latency

__all__ = ["VERSUS", "broken_limits", "measure"]

VERSUS = "_vs_baseline"
_SECONDS = frozenset({"p50", "p95", "p99", "max"})
_AT_LEAST = "throughput"


def measure(timing: Timing, name: str) -> float:
    """The value of a measure: seconds, a part of 1 (error_rate), calls a second (throughput). ValueError: there is no such one."""
    values = {
        "p50": timing.p50,
        "p95": timing.p95,
        "p99": timing.p99,
        "max": timing.max,
        "error_rate": timing.error_rate,
        _AT_LEAST: timing.throughput,
    }
    if name not in values:
        raise ValueError(f"there is no measure {name}")
    return values[name]


def broken_limits(limits: Iterable[Limit], timing: Timing, accepted: Timing | None) -> tuple[Mismatch, ...]:
    """The limits that the timing does not keep. `accepted`: the measures of the accepted run. None: there is none yet, so a limit
    that compares with it holds.
    """
    found = (_broken(limit, timing, accepted) for limit in limits)
    return tuple(mismatch for mismatch in found if mismatch is not None)


def _broken(limit: Limit, timing: Timing, accepted: Timing | None) -> Mismatch | None:
    name = limit.measure.removesuffix(VERSUS)
    value, most, note = measure(timing, name), limit.most, ""
    if name != limit.measure:
        if accepted is None:
            return None
        before = measure(accepted, name)
        most *= before
        note = f"{limit.most:g} times the {_shown(name, before)} of the accepted run"
    at_least = name == _AT_LEAST
    if value >= most if at_least else value <= most:
        return None
    words = "at least" if at_least else "at most"
    return Mismatch("limits", limit.measure, f"{words} {_shown(name, most)}", _shown(name, value), note)


def _shown(name: str, value: float) -> str:
    if name in _SECONDS:
        return latency(value)
    return f"{value:.3g} a second" if name == _AT_LEAST else f"{value:.2%}"
