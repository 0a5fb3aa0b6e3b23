"""The strict reader of JSON: what it takes, what it refuses, and why."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.json_document import TooDeep, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_it_reads_what_json_can_hold(value: object) -> None:
    assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("1 2", "Extra data"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('[{"b": {"a": 1, "a": 1}}]', "'a' is there twice"),
        ("NaN", "NaN is not a finite number"),
        ("[-Infinity]", "-Infinity is not a finite number"),
        ("1e999", "1e999 is not a finite number"),
        ("[" * 200_000, "nested too deep"),
    ],
)
def test_it_refuses_the_rest(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_json(text)


def test_each_rule_can_be_lifted() -> None:
    assert read_json('{"a": 1, "a": 2}', unique=False) == {"a": 2}
    number = read_json("NaN", finite=False)
    assert isinstance(number, float)
    assert math.isnan(number)


def test_the_number_of_levels_is_exact() -> None:
    assert read_json("[[{}]]", deepest=3) == [[{}]]
    with pytest.raises(TooDeep):
        read_json("[[{}]]", deepest=2)
