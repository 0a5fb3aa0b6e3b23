"""Laws that hold for any JSON value."""

import json
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from algosync.answers import accepted, judge, read_baseline
from algosync.answers.difference import path_of
from algosync.answers.selection import selected
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import Baseline, Expectation, Tolerance

Place: TypeAlias = tuple[Any, ...]

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5), max_leaves=20)


def answer(value: Any) -> Answer:
    return Answer("json", json.dumps(value).encode())


@given(VALUES)
def test_a_value_equals_and_contains_itself(value: Any) -> None:
    text = json.dumps(value, sort_keys=True, indent=1)
    expect = Expectation(equals=text, contains=text)
    assert judge(expect, answer(value)) == ()


@given(VALUES, st.randoms(use_true_random=False))
def test_a_value_equals_itself_in_any_order(value: Any, random: Any) -> None:
    expect = Expectation(equals=json.dumps(value), contains=json.dumps(value), ignore_order=True)
    assert judge(expect, answer(shuffled(value, random))) == ()


@given(VALUES, st.data())
def test_a_value_contains_each_subset(value: Any, data: st.DataObject) -> None:
    part = subset(value, data)
    if value is not None:
        assert judge(Expectation(contains=json.dumps(part)), answer(value)) == ()


@given(VALUES, st.data())
def test_a_changed_leaf_is_found_at_its_place(value: Any, data: st.DataObject) -> None:
    places = list(leaves(value))
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    expect = Expectation(equals=json.dumps(value), contains=json.dumps(value))
    found = judge(expect, answer(replaced(value, place, {"changed": [place and 1]})))
    assert [each.path for each in found] == [path_of(place)] * 2
    if not any("\ud800" <= letter <= "\udfff" for name in place for letter in str(name)):  # no JSONPath names half of a pair
        assert [found for found, _ in selected(path_of(place), value)] == [place]


@given(VALUES)
def test_an_accepted_answer_passes_its_baseline(value: Any) -> None:
    text = accepted(answer(value))
    text.encode()  # it can be written
    assert read_baseline(text).content_type == "json"
    assert judge(Expectation(baseline=Baseline("a.json", text)), answer(value)) == ()


@settings(max_examples=50)
@given(st.lists(st.integers(0, 30), max_size=6), st.lists(st.integers(0, 30), max_size=6))
def test_numbers_without_order_are_paired_like_sorted_ones(one: list[int], other: list[int]) -> None:
    expect = Expectation(equals=json.dumps(one), tolerance=Tolerance(absolute=3), ignore_order=True)
    close = len(one) == len(other) and all(abs(a - b) <= 3 for a, b in zip(sorted(one), sorted(other), strict=True))
    assert (judge(expect, answer(other)) == ()) is close


def leaves(value: Any, place: Place = ()) -> Any:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, (dict, list)):
        yield place
    for part, one in inner:
        yield from leaves(one, (*place, part))


def replaced(value: Any, place: Place, leaf: Any) -> Any:
    if not place:
        return leaf
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], leaf)
    return copy


def subset(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        return {name: subset(one, data) for name, one in value.items() if data.draw(st.booleans())}
    if isinstance(value, list):
        return [subset(one, data) for one in value if data.draw(st.booleans())]
    return value


def shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, dict):
        return {name: shuffled(one, random) for name, one in reversed(value.items())}
    if isinstance(value, list):
        return random.sample([shuffled(one, random) for one in value], len(value))
    return value
