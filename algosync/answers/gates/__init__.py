"""Gates: a metric over labelled answers, how sure it is, and whether it reaches its lines."""

from __future__ import annotations

from algosync.answers.gates.prediction import NoPrediction, label_of, prediction_of
from algosync.answers.gates.sample import Sample
from algosync.answers.gates.verdict import outcome_of

__all__ = ["NoPrediction", "Sample", "label_of", "outcome_of", "prediction_of"]
