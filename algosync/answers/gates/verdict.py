"""Verdict: whether the scores of a gate reach its lines, over all cases and in each slice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from algosync.answers.exact_json import json_text, read_exact
from algosync.answers.gates.measuring import FEWEST_CHANGED, changed, score_of
from algosync.answers.gates.metric import LOWER_IS_BETTER, UndefinedMetric
from algosync.answers.gates.prediction import NUMERIC
from algosync.answers.gates.sample import Sample
from algosync.core.testing.answer import Mismatch
from algosync.core.testing.case import QualityGate
from algosync.core.testing.gate import GateOutcome, GateScore, Interval
from algosync.core.text import plural

__all__ = ["MOST_SLICES", "outcome_of"]

MOST_SLICES = 200

_ROUNDING = 1e-9  # 0.91 - 0.9 is a little more than 0.01
_KEY = "gates"


def outcome_of(gate: QualityGate, samples: Sequence[Sample], *, compared: bool) -> GateOutcome:
    """The outcome over at least one sample. `compared`: the published version answered the same cases.

    Over all cases the measured value has to reach `at_least` and `at_most`. In a slice, and beside the published version, a
    difference that may be chance passes or not as `noise` says. UsageError: scikit-learn is not installed.
    """
    missing = sum(sample.predicted is None for sample in samples)
    if missing and gate.metric in NUMERIC:
        told = f"{missing:,} of {plural(len(samples), 'case')} {'has' if missing == 1 else 'have'} no number"
        return GateOutcome(gate.metric, len(samples), broken=(Mismatch(_KEY, gate.metric, "a number for each case", told),))
    if missing == len(samples):
        none = Mismatch(_KEY, f"the prediction at {gate.answer}", "a value", f"missing ({plural(missing, 'case')})")
        return GateOutcome(gate.metric, len(samples), broken=(none,))
    if gate.positive is not None and json_text(read_exact(gate.positive)) not in {sample.label for sample in samples}:
        unknown = Mismatch(_KEY, f"positive: {gate.positive}", "the label of a case", f"in none of {plural(len(samples), 'case')}")
        return GateOutcome(gate.metric, len(samples), broken=(unknown,))
    slices = _slices(gate, samples)
    if len(slices) > MOST_SLICES:
        many = Mismatch(_KEY, f"by: {gate.by}", f"at most {MOST_SLICES} slices", f"{len(slices):,}")
        return GateOutcome(gate.metric, len(samples), broken=(many,))
    scores: list[GateScore] = []
    broken: list[Mismatch] = []
    notes = [f"{plural(missing, 'case')} without a prediction counted as wrong"] if missing else []
    unanswered = sum(sample.published is None for sample in samples) if compared and gate.metric in NUMERIC else 0
    if unanswered:
        compared = False
        notes.append(f"the published version has no number for {plural(unanswered, 'case')}, so nothing is compared with it")
    for part, within in [(None, samples), *slices.items()]:
        try:
            found = _Judged(gate, within, part, compared=compared)
        except UndefinedMetric as error:
            broken.append(Mismatch(_KEY, _named(gate, part), f"a value of {gate.metric}", "none", str(error)))
            continue
        scores.append(found.score)
        broken += found.broken
        notes += found.notes
    return GateOutcome(gate.metric, len(samples), tuple(scores), tuple(broken), tuple(notes))


def _slices(gate: QualityGate, samples: Sequence[Sample]) -> Mapping[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples if gate.by is not None else ():
        found.setdefault(sample.part or "", []).append(sample)
    return dict(sorted(found.items()))


class _Judged:
    """The score over some samples, with what is broken and what is to be noted about it."""

    def __init__(self, gate: QualityGate, samples: Sequence[Sample], part: str | None, *, compared: bool) -> None:
        self._gate, self._part = gate, part
        self.score = score_of(gate, samples, part, compared=compared)
        self._few = changed(samples) < FEWEST_CHANGED
        self.broken: list[Mismatch] = []
        self.notes: list[str] = []
        for expected, got, is_noise in (*self._lines(), *self._compared()):
            self._add(expected, got, is_noise=is_noise)

    def _lines(self) -> Iterator[tuple[str, str, bool]]:
        value, interval, gate = self.score.value, self.score.interval, self._gate
        if gate.at_least is not None and not value >= gate.at_least - _ROUNDING:
            within = self._part is not None and interval.high >= gate.at_least
            yield f"at least {gate.at_least:g}", self._measured(gate.at_least), within
        if gate.at_most is not None and not value <= gate.at_most + _ROUNDING:
            within = self._part is not None and interval.low <= gate.at_most
            yield f"at most {gate.at_most:g}", self._measured(gate.at_most), within

    def _compared(self) -> Iterator[tuple[str, str, bool]]:
        published, worse, allowed = self.score.published, self.score.worse, self._gate.no_worse_than_published
        if published is None or worse is None or allowed is None:
            return
        sign = 1 if self._gate.metric in LOWER_IS_BETTER else -1
        apart = sign * (self.score.value - published)
        if not apart <= allowed + _ROUNDING:
            got = f"{_short(self.score.value)}, {_short(apart)} worse ({_between(worse)}; {plural(self.score.cases, 'case')})"
            yield f"at most {allowed:g} worse than the published {_short(published)}", got, self._few or worse.low <= allowed

    def _measured(self, line: float) -> str:
        text = _short(self.score.value)
        shown = repr(self.score.value) if text == _short(line) else text
        return f"{shown} ({_between(self.score.interval)}; {plural(self.score.cases, 'case')})"

    def _add(self, expected: str, got: str, *, is_noise: bool) -> None:
        named = _named(self._gate, self._part)
        if is_noise and self._gate.noise == "pass":
            self.notes.append(f"{named} has to be {expected}, and is {got}: within noise")
        else:
            note = "within noise, which `noise: fail` does not allow" if is_noise else ""
            self.broken.append(Mismatch(_KEY, named, expected, got, note))


def _named(gate: QualityGate, part: str | None) -> str:
    return gate.metric if part is None else f"{gate.metric} of {gate.by} {part or '(empty)'}"


def _between(interval: Interval) -> str:
    if math.isinf(interval.high):
        return "too few for an interval"
    return f"95%: {_short(interval.low)} to {_short(interval.high)}"


def _short(value: float) -> str:
    return f"{value:.4g}"
