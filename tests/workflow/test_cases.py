"""Files of cases: every format, every fault with its place, and one case at a time in memory."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from algosync import workflow
from algosync.answers import faults as expectation_faults
from algosync.core.error import SourceError, WorkflowError
from algosync.core.testing.case import Case, CaseFile, Expectation
from algosync.core.testing.expectation import merged
from algosync.workflow import NamedFiles, TestInputs
from algosync.workflow.cases import FORMATS, open_cases
from algosync.workflow.cases.row import MAX_CASE

CI = [
    {"case_name": "exact", "input": {"x": 1}, "expected_output": {"y": 1}},
    {"case_name": "at", "input": 1, "type": "EXACT_MATCH", "tree": ["a", 0, 'b "c"', -1], "expected_output": {">=": 1}},
    {"case_name": "more", "input": 1, "type": "GREATER_OR_EQUAL", "tree": ["score"], "expected_output": 0.5},
    {"case_name": "less", "input": 1, "type": "LESS_OR_EQUAL", "expected_output": 7},
    {"case_name": "runs", "input": "a", "type": "NO_EXCEPTION"},
    {"case_name": "fails", "input": None, "type": "EXCEPTION", "team": "vision"},
]
YAML = "- {payload: {n: 1.50}, expect: {contains: {a: 1}}}\n- name: two\n  payload: <algo>\n  label: setosa\n  region: north\n"
TABLE = '''\
name,payload,expect,region,
exact,"{""n"": 1.50}",7,north,0
text,"hello, you",no JSON,south,1
map,"multi
line","{""contains"": {""a"": 1}}",,2
,<algo>,,x,3
quoted,"""7""","""7""",x,4
empty,,null,x,5
'''


def case(name: str, payload: str, line: int, expect: Expectation | None = None, **attributes: str) -> Case:
    return Case(name, payload, expect or Expectation(), attributes, line)


def checked(folder: Path, name: str, content: str | bytes, keys: str = "") -> CaseFile:
    """The file as the loader of a workflow describes it."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    path = folder / "w.yaml"
    path.write_text(f"algorithms: [{{name: One, language: python3, tests: [{{name: a, cases: {name}{keys}}}]}}]")
    (test,) = workflow.load(path, {}).algorithms[0].tests
    assert test.cases is not None
    return test.cases


def cases(folder: Path, name: str, content: str | bytes) -> list[Case]:
    return list(open_cases(checked(folder, name, content), NamedFiles(folder), "One"))


def faults(folder: Path, name: str, content: str | bytes) -> list[str]:
    with pytest.raises(WorkflowError) as caught:
        checked(folder, name, content)
    assert {fault.file for fault in caught.value.faults} == {str(folder / name)}
    return [f"{f.line}:{f.column} {f.path or '-'} {f.code} | {f.hint or ''}".rstrip() for f in caught.value.faults]


def test_json_lines(tmp_path: Path) -> None:
    text = '{"payload": {"n": 1.50, "f": "<algo>"}, "expect": {"equals": 1e400}}\n\n{"name": "two", "payload": null, "label": {}}'
    for name in ("c.jsonl", "c.ndjson"):
        assert cases(tmp_path, name, text) == [
            case("#1", '{"n":1.50,"f":"One"}', 1, Expectation(equals="1e400")),
            case("two", "null", 3, Expectation(equals="{}")),
        ]


@pytest.mark.parametrize(("name", "text"), [("c.yaml", YAML), ("c.yml", YAML)])
def test_yaml(tmp_path: Path, name: str, text: str) -> None:
    assert cases(tmp_path, name, text) == [
        case("#1", '{"n":1.50}', 1, Expectation(contains='{"a":1}')),
        case("two", '"One"', 2, Expectation(equals='"setosa"'), region="north"),
    ]


def test_json_with_attributes_of_every_type(tmp_path: Path) -> None:
    text = '[{"payload": 1, "a": "text", "b": 1.50, "c": true, "d": null, "e": [1, {"f": 2}]}]'
    (only,) = cases(tmp_path, "c.json", text)
    assert only.attributes == {"a": "text", "b": "1.50", "c": "true", "d": "null", "e": '[1,{"f":2}]'}


def test_a_case_with_a_payload_may_have_an_attribute_input(tmp_path: Path) -> None:
    (only,) = cases(tmp_path, "c.jsonl", '{"payload": 1, "input": "camera"}')
    assert only == case("#1", "1", 1, input="camera")


