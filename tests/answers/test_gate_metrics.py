"""Metrics of gates: those of scikit-learn on the same answers, also where they are resampled; and their intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from algosync.answers.gates.metric import UndefinedMetric, metric_value
from algosync.answers.gates.proportion import paired_difference, wilson
from algosync.answers.gates.resampling import bootstrap, resampled_metric
from algosync.core.testing.case import Metric

CLASS_METRICS: tuple[Metric, ...] = ("accuracy", "f1", "precision", "recall")
NAMES = st.sampled_from(["setosa", "virginica", "versicolor", "1", "true"])
PAIRS = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=60)
NUMBERS = st.floats(-1e6, 1e6)


def theirs(name: str) -> Any:
    """A function of scikit-learn. The import takes seconds, also in workers that run no test of this file."""
    from sklearn import metrics

    return getattr(metrics, {"rmse": "root_mean_squared_error", "mae": "mean_absolute_error"}.get(name, f"{name}_score"))


def texts(values: Sequence[object]) -> list[str]:
    return [json.dumps(value) for value in values]


@settings(max_examples=50)
@given(PAIRS, st.sampled_from(CLASS_METRICS), st.booleans())
def test_metrics_of_classes_are_those_of_scikit_learn(pairs: list[tuple[str, str]], metric: Metric, positive: bool) -> None:
    truth, predicted = zip(*pairs, strict=True)
    if metric == "accuracy":
        assert metric_value(metric, texts(truth), texts(predicted)) == theirs(metric)(truth, predicted)
        return
    if positive:
        one, other = [name == "setosa" for name in truth], [name == "setosa" for name in predicted]
        expected = theirs(metric)(one, other, zero_division=0)
        chosen = '"setosa"'
    else:
        expected, chosen = theirs(metric)(truth, predicted, average="macro", zero_division=0), None
    assert metric_value(metric, texts(truth), texts(predicted), chosen) == pytest.approx(expected, abs=1e-12)
    alone = resampled_metric(metric, texts(truth), texts(predicted), chosen, np.ones((1, len(truth))))
    assert alone == pytest.approx(expected, abs=1e-12)


@settings(max_examples=50)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=60), st.sampled_from(["rmse", "mae"]))
def test_errors_of_numbers_are_those_of_scikit_learn(pairs: list[tuple[float, float]], metric: Metric) -> None:
    truth, predicted = zip(*pairs, strict=True)
    expected = theirs(metric)(truth, predicted)
    assert metric_value(metric, texts(truth), texts(predicted)) == expected
    assert resampled_metric(metric, texts(truth), texts(predicted), None, np.ones((1, len(truth)))) == pytest.approx(expected)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])), min_size=2, max_size=60))
def test_the_area_under_the_curve_is_that_of_scikit_learn(pairs: list[tuple[bool, float]]) -> None:
    truth, scores = zip(*pairs, strict=True)
    assume(len(set(truth)) == 2)
    expected = theirs("roc_auc")(truth, scores)
    assert metric_value("roc_auc", texts(truth), texts(scores), "true") == expected
    assert resampled_metric("roc_auc", texts(truth), texts(scores), "true", np.ones((1, len(truth)))) == pytest.approx(expected)


@settings(max_examples=50)
@given(PAIRS, st.sampled_from(CLASS_METRICS[1:]), st.data())
def test_a_resample_has_the_metric_of_its_own_cases(pairs: list[tuple[str, str]], metric: Metric, data: st.DataObject) -> None:
    """A class that does not occur in a resample does not count in its mean."""
    drawn = data.draw(st.lists(st.integers(0, len(pairs) - 1), min_size=1, max_size=60))
    weights = np.bincount(drawn, minlength=len(pairs)).astype(float)
    truth, predicted = zip(*(pairs[place] for place in drawn), strict=True)
    expected = theirs(metric)(truth, predicted, average="macro", zero_division=0)
    labels, predictions = texts([one for one, _ in pairs]), texts([other for _, other in pairs])
    assert resampled_metric(metric, labels, predictions, None, weights[None]) == pytest.approx(expected, abs=1e-12)


def test_a_case_without_a_prediction_is_wrong_and_no_class_of_its_own() -> None:
    labels, predicted = texts(["a", "a", "b", "b"]), ['"a"', None, '"b"', '"b"']
    assert metric_value("accuracy", labels, predicted) == metric_value("exact", labels, predicted) == 0.75
    assert metric_value("recall", labels, predicted) == 0.75
    assert metric_value("f1", labels, predicted) == pytest.approx((2 / 3 + 1) / 2)


def test_exact_needs_no_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sklearn", "numpy"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert metric_value("exact", ["[1]", "2"], ["[1]", "3"]) == 0.5
    with pytest.raises(Exception, match="metric: f1: the library sklearn is not installed") as caught:
        metric_value("f1", ["1"], ["1"])
    assert getattr(caught.value, "hint", "") == "pip install 'algosync[metrics]'"


def test_the_area_needs_both_kinds_of_cases() -> None:
    with pytest.raises(UndefinedMetric, match="all 2 are of one kind"):
        metric_value("roc_auc", ["true", "true"], ["0.5", "0.7"], "true")


def test_few_cases_have_a_wide_interval_and_many_a_narrow_one() -> None:
    """The known values of Wilson's interval."""
    few, many = wilson(1.0, 3), wilson(0.9, 1000)
    assert (round(few.low, 4), few.high) == (0.4385, 1.0)
    assert (round(many.low, 4), round(many.high, 4)) == (0.8798, 0.9171)
    assert wilson(0.0, 1).low == 0.0


def test_a_difference_of_pairs_is_sure_where_many_cases_agree() -> None:
    one = paired_difference(1, 0, 1)
    assert one.low < 0 < one.high
    many = paired_difference(60, 10, 1000)
    assert 0.03 < many.low < 0.05 < many.high < 0.07


def test_the_bootstrap_is_the_same_each_time_and_near_the_spread_of_the_metric() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=400)
    candidate, published = truth + random.normal(size=400), truth + random.normal(size=400) * 1.5
    labels, both = texts(truth.tolist()), [texts(candidate.tolist()), texts(published.tolist())]
    first = bootstrap("mae", labels, both, None)
    assert first == bootstrap("mae", labels, both, None)
    own, other, difference = first
    error = abs(candidate - truth)
    spread = 1.96 * error.std() / math.sqrt(400)
    assert own.low == pytest.approx(error.mean() - spread, abs=0.01)
    assert own.high == pytest.approx(error.mean() + spread, abs=0.01)
    assert own.high < other.low
    assert difference.high < 0


def test_pairs_are_drawn_together() -> None:
    """Two versions that answer nearly the same differ by little for sure, although each one alone is unsure."""
    random = np.random.default_rng(2)
    truth = random.integers(0, 3, 500)
    published = np.where(random.random(500) < 0.7, truth, (truth + 1) % 3)
    candidate = published.copy()
    candidate[:5] = (truth[:5] + 1) % 3
    own, _, difference = bootstrap("f1", texts(truth.tolist()), [texts(candidate.tolist()), texts(published.tolist())], None)
    assert difference.high - difference.low < (own.high - own.low) / 3
