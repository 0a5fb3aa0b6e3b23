"""Keys in the file: where they are, also merged, shared and repeated ones, and the paths of faults."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.leak import check_nodes
from algosync.workflow.node import MapNode, Node, Scalar
from algosync.workflow.parsing.json_reader import read_json
from algosync.workflow.parsing.yaml_reader import read_yaml

Reader = Callable[[str, Faults], Node]


def top(text: str, read: Reader = read_yaml) -> MapNode:
    faults = Faults()
    node = read(text, faults)
    assert isinstance(node, MapNode)
    assert faults.found == []
    return node


def faults_of(text: str, read: Reader = read_yaml) -> list[tuple[int, int, str, str]]:
    faults = Faults()
    with suppress(UnreadableError):
        read(text, faults)
    return [(fault.line, fault.column, fault.path, fault.message) for fault in faults.found]


def places(node: MapNode) -> list[tuple[str, int, int]]:
    return [(key.text, key.line, key.column) for key in node.key_nodes()]


@pytest.mark.parametrize("read", [read_yaml, read_json], ids=["yaml", "json"])
def test_every_key_has_its_place(read: Reader) -> None:
    node = top('{"a": 1,\n  "é\\u00e9": {"b": [1, {"c": 2}]}, "d":\n\n null, "1": "2"\n}', read)
    assert places(node) == [("a", 1, 2), ("éé", 2, 3), ("d", 2, 36), ("1", 4, 8)]
    inner = node.entries["éé"]
    assert isinstance(inner, MapNode)
    assert places(inner) == [("b", 2, 15)]
    assert (node.key("d").line, node.key("d").column) == (2, 36)


def test_a_merged_key_is_where_it_was_written() -> None:
    node = top("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  b: 5\n  <<: [*x, *y]\n  d: 6\n").entries["z"]
    assert isinstance(node, MapNode)
    assert places(node) == [("a", 1, 8), ("b", 4, 3), ("c", 2, 14), ("d", 6, 3)]
    assert [value.text for value in node.entries.values() if isinstance(value, Scalar)] == ["1", "5", "4", "6"]


def test_a_quoted_merge_key_is_a_key_and_an_alias_of_an_unquoted_one_merges() -> None:
    assert list(top('x: &x {a: 1}\ny: {"<<": *x}\n').entries) == ["x", "y"]
    quoted = top('x: &x {a: 1}\ny: {"<<": *x}\n').entries["y"]
    merged = top("k: &k <<\nx: &x {a: 1}\ny: {*k : *x}\n").entries["y"]
    assert isinstance(quoted, MapNode)
    assert isinstance(merged, MapNode)
    assert (list(quoted.entries), list(merged.entries)) == (["<<"], ["a"])


@pytest.mark.parametrize("first", ["<<: {}", '"<<": {}'])
@pytest.mark.parametrize("second", ["<<: {}", '"<<": {}'])
def test_two_merge_keys_are_repeated_however_they_are_quoted(first: str, second: str) -> None:
    assert faults_of(f"a:\n  {first}\n  {second}\n") == [(3, 3, 'a["<<"]', "the key '<<' is on line 2 already")]


def test_a_number_is_no_key_even_after_the_same_text_in_quotes() -> None:
    found = faults_of('a: {"1": x}\nb: {1: x}\nc: {"true": x}\nd: {true: x}\n')
    assert [(line, column, path) for line, column, path, _ in found] == [(2, 5, "b"), (4, 5, "d")]


@pytest.mark.parametrize("read", [read_yaml, read_json], ids=["yaml", "json"])
def test_repeated_keys_name_the_line_of_the_first(read: Reader) -> None:
    text = '{"m": {"a": 1,\n"b": 1,\n"a": 2,\n"c": 3,\n"c": 4,\n"b": 5, "a": 6}}'
    assert faults_of(text, read) == [
        (3, 1, "m.a", "the key 'a' is on line 1 already"),
        (5, 1, "m.c", "the key 'c' is on line 4 already"),
        (6, 1, "m.b", "the key 'b' is on line 2 already"),
        (6, 9, "m.a", "the key 'a' is on line 1 already"),
    ]


@pytest.mark.parametrize("read", [read_yaml, read_json], ids=["yaml", "json"])
def test_repeated_keys_are_reported_before_a_fault_that_ends_the_reading(read: Reader) -> None:
    deep = "[" * 101 + "]" * 101
    found = faults_of(f'{{"a": {{"b": 1, "b": {deep}}}, "a": 2, "a": {deep}}}', read)
    assert [(path, message[:6]) for _, _, path, message in found] == [("", "nested")]
    found = faults_of(f'{{"a": 1, "a": 2, "c": {deep}}}', read)
    assert [(path, message[:7]) for _, _, path, message in found] == [("a", "the key"), ("", "nested ")]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: [1, {b: !t 1}]", "a[1].b"),
        ("a: [[], [[!t x]]]", "a[1][0][0]"),
        ("a: {b: 1, !t c: 2}", "a"),
        ("a: {? [x, !t y] : 1}", "a[1]"),
        ("a: {? [x] : !t y}", "a"),
        ("a: {1: !t y}", "a.1"),
        ("a: {b: [1], c: [{}, !t 1]}", "a.c[1]"),
        ("a: *x", "a"),
        ("- a\n- {b: *x}", "[1].b"),
    ],
)
def test_a_fault_has_the_path_of_its_value(text: str, path: str) -> None:
    assert path in [found for _, _, found, message in faults_of(text) if "tag" in message or "alias" in message]


def test_an_alias_counts_with_the_levels_below_it_wherever_its_anchor_is() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 98))
    assert faults_of(f"{chain}z: [*a97]\n") == []
    assert [message for _, _, _, message in faults_of(f"{chain}z: [[*a97]]\n")] == ["nested deeper than 100 levels with this alias"]
    around = f"{chain}y: &y {{p: [q], r: *a96}}\n"  # its deepest part is the alias
    assert faults_of(f"{around}z: [*y]\n") == []
    assert len(faults_of(f"{around}z: [[*y]]\n")) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": ["x simKEYkeyKEYkey x"]}', True),
        ('{"a": {"simKEYkeyKEYkey": 1}}', True),
        ('{"a": "simKEY\\u006beyKEYkey"}', True),
        ('{"a": "short"}', True),
        ('{"short": 1}', True),
        ('{"a": "short "}', False),
        ('{"a": "shor", "b": "t"}', False),
        ('{"a": "simKEYkey", "b": "KEYkey"}', False),
    ],
)
def test_keys_in_parsed_texts_are_found(text: str, found: bool) -> None:
    faults = Faults()
    check_nodes(read_json(text, faults), ["simKEYkeyKEYkey", "short"], faults)
    assert [fault.code for fault in faults.found] == (["key-in-file"] if found else [])
