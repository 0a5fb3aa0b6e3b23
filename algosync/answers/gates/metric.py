"""Metric: one number over labels and predictions, as scikit-learn computes it; and how `published` compares with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from algosync.answers.exact_json import json_text, read_exact
from algosync.core.extra import extra
from algosync.core.testing.case import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LOWER_IS_BETTER", "PROPORTIONS", "UndefinedMetric", "coded", "metric_value"]

LOWER_IS_BETTER: frozenset[Metric] = frozenset({"rmse", "mae"})
PROPORTIONS: frozenset[Metric] = frozenset({"accuracy", "exact"})
"""The metrics that are the part of the cases whose prediction is the label."""

_NO_CLASS = -1


class UndefinedMetric(ValueError):
    """The metric has no value for these labels. The message says why."""


def metric_value(metric: Metric, labels: Sequence[str], predictions: Sequence[str | None], positive: str | None = None) -> float:
    """The metric of at least one case. A prediction of None is wrong; metrics of numbers need one for each case.

    `positive`: the JSON text of the positive label. Without it f1, precision and recall are the mean over the labels and
    predictions that occur. What would be divided by zero is 0. UndefinedMetric: roc_auc of cases with one class only. UsageError:
    scikit-learn is not installed; `exact` needs none.
    """
    if metric == "exact":
        return sum(map(str.__eq__, labels, (each or "" for each in predictions))) / len(labels)
    with extra("metrics", f"metric: {metric}"):
        from sklearn import metrics
    truth, predicted, classes = coded(metric, labels, predictions, positive)
    match metric:
        case "accuracy":
            value = metrics.accuracy_score(truth, predicted)
        case "f1" | "precision" | "recall":
            function: Any = getattr(metrics, f"{metric}_score")
            value = function(truth, predicted, labels=range(classes), average="macro", zero_division=0)
        case "roc_auc":
            if truth.min() == truth.max():
                raise UndefinedMetric(f"roc_auc needs cases with the positive label and others; all {len(labels)} are of one kind")
            value = metrics.roc_auc_score(truth, predicted)
        case "rmse":
            value = metrics.root_mean_squared_error(truth, predicted)
        case "mae":
            value = metrics.mean_absolute_error(truth, predicted)
    return float(value)


def coded(
    metric: Metric, labels: Sequence[str], predictions: Sequence[str | None], positive: str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Labels and predictions as numbers, and how many classes count. A class is a number from 0; what is none is negative."""
    with extra("metrics", f"metric: {metric}"):
        import numpy as np

    if metric in LOWER_IS_BETTER:
        return np.array(labels, float), np.array(predictions, float), 0
    wanted = "" if positive is None else json_text(read_exact(positive))
    if metric == "roc_auc":
        return np.array([label == wanted for label in labels], float), np.array(predictions, float), 0
    classes = [wanted] if positive is not None and metric != "accuracy" else sorted({*labels, *filter(None, predictions)})
    code = {name: number for number, name in enumerate(classes)}
    truth = [code.get(label, _NO_CLASS) for label in labels]
    predicted = [_NO_CLASS if each is None else code.get(each, _NO_CLASS) for each in predictions]
    return np.array(truth, float), np.array(predicted, float), len(classes)
