"""Prediction: the value in an answer that a gate compares with the label."""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal

from algosync.answers.exact_json import NotJson, Value, json_text, read_exact
from algosync.answers.selection import selected
from algosync.answers.subject import Subject
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import Metric, QualityGate

__all__ = ["NUMERIC", "NoPrediction", "label_of", "prediction_of"]

NUMERIC: frozenset[Metric] = frozenset({"roc_auc", "rmse", "mae"})
"""The metrics whose predictions are numbers."""

_NUMERIC_LABELS: frozenset[Metric] = frozenset({"rmse", "mae"})
_LARGEST = 16 * 1024**2  # bytes of an answer: its value takes up to forty times as much memory
_LONGEST = 200  # characters that are kept of one value


class NoPrediction(ValueError):
    """There is no value that the metric could use. The message says why."""


def label_of(gate: QualityGate, label: str) -> str:
    """The label, from its JSON text. NoPrediction: it is no number, and the metric needs one."""
    return _text(read_exact(label), gate.metric, numeric=gate.metric in _NUMERIC_LABELS)


def prediction_of(gate: QualityGate, answer: Answer) -> str:
    """The prediction in an answer. NoPrediction: the call failed, or there is no such value at the gate's path."""
    if answer.failure is not None:
        raise NoPrediction("the call failed")
    if len(answer.body) > _LARGEST:
        raise NoPrediction(f"the answer is longer than {_LARGEST // 1024**2} MiB")
    try:
        found = selected(gate.answer, Subject(answer).value)
    except NotJson as error:
        raise NoPrediction(f"the answer is {error}") from None
    except RecursionError:
        raise NoPrediction("the answer is nested too deep") from None
    if len(found) != 1:
        raise NoPrediction("the answer has no value there")
    return _text(found[0][1], gate.metric, numeric=gate.metric in NUMERIC)


def _text(value: Value, metric: Metric, *, numeric: bool) -> str:
    if numeric:
        return _number(value)
    if metric != "exact" and isinstance(value, (dict, list)):
        raise NoPrediction("the value there is a list or an object, and a label is none")
    text = json_text(_ordered(value))
    return text if len(text) <= _LONGEST else f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _number(value: Value) -> str:
    """The text of the float."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise NoPrediction("the value there is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NoPrediction("the number there is too large")
    return repr(number)


def _ordered(value: Value) -> Value:
    """The same value with the members of objects in one order."""
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value
