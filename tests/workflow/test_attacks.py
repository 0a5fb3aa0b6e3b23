"""Hostile texts: faults with their locations, or a correct result; never a crash, another exception, or a long wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import bounded

from algosync import workflow
from algosync.core.error import Fault, WorkflowError
from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.parsing.json_reader import read_json
from algosync.workflow.parsing.yaml_reader import read_yaml
from algosync.workflow.payload import payload_text


def yaml_faults(text: str, *, pure: bool = False) -> list[tuple[int, str]]:
    faults = Faults()
    try:
        read_yaml(text, faults, pure=pure)
    except UnreadableError:
        assert faults.found
    return [(fault.line, fault.code) for fault in faults.found]


def json_faults(text: str) -> list[tuple[int, int, str]]:
    faults = Faults()
    try:
        read_json(text, faults)
    except UnreadableError:
        assert faults.found
    return [(fault.line, fault.column, fault.code) for fault in faults.found]


@pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("a: &x [1]\nb: *x", []),
        ("a: &x [1, *x]", [(1, "alias-cycle")]),
        ("a: &x 1\nb: &x [*x]", [(2, "alias-cycle")]),
        ("a: *x", [(1, "unknown-alias")]),
        ("a: &x {b: 1}\nc: {<<: *x}", []),
        ("<<: *x\na: 1", [(1, "unknown-alias")]),
        ("a: 1\n<<: [1, {b: 2}]", [(2, "merge")]),
        ("a: !!python/object/apply:os.system [id]", [(1, "tag")]),
        ("!!set {a, b}", [(1, "tag")]),
        ("a: ! b", [(1, "tag")]),
        ("[" * 101, [(1, "too-deep")]),
        ("[" * 100_000, [(1, "too-deep")]),
        ("a: \U0001f600\r\nb: é\r\nc:\r\n  " + "[" * 2000, [(4, "too-deep")]),
        ("{" * 2000, [(1, "too-deep")]),
        ("[" * 100 + "@", [(1, "syntax")]),
        ("- " * 100_000, [(1, "too-deep")]),
        ("{a: " * 100_000, [(1, "too-deep")]),
        ("a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60, [(2, "too-deep")]),
        ("a: 1\n---\nb: 1", [(2, "second-document")]),
        ("1: a\n", [(1, "key-not-text")]),
        ("? [a]\n: b", [(1, "key-not-text")]),
        ("null: a\n? true\n: b", [(1, "key-not-text"), (2, "key-not-text")]),
        ("&k a: 1\n*k : 2", [(1, "duplicate-key")]),
        ("a: 1\n\"a\": 2\n'a': 3", [(2, "duplicate-key"), (3, "duplicate-key")]),
        ("a\0: 1", [(1, "control-character")]),
        ("a: 1\nb: \x1b[31m", [(2, "control-character")]),
        ("a: \ufffe", [(1, "control-character")]),
        ("a: b\nb: 'c\x85d'", [(2, "control-character")]),
        ('a: "\u2028"', [(1, "control-character")]),
        ('a: "\\u2028\\x85\\0"', []),
        ("a:\n\t- b", [(2, "syntax")]),
        ("a: b: c", [(1, "syntax")]),
        ("%YAML 3.0\n---\na: 1", [(1, "syntax")]),
        ("a: 0x" + "f" * 5000, [(1, "number-not-json")]),
    ],
)
def test_yaml(text: str, faults: list[tuple[int, str]], pure: bool) -> None:
    assert yaml_faults(text, pure=pure) == faults


@pytest.mark.parametrize(("pure", "code"), [(False, "syntax"), (True, "lone-surrogate")])
def test_a_lone_surrogate_in_yaml(pure: bool, code: str) -> None:
    assert yaml_faults('a: "\\ud800"', pure=pure) == [(1, code)]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a ["
        + "x, " * 10
        + "]\n"
        + "".join(f"{b}: &{b} [" + f"*{a}, " * 10 + "]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "a: &a {k: v}\n"
        + "".join(f"{b}: &{b} {{<<: [" + f"*{a}, " * 10 + "]}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "a: &a " + "x" * 1_000_000 + "\nb: [" + "*a, " * 100 + "]",
    ],
    ids=["lists", "merges", "text"],
)
def test_aliases_count_with_their_full_size(text: str) -> None:
    assert [code for _, code in yaml_faults(text)] == ["too-large"]


def test_too_many_values_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.workflow.parsing.yaml_reader.MAX_NODES", 1000)
    monkeypatch.setattr("algosync.workflow.parsing.yaml_builder.MAX_NODES", 1000)
    monkeypatch.setattr("algosync.workflow.parsing.json_reader.MAX_NODES", 1000)
    for count, code in ((998, []), (999, []), (1000, ["too-large"])):
        text = "[" + ",".join("1" * count) + "]"
        assert [code_found for _, code_found in yaml_faults(text)] == code
        assert [code_found for _, _, code_found in json_faults(text)] == code


@pytest.mark.parametrize(
    "text",
    [
        "[" + ",".join("1" * 1000) + "]",
        "[" + ",".join(['{"a,": {"b": [ ]}}'] * 400) + "]",
        '{"a": [' + ",".join(['[1, ",\\""]'] * 400) + "]}",
    ],
    ids=["scalars", "maps", "lists"],
)
def test_too_many_values_are_refused_before_any_node_is_created(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.workflow.parsing.yaml_reader.MAX_NODES", 1000)
    monkeypatch.setattr("algosync.workflow.parsing.json_reader.MAX_NODES", 1000)
    for module in ("yaml_builder", "json_reader"):
        for node in ("Scalar", "ListNode", "MapNode"):
            monkeypatch.delattr(f"algosync.workflow.parsing.{module}.{node}")  # NameError: a node would be created
    assert [code for _, _, code in json_faults(text)] == ["too-large"]
    assert [code for _, code in yaml_faults(text)] == ["too-large"]


@pytest.mark.parametrize("text", ['["' + "," * 2000 + '"]', "[" + ",".join(["[ ]"] * 998) + "]"], ids=["text", "empty"])
def test_a_text_with_as_many_values_as_allowed_is_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("algosync.workflow.parsing.json_reader.MAX_NODES", 1000)
    monkeypatch.setattr("algosync.workflow.parsing.yaml_reader.MAX_NODES", 1000)
    monkeypatch.setattr("algosync.workflow.parsing.yaml_builder.MAX_NODES", 1000)
    assert json_faults(text) == []
    assert yaml_faults(text) == []


def test_a_payload_that_aliases_make_too_large_is_not_built() -> None:
    faults = Faults()
    node = read_yaml("a: &a [" + "<algo>" * 1000 + "]\nb: [" + "*a, " * 5000 + "]", faults)
    assert payload_text(node, "A" * 255) is None
    assert faults.found == []


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", [(1, 1, "syntax")]),
        ("\n ", [(2, 2, "syntax")]),
        ("[" * 100_000, [(1, 102, "too-deep")]),
        ('{"a":' * 100_000, [(1, 506, "too-deep")]),
        (
            "[NaN, -Infinity, Infinity]",
            [(1, 2, "number-not-json"), (1, 7, "number-not-json"), (1, 18, "number-not-json")],
        ),
        ('{"a": 1,\n "a": 2}', [(2, 2, "duplicate-key")]),
        ('{"a": 1, "\\u0061": 2}', [(1, 10, "duplicate-key")]),
        ("[1,]", [(1, 3, "syntax")]),
        ('{"a": 1,}', [(1, 8, "syntax")]),
        ("[,]", [(1, 2, "syntax")]),
        ("[1,,2]", [(1, 4, "syntax")]),
        ('["\\ud800"]', [(1, 2, "lone-surrogate")]),
        ('["\\ud83d\\ude00"]', []),
        ("[01]", [(1, 2, "syntax")]),
        ("[+1]", [(1, 2, "syntax")]),
        ("[.5]", [(1, 2, "syntax")]),
        ("[1.]", [(1, 2, "syntax")]),
        ("[0x1F]", [(1, 2, "syntax")]),
        ("[True]", [(1, 2, "syntax")]),
        ("['a']", [(1, 2, "syntax")]),
        ("[1 2]", [(1, 4, "syntax")]),
        ('{"a" 1}', [(1, 6, "syntax")]),
        ("{a: 1}", [(1, 2, "syntax")]),
        ('["a\tb"]', [(1, 4, "syntax")]),
        ('["a\nb"]', [(1, 4, "syntax")]),
        ('["\\x41"]', [(1, 3, "syntax")]),
        ('["\\u12"]', [(1, 3, "syntax")]),
        ('["a', [(1, 4, "syntax")]),
        ("[1] []", [(1, 5, "syntax")]),
        ("[1]\0", [(1, 4, "syntax")]),
        ("[1]\u00a0", [(1, 4, "syntax")]),
        ("\x0b[1]", [(1, 1, "syntax")]),
        ("[\u0661]", [(1, 2, "syntax")]),
        ('["\x7f\u2028"]', []),
        ("/* a */ 1", [(1, 1, "syntax")]),
        ("[1, // a\n2]", [(1, 5, "syntax")]),
    ],
)
def test_json(text: str, faults: list[tuple[int, int, str]]) -> None:
    assert json_faults(text) == faults


def test_long_scalars_and_many_faults_take_little_work(tmp_path: Path) -> None:
    with bounded("a long text in JSON", 1000):
        assert json_faults('["' + "\\u0041" * 500_000 + '"]') == []
    with bounded("a long text in YAML", 100_000):
        assert yaml_faults("a: " + "x" * 1_000_000) == []
    names = "".join(f"- {{name: A{number}, language: python3, depends_on: [B{number}]}}\n" for number in range(3000))
    (tmp_path / "w.yaml").write_text("algorithms:\n" + names)
    with bounded("many faults", 20_000_000), pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / "w.yaml", {})
    assert len(caught.value.faults) == 1001


def test_the_search_for_the_variables_block_is_linear(tmp_path: Path) -> None:
    for name, text in (("w.json.j2", "{##} " * 5000 + "{}"), ("w.yaml.j2", "variables:\n" + " \n#\n" * 5000 + "{}")):
        (tmp_path / name).write_text(text)
        assert {fault.code for fault in faults_of(tmp_path / name)} <= {"missing-key", "syntax"}


def test_a_long_chain_of_dependencies(tmp_path: Path) -> None:
    chain = "".join(f"- {{name: A{n}, language: python3, depends_on: [A{(n + 1) % 5000}]}}\n" for n in range(5000))
    (tmp_path / "w.yaml").write_text("algorithms:\n" + chain)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / "w.yaml", {})
    (fault,) = caught.value.faults
    assert (fault.code, fault.message) == (
        "dependency-cycle",
        "algorithms wait for each other: A0 -> A1 -> A2 -> A3 -> … -> A4998 -> A4999 -> A0",
    )


def faults_of(path: Path) -> tuple[Fault, ...]:
    """Return the faults, none for a valid file. Any exception other than WorkflowError fails the test."""
    try:
        workflow.load(path, {})
    except WorkflowError as error:
        return error.faults
    return ()