def test_the_files_of_algorithmia_ci_action(tmp_path: Path) -> None:
    assert cases(tmp_path, "c.json", json.dumps(CI, indent=1)) == [
        case("exact", '{"x":1}', 2, Expectation(equals='{"y":1}')),
        case("at", "1", 11, Expectation(match=(('$["a"][0]["b \\"c\\""][-1]', '{"==":{">=":1}}'),))),
        case("more", "1", 25, Expectation(match=(('$["score"]', '{">=":0.5}'),))),
        case("less", "1", 34, Expectation(match=(("$", '{"<=":7}'),))),
        case("runs", '"a"', 40),
        case("fails", "null", 45, Expectation(error=".*"), team="vision"),
    ]


@pytest.mark.parametrize("text", [TABLE, "\ufeff" + TABLE, TABLE.replace("\n", "\r\n").replace("multi\r\n", "multi\n")])
def test_tables(tmp_path: Path, text: str) -> None:
    """Also with a byte order mark and the line ends that spreadsheets write."""
    assert cases(tmp_path, "c.csv", text) == [
        case("exact", '{"n":1.50}', 2, Expectation(equals="7"), region="north"),
        case("text", '"hello, you"', 3, Expectation(equals='"no JSON"'), region="south"),
        case("map", '"multi\\nline"', 4, Expectation(contains='{"a":1}'), region=""),
        case("#6", '"One"', 6, region="x"),
        case("quoted", '"7"', 7, Expectation(equals='"7"'), region="x"),
        case("empty", '""', 8, Expectation(equals="null"), region="x"),
    ]


