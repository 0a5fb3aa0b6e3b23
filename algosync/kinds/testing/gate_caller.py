"""Gate caller: calls a version with labelled cases, beside the published version, and collects what a gate compares."""

from __future__ import annotations

import hashlib
from dataclasses import field, replace

from algosync.answers.gates import NoPrediction, Sample, label_of, outcome_of, prediction_of
from algosync.core.lean import dataclass
from algosync.core.testing.answer import Answer, CaseResult, Mismatch
from algosync.core.testing.case import QualityGate, TestCase
from algosync.core.testing.gate import GateOutcome, LabelledCase
from algosync.kinds.context import Context
from algosync.kinds.testing.caller import AlgorithmCaller
from algosync.kinds.testing.target import CallTarget, published_beside

__all__ = ["GateCaller", "gate_caller"]

_LONGEST = 80  # characters of the name of a slice


@dataclass(frozen=True, slots=True)
class GateCaller:
    """Calls like `AlgorithmCaller`, and safe to use from several threads, too. Predictions are kept, and answers are not.

    `published`: calls the published version with each case after the call that is judged. None: nothing is compared with it.
    `note`: why nothing is compared although the gate asks for it.
    """

    called: AlgorithmCaller
    gate: QualityGate
    published: AlgorithmCaller | None = None
    note: str = ""
    _samples: dict[int, Sample] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> CallTarget:
        return self.called.target

    @property
    def counts_errors(self) -> bool:
        return self.called.counts_errors

    def answer(self, case: TestCase, *, waits: bool = False) -> Answer:
        return self.called.answer(case, waits=waits)

    def result(self, number: int, case: TestCase, *, waits: bool = False) -> CaseResult:
        """The result of one case. Its mismatch says why there is no prediction; a wrong one is none, because the gate judges all
        predictions together.
        """
        answer = self.called.answer(case, waits=waits)
        beside = self.published.answer(case) if self.published else None
        mismatches: tuple[Mismatch, ...] = ()
        predicted = None
        try:
            predicted = self._kept(prediction_of(self.gate, answer))
        except NoPrediction as error:
            mismatches = self._mismatch(answer, error)
        label = self._kept(label_of(self.gate, case.expect.equals or "null"))
        self._samples[number] = Sample(label, predicted, self._predicted(beside), self._part(case))
        return self.called.told(number, case, answer, mismatches)

    def _predicted(self, answer: Answer | None) -> str | None:
        """The prediction of the published version. None: there is none."""
        try:
            return None if answer is None else self._kept(prediction_of(self.gate, answer))
        except NoPrediction:
            return None

    def _part(self, case: TestCase) -> str | None:
        """The name of the case's slice as reports show it: with secrets hidden, and if it is long its start and its digest."""
        part = case.part if isinstance(case, LabelledCase) else None
        if part is None:
            return None
        name = str(self.called.context.redacted(part))
        if len(name) > _LONGEST:
            name = f"{name[:_LONGEST]}… ({hashlib.sha256(part.encode('utf-8', 'surrogatepass')).hexdigest()[:12]})"
        return self._kept(name)

    def _mismatch(self, answer: Answer, error: NoPrediction) -> tuple[Mismatch, ...]:
        if answer.failure is not None:
            return (Mismatch("call", got=answer.failure.message, note="the call failed"),)
        return (Mismatch("answer", self.gate.answer, note=str(error)),)

    def _kept(self, text: str) -> str:
        """One object for equal texts."""
        return self._texts.setdefault(text, text)

    def outcome(self) -> GateOutcome:
        """Judges all calls, when they have ended."""
        samples = [self._samples[number] for number in sorted(self._samples)]
        found = outcome_of(self.gate, samples, compared=self.published is not None)
        return replace(found, notes=(self.note, *found.notes)) if self.note else found


def gate_caller(called: AlgorithmCaller, gate: QualityGate, context: Context) -> GateCaller:
    """The caller of a gate, which compares with the published version if the gate asks for it and another one is called."""
    if gate.no_worse_than_published is None:
        return GateCaller(called, gate)
    if not called.target.candidate:
        return GateCaller(called, gate, note="what is called is published, so it is not compared with the published version")
    target = published_beside(called.target.name, context)
    if target is None:
        return GateCaller(called, gate, note="no version is published yet, so there is none to compare with")
    return GateCaller(called, gate, replace(called, target=target))
