"""Resampling: the bootstrap intervals of a metric, and of the difference of two versions on the same cases.

A case is drawn again as a whole, with its label and both predictions. Equal cases are drawn together, so that the time grows with
the number of different ones. The seed is fixed: the same answers have the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from algosync.answers.gates.metric import coded
from algosync.core.testing.case import Metric
from algosync.core.testing.gate import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["bootstrap", "resampled_metric"]

Floats: TypeAlias = "NDArray[np.float64]"
Statistic: TypeAlias = Callable[["Floats"], "Floats"]
"""The metric of each row of weights. A row has the number of times that each case was drawn."""

_RESAMPLES = 2000
_SEED = 20_260_101
_AT_ONCE = 500_000  # numbers in memory
_BOUNDS = (2.5, 97.5)  # percent


def bootstrap(
    metric: Metric, labels: Sequence[str], predictions: Sequence[Sequence[str | None]], positive: str | None
) -> tuple[Interval, ...]:
    """The interval of the metric for each list of predictions; with two of them also that of the first minus the second."""
    import numpy as np

    rows, counts = np.unique(_cases(metric, labels, predictions, positive), axis=0, return_counts=True)
    statistics = [_statistic(metric, rows[:, 0], rows[:, column]) for column in range(1, rows.shape[1])]
    drawn = [[statistic(weights) for statistic in statistics] for weights in _weights(counts)]
    values = [np.concatenate(each) for each in zip(*drawn, strict=True)]
    if len(values) > 1:
        values.append(values[0] - values[1])
    return tuple(_interval(each) for each in values)


def resampled_metric(
    metric: Metric, labels: Sequence[str], predictions: Sequence[str | None], positive: str | None, weights: Floats
) -> Floats:
    """The metric for each row of weights of the cases. A row of ones gives the metric of the cases themselves."""
    cases = _cases(metric, labels, [predictions], positive)
    return _statistic(metric, cases[:, 0], cases[:, 1])(weights)


def _cases(metric: Metric, labels: Sequence[str], predictions: Sequence[Sequence[str | None]], positive: str | None) -> Floats:
    """A row for each case: the label, then the predictions."""
    import numpy as np

    together = [each for one in predictions for each in one]
    truth, predicted, _ = coded(metric, [*labels] * len(predictions), together, positive)
    return np.column_stack([truth[: len(labels)], *np.split(predicted, len(predictions))])


def _weights(counts: NDArray[np.int64]) -> Iterator[Floats]:
    import numpy as np

    generator = np.random.default_rng(_SEED)
    most, cases = max(1, _AT_ONCE // len(counts)), int(counts.sum())
    for start in range(0, _RESAMPLES, most):
        drawn = generator.multinomial(cases, counts / cases, size=min(most, _RESAMPLES - start))
        yield drawn.astype(float)


def _interval(values: Floats) -> Interval:
    """Without the resamples for which the metric is not defined."""
    import numpy as np

    low, high = np.nanpercentile(values, _BOUNDS)
    return Interval(float(low), float(high))


def _statistic(metric: Metric, truth: Floats, predicted: Floats) -> Statistic:
    match metric:
        case "rmse" | "mae":
            return _mean_error(abs(truth - predicted), squared=metric == "rmse")
        case "roc_auc":
            return _area(truth, predicted)
        case _:
            return _class_mean(metric, truth, predicted)


def _mean_error(errors: Floats, *, squared: bool) -> Statistic:
    def statistic(weights: Floats) -> Floats:
        mean: Floats = weights @ (errors**2 if squared else errors) / weights.sum(axis=1)
        return mean**0.5 if squared else mean

    return statistic


def _area(truth: Floats, scores: Floats) -> Statistic:
    """The chance that a positive case has a higher score than another one; equal scores count half."""
    import numpy as np

    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan))
    is_positive = truth[order] > 0

    def statistic(weights: Floats) -> Floats:
        ordered = weights[:, order]
        positive = np.add.reduceat(ordered * is_positive, starts, axis=1)
        negative = np.add.reduceat(ordered * ~is_positive, starts, axis=1)
        below = negative.cumsum(axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        area: Floats = np.where(pairs > 0, (positive * below).sum(axis=1) / np.maximum(pairs, 1), np.nan)
        return area

    return statistic


def _class_mean(metric: Metric, truth: Floats, predicted: Floats) -> Statistic:
    """The mean over the classes that occur in a resample. What would be divided by zero is 0."""
    import numpy as np

    right = np.where(truth == predicted, truth, -1)

    def statistic(weights: Floats) -> Floats:
        classes = int(max(truth.max(), predicted.max())) + 1
        hits, labelled, named = (_per_class(weights, codes, classes) for codes in (right, truth, predicted))
        whole = {"precision": named, "recall": labelled}.get(metric, (labelled + named) / 2)
        each = hits / np.maximum(whole, 0.5)
        occurring = np.maximum(((labelled + named) > 0).sum(axis=1), 1)
        mean: Floats = each.sum(axis=1) / occurring
        return mean

    return statistic


def _per_class(weights: Floats, codes: Floats, classes: int) -> Floats:
    """The sum of the weights of each class. Negative codes are of none."""
    import numpy as np

    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    sums = np.zeros((len(weights), classes))
    if len(order):
        starts = np.flatnonzero(np.diff(codes[order], prepend=np.nan))
        sums[:, codes[order][starts].astype(int)] = np.add.reduceat(weights[:, order], starts, axis=1)
    return sums