@pytest.mark.parametrize(
    ("cell", "payload"),
    [
        ("007", '"007"'),
        ("1e5", "1e5"),
        ("-0.0", "-0.0"),
        ("NaN", '"NaN"'),
        ("true", "true"),
        ("True", '"True"'),
        ("[1]", "[1]"),
        ("[1", '"[1"'),
        ("[1;]", '"[1;]"'),
        ('"{""a"": 1} x"', '"{\\"a\\": 1} x"'),
        (" 7 ", "7"),
        (" x ", '" x "'),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_a_cell_is_json_if_it_is_the_text_of_a_value(tmp_path: Path, cell: str, payload: str) -> None:
    (only,) = cases(tmp_path, "c.csv", f"payload\n{cell}\n")
    assert only.payload == payload


def test_a_label_is_the_answer_even_if_it_looks_like_an_expectation(tmp_path: Path) -> None:
    (only,) = cases(tmp_path, "c.csv", 'payload,label\n1,"{""equals"": 1}"\n')
    assert only.expect == Expectation(equals='{"equals":1}')


def test_what_the_test_expects_of_all_cases_is_added(tmp_path: Path) -> None:
    file = checked(tmp_path, "c.jsonl", '{"payload": 1, "expect": {"equals": 2}}\n{"payload": 2}\n')
    first, second = open_cases(file, NamedFiles(tmp_path), "One", Expectation(content_type="json", printed=("a",)))
    assert first.expect == Expectation(equals="2", content_type="json", printed=("a",))
    assert second.expect == Expectation(content_type="json", printed=("a",))


@pytest.mark.parametrize(
    ("whole", "own", "both"),
    [
        (Expectation(equals="1"), Expectation(equals="2"), Expectation(equals="2")),
        (Expectation(max_seconds=1), Expectation(equals="2"), Expectation(equals="2", max_seconds=1)),
        (Expectation(max_seconds=1), Expectation(max_seconds=0), Expectation(max_seconds=0)),
        (
            Expectation(match=(("$.a", "1"), ("$.b", "1"))),
            Expectation(match=(("$.b", "2"),)),
            Expectation(match=(("$.b", "2"), ("$.a", "1"))),
        ),
        (
            Expectation(equals="1", schema="{}", not_printed=("k",), max_seconds=1),
            Expectation(error="no"),
            Expectation(error="no", not_printed=("k",), max_seconds=1),
        ),
        (Expectation(error="no"), Expectation(equals="1"), Expectation(equals="1")),
        (Expectation(error="no"), Expectation(error="other"), Expectation(error="other")),
        (Expectation(error="no"), Expectation(printed=("a",)), Expectation(error="no", printed=("a",))),
        (Expectation(ignore=("$.a",)), Expectation(ignore=("$.b",)), Expectation(ignore=("$.b", "$.a"))),
    ],
)
def test_the_expectations_of_a_case_and_of_its_file_together(whole: Expectation, own: Expectation, both: Expectation) -> None:
    assert merged(whole, own) == both
    assert merged(whole, Expectation()) == whole
    assert merged(Expectation(), own) == own


FAULTS: dict[str, tuple[str, str | bytes, list[str]]] = {
    "not JSON": ("c.jsonl", '{"payload": 1}\n{"payload": 1,}\n{nothing}\n{"payload": 2}', [
        "2:14 - syntax | remove it: JSON allows none", "3:2 - syntax | texts need double quotes",
    ]),
    "duplicate key": ("c.jsonl", '{"payload": 1, "payload": 2}', ["1:16 payload duplicate-key |"]),
    "no map": ("c.jsonl", "[1]\n", ["1:1 - type |"]),
    "no payload": ("c.jsonl", '\n{"name": "x"}', ["2:1 payload missing-key |"]),
    "misspelled": ("c.jsonl", '{"payload": 1, "expects": {}}', ["1:16 expects unknown-key | did you mean expect?"]),
    "an expectation in the wrong place": ("c.jsonl", '{"payload": 1, "equals": 2}\n{"payload": 1, "expected_output": 2}', [
        '1:16 equals unknown-key | put it into `expect`, such as {"expect": {"equals": 1}}',
        '2:16 expected_output unknown-key | put it into `expect`, such as {"expect": {"equals": 1}}',
    ]),
    "a column that expects nothing": ("c.csv", "payload,contains\n1,2\n", [
        '1:9 contains unknown-key | put it into `expect`, such as {"expect": {"equals": 1}}',
    ]),
    "an expectation of a CI case": ("c.json", '[{"input": 1, "type": "NO_EXCEPTION", "expect": {"equals": 2}}]', [
        "1:39 [0].expect unknown-key | such a case has `expected_output` and `type`",
    ]),
    "a plain value": ("c.jsonl", '{"payload": 1,\t"expect": 1}', ["1:26 expect type |"]),
    "both": ("c.jsonl", '{"payload": 1, "expect": {}, "label": 1}', ["1:30 label two-spellings | keep one of them"]),
    "a name": ("c.jsonl", '{"payload": 1, "name": 1}', ["1:24 name type | put it in quotes"]),
    "an expectation": ("c.jsonl", '{"payload": 1}\n{"payload": 1, "expect": {"equal": 1}}', [
        "2:27 expect.equal unknown-key | did you mean equals?",
    ]),
    "no UTF-8": ("c.jsonl", b'{"payload": 1}\n{"payload": "\xff"}', ["2:14 - encoding | save the file as UTF-8"]),
    "no cases": ("c.jsonl", "\n\n", ["1:1 - empty |"]),
    "no list": ("c.json", '{"payload": 1}', ["1:1 - type |"]),
    "empty": ("c.json", " ", ["1:1 - empty |"]),
    "no cases in a list": ("c.yaml", "[]", ["1:1 - empty |"]),
    "in a list": ("c.json", '[{"payload": 1},\n {"payload": 1, "expect": {"size": "x"}}]', ["2:36 [1].expect.size type |"]),
    "in YAML": ("c.yaml", "- payload: 1\n- payload: !x 1\n", ["2:12 [1].payload tag | remove it: values have the types of JSON"]),
    "a type": ("c.json", '[{"case_name": "a", "input": 1, "type": "EXACT"}]', [
        "1:2 [0].expected_output missing-key |",
        "1:41 [0].type not-one-of | did you mean EXACT_MATCH?",
    ]),
    "a tree": ("c.json", '[{"input": 1, "expected_output": 1, "tree": ["a", null]}]', ["1:51 [0].tree[1] type |"]),
    "no input": ("c.json", '[{"case_name": "a", "type": "EXCEPTION"}]', ["1:2 [0].input missing-key |"]),
    "no column": ("c.csv", "name,expect\na,1\n", ["1:1 payload missing-key | the first line has the names of the columns"]),
    "semicolons": ("c.csv", "payload;expect\n1;1\n", ["1:1 payload missing-key | the columns are separated by commas"]),
    "a misspelled column": ("c.csv", "paylod,expect\n1,1\n", [
        "1:1 payload missing-key | the first line has the names of the columns", "1:1 paylod unknown-key | did you mean payload?",
    ]),
    "two columns": ("c.csv", "payload,payload\n1,1\n", ["1:9 payload duplicate-key |"]),
    "many cells": ("c.csv", "payload,expect\n1,2\n1,2,3\n4\n", [
        "3:1 - syntax | put a text that contains a comma in double quotes",
        "4:1 - syntax | put a text that contains a comma in double quotes",
    ]),
    "a quote": ("c.csv", 'payload,expect\n1,"2\n', ["2:1 - syntax |"]),
    "after a quote": ("c.csv", 'payload,expect\n1,"2"x\n', ["2:1 - syntax |"]),
    "in a cell": ("c.csv", 'name,payload,expect\na,"x, ""y""","{""equal"": 1}"\n', [
        "2:14 expect.equal unknown-key | did you mean equals?",
    ]),
    "in a cell of another line": ("c.csv", 'payload,name,expect\n"1\n2",a,"{""size"": ""x""}"\n', ["3:6 expect.size type |"]),
    "a key twice in a cell": ("c.csv", 'name,payload\na,"{""a"": 1, ""a"": 2}"\n', ["2:3 payload duplicate-key |"]),
    "a cell that is not UTF-8": ("c.csv", b"payload\n1\n\xe4\n", ["3:1 - encoding | save the file as UTF-8"]),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_every_fault_has_its_place_in_the_file(tmp_path: Path, what: str) -> None:
    name, content, expected = FAULTS[what]
    assert faults(tmp_path, name, content) == expected


def test_a_bound_that_no_answer_can_meet_is_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('[{"input": 1, "type": "LESS_OR_EQUAL", "expected_output": null}]')
    path = tmp_path / "w.yaml"
    path.write_text("algorithms: [{name: One, language: python3, tests: [{name: a, cases: c.json}]}]")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, {}, tests=TestInputs(NamedFiles(tmp_path), expectation_faults))
    (fault,) = caught.value.faults
    assert (Path(fault.file).name, fault.line, fault.column, fault.path) == ("c.json", 1, 59, "[0].expected_output")


def test_only_the_first_twenty_faults_of_a_file_are_shown(tmp_path: Path) -> None:
    found = faults(tmp_path, "c.jsonl", '{"name": "x"}\n' * 1000)
    assert found[:20] == [f"{line}:1 payload missing-key |" for line in range(1, 21)]
    assert found[20:] == ["21:1 - too-many-faults |"]


def test_a_line_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    with path.open("wb") as file:
        file.truncate(MAX_CASE * 3)
    file_of = tmp_path / "w.yaml"
    file_of.write_text("algorithms: [{name: One, language: python3, tests: [{name: a, cases: c.jsonl}]}]")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(file_of, {})
    assert [fault.code for fault in caught.value.faults] == ["too-large"]


def test_a_file_of_cases_is_no_template(tmp_path: Path) -> None:
    (only,) = cases(tmp_path, "c.jsonl", '{"payload": "{{ x }} {% y %}"}')
    assert only.payload == '"{{ x }} {% y %}"'


def test_a_file_that_changed_since_it_was_checked_is_not_run(tmp_path: Path) -> None:
    file = checked(tmp_path, "c.jsonl", '{"payload": 1}\n')
    assert file == CaseFile("c.jsonl", hashlib.sha256(b'{"payload": 1}\n').hexdigest(), 1)
    (tmp_path / "c.jsonl").write_text('{"payload": 2}\n')
    with pytest.raises(SourceError, match=r"c\.jsonl changed while it was used"):
        next(open_cases(file, NamedFiles(tmp_path), "One"))
    (tmp_path / "c.jsonl").unlink()
    with pytest.raises(SourceError, match=r"c\.jsonl cannot be read: No such file"):
        next(open_cases(file, NamedFiles(tmp_path), "One"))


def written(folder: Path, suffix: str, count: int) -> Path:
    """A file with this many cases of about 1 kB."""
    path = folder / f"{count}{suffix}"
    row = '{{"payload": {{"n": {0}, "text": "{1}"}}, "expect": {{"equals": {0}}}}}\n' if suffix == ".jsonl" else "{0},{1},{0}\n"
    with path.open("w") as file:
        file.write("" if suffix == ".jsonl" else "n,payload,expect\n")
        file.writelines(row.format(number, "x" * 1000) for number in range(count))
    return path


def peak(make: Callable[[], Iterable[object]]) -> int:
    """The least of three tries: threads of earlier tests may need memory meanwhile."""
    return min(peak_once(make()) for _ in range(3))


def peak_once(lines: Iterable[object]) -> int:
    tracemalloc.start()
    try:
        for _ in lines:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_memory_does_not_grow_with_the_number_of_cases(tmp_path: Path, suffix: str) -> None:
    """While the file is checked, and while its cases are run: thirty times as many need at most a quarter more."""
    peaks = []
    for count in (100, 3000):
        path = written(tmp_path, suffix, count)
        text = f"algorithms: [{{name: One, language: python3, tests: [{{name: a, cases: {path.name}}}]}}]"
        (tmp_path / "w.yaml").write_text(text)
        loading = peak(lambda: workflow.load(tmp_path / "w.yaml", {}).algorithms)
        (test,) = workflow.load(tmp_path / "w.yaml", {}).algorithms[0].tests
        assert test.cases is not None
        assert test.cases.count == count
        peaks.append((loading, peak(partial(open_cases, test.cases, NamedFiles(tmp_path), "One"))))
    (few_loaded, few_run), (many_loaded, many_run) = peaks
    assert many_loaded < few_loaded * 1.25
    assert many_run < few_run * 1.25


def test_every_format_is_tested_here() -> None:
    assert set(FORMATS) == {".jsonl", ".ndjson", ".json", ".yaml", ".yml", ".csv"}
