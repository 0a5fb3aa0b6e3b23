"""Expectations that no answer can meet, or that cannot be read, and those that are fine."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.answers import faults, judge
from algosync.answers.schemas.keywords import keyword_faults
from algosync.core.testing.answer import Answer, CallFailure
from algosync.core.testing.case import Baseline, Expectation, Tolerance

CONDITIONS = [
    ('{"<": [1]}', "needs a number or a text, not an array"),
    ('{">=": true}', "needs a number or a text, not a boolean"),
    ('{"matches": 7}', "needs a regular expression, not an integer"),
    ('{"matches": "("}', "cannot be read"),
    ('{"length": -1}', "never below 0"),
    ('{"length": {"<": 0}}', "never below 0"),
    ('{"length": 1.5}', "whole number"),
    ('{"length": "3"}', "number or conditions"),
    ('{"length": {"in": [3]}}', "has no condition `in`"),
    ('{"type": "strnig"}', "did you mean string?"),
    ('{"type": []}', "empty list"),
    ('{"type": {"a": 1}}', "has no type"),
    ('{"in": "abc"}', "needs a list"),
    ('{"in": []}', "empty list"),
    ('{"=>": 3}', "did you mean `"),
    ('{"lenght": 3}', "did you mean `length`?"),
    ('{"label": "cat"}', 'write {"==": {…}}'),
    ("{}", "no condition"),
    ("NaN", "NaN is not a number of JSON"),
]


@pytest.mark.parametrize(("condition", "message"), CONDITIONS)
def test_a_condition_that_no_value_meets(condition: str, message: str) -> None:
    (fault,) = faults(Expectation(match=(("$.ok", "1"), ("$.a", condition))))
    assert (fault.key, fault.item) == ("match", "$.a")
    assert message in fault.message


SLIPS = [
    ({"propertes": {}}, ["properties"]),
    ({"properties": {"requierd": {"minlength": 1}}, "requierd": ["a"]}, ["required", "minLength"]),
    ({"anyOf": [{"additional_properties": False}]}, ["additionalProperties"]),
    ({"items": {"$defs": {"a": {"tpye": "object"}}}}, ["type"]),
    ({"$reff": "#", "ref": "#"}, ["$ref", "$ref"]),
]


@pytest.mark.parametrize(("schema", "meant"), SLIPS)
def test_a_misspelled_keyword_of_a_schema_is_named_with_the_right_one(schema: object, meant: list[str]) -> None:
    found = faults(Expectation(schema=json.dumps(schema)))
    assert [re.findall("did you mean '(.*)'\\?", fault.message) for fault in found] == [[each] for each in meant]
    assert {fault.key for fault in found} == {"schema"}


@pytest.mark.parametrize(
    "schema",
    [
        {"example": 1, "nullable": True, "discriminator": {}, "x-requierd": 1, "$comment": "c", "comment": "c", "note": "n"},
        {"name": "n", "unit": "m", "label": "l", "version": "1", "min": 1, "max": 2, "optional": True, "id": "a", "item": 1},
        {"enum": [{"requierd": 1}], "const": {"propertes": 1}, "default": {"itmes": 1}, "examples": [{"patern": 1}]},
        {"properties": {"requierd": True, "itmes": {}}, "$defs": {"propertes": {}}, "definitions": {}, "dependencies": {}},
        {"$anchor": "a", "deprecated": True, "contentSchema": {}, "unevaluatedItems": False},
    ],
)
def test_annotations_and_names_in_a_schema_are_no_misspelled_keywords(schema: object) -> None:
    assert faults(Expectation(schema=json.dumps(schema))) == []


@given(st.data())
def test_a_slip_in_a_long_keyword_is_found(data: st.DataObject) -> None:
    keyword = data.draw(st.sampled_from(["additionalProperties", "maxLength", "required", "properties", "exclusiveMinimum"]))
    at = data.draw(st.integers(0, len(keyword) - 2))
    cut, swapped = keyword[:at] + keyword[at + 1 :], keyword[:at] + keyword[at + 1] + keyword[at] + keyword[at + 2 :]
    slip = data.draw(st.sampled_from([cut, swapped, keyword[:at] + "q" + keyword[at:], keyword[:at] + "q" + keyword[at + 1 :]]))
    assert slip == keyword or any(f"'{keyword}'" in text for text in keyword_faults({slip: 1}))


FAULTS: list[tuple[dict[str, Any], str, str | int | None, str]] = [
    ({"match": (("a.b", "1"),)}, "match", "a.b", "no JSONPath"),
    ({"match": (("$.a[?count(@.b)]", "1"),)}, "match", "$.a[?count(@.b)]", "no JSONPath"),
    ({"match": (("$" + "[?(" * 5000, "1"),)}, "match", "$" + "[?(" * 5000, "no JSONPath"),
    ({"ignore": ("$.a", "$[")}, "ignore", 1, "no JSONPath"),
    ({"equals": "1", "ignore": ("$",)}, "ignore", 0, "the whole answer"),
    ({"error": "(a"}, "error", None, "cannot be read"),
    ({"error": "x", "size": "3"}, "error", None, "together with `size`"),
    ({"printed": ("ok", "[")}, "printed", 1, "cannot be read"),
    ({"not_printed": ("*",)}, "not_printed", 0, "cannot be read"),
    ({"sha256": "abc"}, "sha256", None, "64 hexadecimal digits"),
    ({"content_type": "jsn"}, "content_type", None, "did you mean json?"),
    ({"content_type": "application/pdf"}, "content_type", None, "one of json"),
    ({"size": '"10"'}, "size", None, "number or conditions"),
    ({"size": '{"matches": "1"}'}, "size", None, "has no condition `matches`"),
    ({"max_seconds": -1.0}, "max_seconds", None, "above 0"),
    ({"max_seconds": float("nan")}, "max_seconds", None, "above 0"),
    ({"tolerance": Tolerance(relative=-1e-6)}, "tolerance", "relative", "from 0 on"),
    ({"tolerance": Tolerance(absolute=float("inf"))}, "tolerance", "absolute", "from 0 on"),
    ({"schema": '{"type": "objekt"}'}, "schema", None, "no JSON Schema"),
    ({"schema": '{"pattern": "("}'}, "schema", None, "no JSON Schema"),
    ({"schema": '{"minimum": "1"}'}, "schema", None, "no JSON Schema"),
    ({"schema": "[]"}, "schema", None, "object or a boolean"),
    ({"schema": '{"$schema": "http://json-schema.org/draft-07/schema#"}'}, "schema", None, "another dialect"),
    ({"schema": '{"$ref": "https://example.com/a.json"}'}, "schema", None, "nothing is fetched"),
    ({"schema": '{"properties": {"a": {"$ref": "#/$defs/none"}}}'}, "schema", None, "not inside the schema"),
    ({"schema": '{"not": ' * 5000 + "{}" + "}" * 5000}, "schema", None, "nested deeper"),
    ({"baseline": Baseline("a.json", '{"a": 1}')}, "baseline", None, "no baseline"),
    ({"baseline": Baseline("a.json", '{"format_version": 2}')}, "baseline", None, "another format"),
    ({"baseline": Baseline("a.json", '{"format_version": 1, "content_type": "json"}')}, "baseline", None, "damaged"),
    ({"equals": "{'a': 1}"}, "equals", None, "not JSON"),
]


@pytest.mark.parametrize(("expect", "key", "item", "message"), FAULTS)
def test_a_fault_names_its_place(expect: dict[str, Any], key: str, item: str | int | None, message: str) -> None:
    (fault,) = faults(Expectation(**expect))
    assert (fault.key, fault.item) == (key, item)
    assert message in fault.message


@pytest.mark.parametrize(("expect", "key"), [row[:2] for row in FAULTS if row[1] not in ("tolerance", "max_seconds", "ignore")])
def test_an_answer_fails_an_expectation_with_a_fault(expect: dict[str, Any], key: str) -> None:
    answer = Answer("json", b'{"a": 1}', printed="x")
    found = [*judge(Expectation(**expect), answer), *judge(Expectation(**expect), replace(answer, failure=CallFailure("x")))]
    assert key in {each.expectation for each in found}


@pytest.mark.parametrize("condition", [row[0] for row in CONDITIONS])
def test_an_answer_fails_a_condition_that_no_value_meets(condition: str) -> None:
    (found,) = judge(Expectation(match=(("$", condition),)), Answer("json", b'{"label": "cat"}'))
    assert found.expected or found.note


def test_paths_to_ignore_that_cannot_be_read_are_told() -> None:
    (found,) = judge(Expectation(equals="1", ignore=("$[",)), Answer("json", b"1"))
    assert found.note.startswith("the expectation cannot be met: `ignore` is no JSONPath")


def test_all_faults_are_told_at_once() -> None:
    expect = Expectation(match=(("$", '{"<": [], "type": "x"}'), ("a", "1")), sha256="x", printed=("(", "["))
    assert [(fault.key, fault.item) for fault in faults(expect)] == [
        ("match", "$"),
        ("match", "$"),
        ("match", "a"),
        ("sha256", None),
        ("printed", 0),
        ("printed", 1),
    ]


def test_references_inside_a_schema_and_to_the_dialect_are_fine() -> None:
    schema = """{"$id": "https://example.com/s", "$defs": {"a": {"$anchor": "x", "type": "null"}, "b": {"$id": "t"}},
        "anyOf": [{"$ref": "#x"}, {"$ref": "#/$defs/a"}, {"$ref": "t"}, {"$ref": "https://json-schema.org/draft/2020-12/schema"}]}"""
    assert faults(Expectation(schema=schema)) == []


@pytest.mark.filterwarnings("error")
def test_a_pattern_that_python_warns_about_is_fine() -> None:
    assert faults(Expectation(printed=("[[a]",), match=(("$", '{"matches": "[a||b]"}'),))) == []
