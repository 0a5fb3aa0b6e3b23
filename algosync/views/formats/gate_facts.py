"""What a quality gate measured, as facts for programs and people: the metric, its value, the lines to reach, and each slice."""

from __future__ import annotations

import math
from collections.abc import Iterator

from algosync.core.testing.case import QualityGate
from algosync.core.testing.gate import GateOutcome, GateScore
from algosync.views.formats.shown import short
from algosync.views.value import Redact

__all__ = ["gate_facts", "lines_of", "slice_facts"]

_SLICES = 100


def gate_facts(outcome: GateOutcome, gate: QualityGate | None) -> Iterator[tuple[str, str]]:
    """All but the slices. `gate`: as the workflow has it."""
    yield "metric", outcome.metric
    whole = next((score for score in outcome.scores if score.part is None), None)
    if whole is not None:
        yield "value", f"{whole.value:.6g}"
        if not math.isinf(whole.interval.high):
            yield "interval_95", f"{whole.interval.low:.4g} to {whole.interval.high:.4g}"
        if whole.published is not None:
            yield "published_value", f"{whole.published:.6g}"
    yield "cases", f"{outcome.cases}"
    if gate is not None:
        yield from lines_of(gate)
    if more := len(_slices(outcome)[_SLICES:]):
        yield "slices_not_listed", f"{more}"


def slice_facts(outcome: GateOutcome, gate: QualityGate | None, redact: Redact) -> Iterator[tuple[str, str]]:
    """The first slices, each with its value. Their names come from a file of cases."""
    by = redact(gate.by) if gate and gate.by else "slice"
    yield from (_slice(by, score, redact) for score in _slices(outcome)[:_SLICES])


def lines_of(gate: QualityGate) -> Iterator[tuple[str, str]]:
    """The lines that the metric has to reach, by their keys in the workflow."""
    lines = {key: getattr(gate, key) for key in ("at_least", "at_most", "no_worse_than_published")}
    yield from ((key, f"{value:g}") for key, value in lines.items() if value is not None)


def _slices(outcome: GateOutcome) -> list[GateScore]:
    return [score for score in outcome.scores if score.part is not None]


def _slice(by: str, score: GateScore, redact: Redact) -> tuple[str, str]:
    return short(f"{by} {redact(score.part or '(empty)')}"), f"{score.value:.6g} ({score.cases:,} cases)"
