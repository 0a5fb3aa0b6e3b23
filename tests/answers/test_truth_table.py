"""What passes and what does not, as data: each expectation, each modifier, numbers, texts, order, depth, bytes."""

import json

import pytest
from truth_table import FAILS, PASSES, Row

from algosync.answers import EXPECTATIONS, faults, judge
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import Expectation


@pytest.mark.parametrize("row", PASSES, ids=str)
def test_the_answer_passes(row: Row) -> None:
    assert faults(row.expect) == []
    assert judge(row.expect, row.answer) == ()


@pytest.mark.parametrize("row", FAILS, ids=str)
def test_the_answer_does_not_pass(row: Row) -> None:
    assert faults(row.expect) == []
    found = judge(row.expect, row.answer)
    assert [(each.expectation, each.path) for each in found] == list(row.places)
    for each in found:
        assert each.expected or each.got or each.note
        assert max(len(each.expected), len(each.got)) <= 80


def test_the_table_has_every_expectation_and_modifier() -> None:
    used = {name for row in (*PASSES, *FAILS) for name in row.given}
    assert len(PASSES) + len(FAILS) >= 120
    assert used == {*EXPECTATIONS, "tolerance", "ignore", "ignore_order"}


NOTES = [
    ("NFC and NFD", "differ only in their normalisation form of Unicode: NFC, got NFD"),
    ("zero width space", "differ only in invisible characters: none, got U+200B"),
    ("no-break space", "differ only in invisible characters: none, got U+00A0"),
    ("name in another form", "another name here, which looks the same"),
    ("name with an invisible character", "another name here, which looks the same"),
    ("missing member", "the answer has nothing here"),
    ("member too many", "nothing is expected here"),
    ("match length", "its length is 1"),
    ("match matches a number", "`matches` does not apply to an integer"),
    ("NaN", "not JSON: NaN is not a number of JSON"),
    ("no UTF-8", "not UTF-8"),
    ("too deep", "nested deeper than 400 levels"),
    ("null for a schema without a type", "does not name null"),
    ("printed nothing", "printed nothing"),
    ("failed call", "the call failed"),
]


@pytest.mark.parametrize(("name", "note"), NOTES)
def test_a_note_says_what_cannot_be_seen(name: str, note: str) -> None:
    (row,) = (row for row in FAILS if row.name == name)
    assert note in judge(row.expect, row.answer)[0].note


def test_only_the_first_ten_are_shown_with_the_number_of_others() -> None:
    many = [f"v{number}" for number in range(25)]
    found = judge(Expectation(equals=json.dumps(many), max_seconds=1), Answer("json", json.dumps([None] * 25).encode(), seconds=2))
    assert [each.path for each in found[:10]] == [f"$[{number}]" for number in range(10)]
    assert (found[10].note, found[11].expectation) == ("and 15 more", "max_seconds")


def test_long_texts_are_shortened_in_the_middle_and_the_place_is_told() -> None:
    (found,) = judge(Expectation(equals=json.dumps("a" * 500 + "b")), Answer("json", json.dumps("a" * 300 + "cb").encode()))
    assert found.expected == '"' + "a" * 35 + "…" + "a" * 33 + 'b"'
    assert found.note == "the texts differ from character 301 on"
