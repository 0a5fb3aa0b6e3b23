"""Outcomes of gates: lines, the published version, slices and noise; and the predictions in answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from algosync.answers.gates import NoPrediction, Sample, label_of, outcome_of, prediction_of
from algosync.answers.gates.verdict import MOST_SLICES
from algosync.core.testing.answer import Answer, CallFailure
from algosync.core.testing.case import QualityGate
from algosync.core.testing.gate import GateOutcome

A, B = '"a"', '"b"'


def rows(right: int, cases: int, published: int | None = None, part: str | None = None, *, apart: bool = False) -> Iterator[Sample]:
    """Cases of which the first ones are answered rightly. `apart`: the published version has the last ones right instead."""
    for place in range(cases):
        label, other = (A, B) if place % 2 else (B, A)
        before = None if published is None else (place >= cases - published if apart else place < published)
        yield Sample(label, label if place < right else other, None if before is None else label if before else other, part)


def judged(gate: QualityGate, *samples: Iterator[Sample], compared: bool = True) -> GateOutcome:
    return outcome_of(gate, [sample for each in samples for sample in each], compared=compared)


def told(outcome: GateOutcome) -> list[str]:
    return [f"{each} [{each.expectation}]" for each in outcome.broken]


ACCURACY = QualityGate("accuracy")
WORSE = QualityGate("accuracy", no_worse_than_published=0.01)


def test_a_line_that_is_not_reached_is_told_with_the_interval() -> None:
    gate = replace(ACCURACY, at_least=0.9)
    assert told(judged(gate, rows(90, 100), compared=False)) == []
    assert told(judged(gate, rows(89, 100), compared=False)) == [
        "accuracy: expected at least 0.9, got 0.89 (95%: 0.8137 to 0.9375; 100 cases) [gates]"
    ]
    most = QualityGate("mae", at_most=0.5)
    numbers = [Sample("1.0", "1.25"), Sample("2.0", "3.0")]
    assert told(outcome_of(most, numbers, compared=False)) == [
        "mae: expected at most 0.5, got 0.625 (too few for an interval; 2 cases) [gates]"
    ]


def test_a_value_is_not_rounded_up_to_its_line() -> None:
    gate = replace(ACCURACY, at_least=0.9)
    (line,) = told(judged(gate, rows(899_999, 1_000_000), compared=False))
    assert "got 0.899999 (" in line


def test_a_model_that_is_better_overall_and_worse_in_one_slice_is_refused_with_the_slice_named() -> None:
    gate = replace(WORSE, by="region")
    outcome = judged(gate, rows(380, 400, 340, "north"), rows(60, 100, 85, "south"))
    overall, north, south = outcome.scores
    assert (overall.value, overall.published) == (0.88, 0.85)
    assert (north.part, north.value, south.part, south.value, south.published) == ("north", 0.95, "south", 0.6, 0.85)
    assert [each.path for each in outcome.broken] == ["accuracy of region south"]
    assert outcome.broken[0].expected == "at most 0.01 worse than the published 0.85"
    assert outcome.broken[0].got.startswith("0.6, 0.25 worse (95%: ")
    assert "100 cases" in outcome.broken[0].got
    assert not outcome.notes


@pytest.mark.parametrize("metric", ["accuracy", "exact", "f1"])
def test_a_worse_model_within_noise_is_told_as_such_and_passes_or_not(metric: str) -> None:
    gate = replace(WORSE, metric=metric)  # type: ignore[arg-type]  # a text
    outcome = judged(gate, rows(85, 100, 88, apart=True))
    assert outcome.broken == ()
    assert len(outcome.notes) == 1
    assert outcome.notes[0].endswith("within noise")
    assert "worse (95%: -" in outcome.notes[0]
    strict = judged(replace(gate, noise="fail"), rows(85, 100, 88, apart=True))
    assert [each.note for each in strict.broken] == ["within noise, which `noise: fail` does not allow"]
    assert strict.notes == ()


@pytest.mark.parametrize("metric", ["accuracy", "f1"])
def test_a_worse_model_beyond_noise_is_refused(metric: str) -> None:
    outcome = judged(replace(WORSE, metric=metric), rows(850, 1000, 900))  # type: ignore[arg-type]  # a text
    assert [each.note for each in outcome.broken] == [""]
    assert outcome.notes == ()


def test_what_is_allowed_is_not_exceeded_by_a_rounding_error() -> None:
    assert judged(WORSE, rows(90, 100, 91)).broken == judged(replace(WORSE, noise="fail"), rows(90, 100, 91)).broken == ()


def test_five_cases_that_changed_are_never_more_than_noise() -> None:
    for metric in ("accuracy", "f1"):
        gate = replace(WORSE, metric=metric)
        assert judged(gate, rows(0, 5, 5)).broken == ()
        assert judged(gate, rows(0, 6, 6)).broken != ()


def test_a_slice_of_few_cases_is_held_to_a_line_as_far_as_they_tell() -> None:
    gate = replace(ACCURACY, at_least=0.8, by="region")
    outcome = judged(gate, rows(95, 100, part="north"), rows(2, 3, part="south"), compared=False)
    assert outcome.broken == ()
    assert outcome.notes == (
        "accuracy of region south has to be at least 0.8, and is 0.6667 (95%: 0.2077 to 0.9385; 3 cases): within noise",
    )
    strict = judged(replace(gate, noise="fail"), rows(95, 100, part="north"), rows(2, 3, part="south"), compared=False)
    assert [each.path for each in strict.broken] == ["accuracy of region south"]
    bad = judged(gate, rows(95, 100, part="north"), rows(5, 20, part="south"), compared=False)
    assert [each.path for each in bad.broken] == ["accuracy of region south"]


def test_the_error_of_numbers_is_worse_if_it_is_larger() -> None:
    gate = QualityGate("rmse", no_worse_than_published=0.1)
    samples = [Sample(repr(float(n)), repr(n + 1.0 + n % 3), repr(n + 0.5), None) for n in range(200)]
    outcome = outcome_of(gate, samples, compared=True)
    assert [each.path for each in outcome.broken] == ["rmse"]
    better = [replace(each, predicted=each.published, published=each.predicted) for each in samples]
    assert outcome_of(gate, better, compared=True).broken == ()


def test_cases_without_a_prediction_are_wrong_or_fail_a_metric_of_numbers() -> None:
    samples = [*rows(98, 98), Sample(A, None), Sample(B, None)]
    outcome = outcome_of(replace(ACCURACY, at_least=0.9), samples, compared=False)
    assert (outcome.scores[0].value, outcome.broken) == (0.98, ())
    assert outcome.notes == ("2 cases without a prediction counted as wrong",)
    numbers = outcome_of(QualityGate("mae", at_most=9), [Sample("1.0", "1.0"), Sample("1.0", None)], compared=False)
    assert (told(numbers), numbers.scores) == (["mae: expected a number for each case, got 1 of 2 cases has no number [gates]"], ())


def test_a_gate_whose_path_is_nowhere_in_the_answers_fails() -> None:
    """Both versions would be equally wrong."""
    samples = [Sample(A, None, None)] * 10
    assert told(outcome_of(replace(WORSE, answer="$.lable"), samples, compared=True)) == [
        "the prediction at $.lable: expected a value, got missing (10 cases) [gates]"
    ]


def test_a_positive_label_that_no_case_has_fails() -> None:
    """The metric of both versions would be 0."""
    gate = QualityGate("f1", positive='"z"', no_worse_than_published=0.01)
    (line,) = told(judged(gate, rows(90, 100, 90)))
    assert line == 'positive: "z": expected the label of a case, got in none of 100 cases [gates]'


def test_a_published_version_without_numbers_is_not_compared() -> None:
    samples = [Sample("1.0", "1.0", "1.0"), Sample("1.0", "1.0", None)]
    outcome = outcome_of(QualityGate("mae", no_worse_than_published=0), samples, compared=True)
    assert outcome.notes == ("the published version has no number for 1 case, so nothing is compared with it",)
    assert (outcome.broken, outcome.scores[0].published) == ((), None)


def test_a_slice_for_which_the_metric_is_not_defined_fails() -> None:
    gate = QualityGate("roc_auc", at_least=0.5, positive="true", by="region")
    samples = [Sample("true", "0.9", part="n"), Sample("false", "0.1", part="n"), Sample("true", "0.9", part="s")]
    outcome = outcome_of(gate, samples, compared=False)
    assert told(outcome) == [
        "roc_auc of region s: expected a value of roc_auc, got none "
        "(roc_auc needs cases with the positive label and others; all 1 are of one kind) [gates]"
    ]


def test_too_many_slices_are_refused() -> None:
    samples = [Sample(A, A, part=str(number)) for number in range(MOST_SLICES + 1)]
    assert told(outcome_of(replace(ACCURACY, at_least=0.5, by="id"), samples, compared=False)) == [
        "by: id: expected at most 200 slices, got 201 [gates]"
    ]


@pytest.mark.parametrize(
    ("path", "metric", "kind", "body", "found"),
    [
        ("$", "accuracy", "json", b'"a"', '"a"'),
        ("$", "accuracy", "text", b"a", '"a"'),
        ("$.label", "accuracy", "json", b'{"label": 1.0}', "1"),
        ("$.label", "accuracy", "json", b'{"label": true}', "true"),
        ("$.label", "accuracy", "json", b'{"label": null}', "null"),
        ("$['a b'][0]", "f1", "json", b'{"a b": ["1"]}', '"1"'),
        ("$", "exact", "json", b'{"b": [1.0, 2], "a": null}', '{"a": null, "b": [1, 2]}'),
        ("$", "rmse", "json", b"1", "1.0"),
        ("$.s", "roc_auc", "json", b'{"s": 0.25}', "0.25"),
    ],
)
def test_the_prediction_in_an_answer(path: str, metric: str, kind: str, body: bytes, found: str) -> None:
    gate = QualityGate(metric, path)  # type: ignore[arg-type]  # a text
    assert prediction_of(gate, Answer(kind, body)) == found


@pytest.mark.parametrize(
    ("path", "metric", "body", "why"),
    [
        ("$.label", "accuracy", b'{"other": 1}', "the answer has no value there"),
        ("$.label", "accuracy", b"[1]", "the answer has no value there"),
        ("$", "accuracy", b"[1]", "the value there is a list or an object, and a label is none"),
        ("$", "mae", b'"1"', "the value there is not a number"),
        ("$", "mae", b"true", "the value there is not a number"),
        ("$", "mae", b"1e400", "the number there is too large"),
        ("$", "roc_auc", b"null", "the value there is not a number"),
        ("$", "f1", b"NaN", "the answer is not JSON: NaN is not a number of JSON"),
        ("$", "f1", b"[" * 10_000, "the answer is nested deeper than 400 levels"),
        ("$", "f1", b"\xff", "the answer is not UTF-8"),
        ("$", "f1", b'"' + b"x" * (16 << 20) + b'"', "the answer is longer than 16 MiB"),
    ],
)
def test_an_answer_without_a_prediction(path: str, metric: str, body: bytes, why: str) -> None:
    with pytest.raises(NoPrediction) as caught:
        prediction_of(QualityGate(metric, path), Answer("json", body))  # type: ignore[arg-type]  # a text
    assert str(caught.value) == why


def test_a_failed_call_has_no_prediction() -> None:
    with pytest.raises(NoPrediction, match="the call failed"):
        prediction_of(ACCURACY, Answer("", b"", failure=CallFailure("boom")))


def test_labels_compare_as_json_values_and_long_ones_take_no_room() -> None:
    assert label_of(ACCURACY, "1.0") == label_of(ACCURACY, "1") != label_of(ACCURACY, '"1"')
    assert label_of(QualityGate("mae"), "1") == "1.0"
    long = '"' + "x" * 1_000_000 + '"'
    assert label_of(ACCURACY, long) == prediction_of(ACCURACY, Answer("json", long.encode()))
    assert len(label_of(ACCURACY, long)) < 100
