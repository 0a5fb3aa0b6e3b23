"""Tests in a workflow file: what every key means, and every fault with its place and hint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.core.secret import Secret
from algosync.core.testing.case import (
    Baseline,
    CaseFile,
    Expectation,
    Limit,
    Load,
    QualityGate,
    TestCase,
    Tolerance,
)
from algosync.core.testing.expectation import ExpectationFault
from algosync.core.testing.idle_rules import idle_rule_warnings
from algosync.workflow import NamedFiles, TestInputs
from algosync.workflow.node import MAX_SIZE
from algosync.workflow.payload import MAX_PAYLOAD

CASES = b'{"payload": 1}\n{"payload": 2}\n'
LABELLED = b"payload,label,region\n1,a,north\n2,b,south\n"
FILES = {
    "ada.json": b'{"file": "data://.my/<algo>/x", "n": 1.50}',
    "answer.json": b'{"type": "object", "maximum": 1e400}',
    "accepted.json": b'{"text": "as it is" }\n',
    "cases.jsonl": CASES,
    "labelled.csv": LABELLED,
    "scores.csv": b"payload,label\n1,1.5\n2,2.5\n",
    "boxes.jsonl": b'{"payload": 1, "label": [1, 2]}\n{"payload": 1, "label": 1e999}\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    for name, content in FILES.items():
        (tmp_path / "tests" / name).write_bytes(content)
    return tmp_path


def own_tests(folder: Path, text: str) -> tuple[TestCase, ...]:
    """The tests of one algorithm, by the lines of its entry."""
    path = folder / "w.yaml"
    path.write_text("algorithms:\n  - name: One\n    language: python3\n" + "".join(f"    {line}\n" for line in text.splitlines()))
    return workflow.load(path, {}).algorithms[0].tests


def expectation(folder: Path, text: str) -> Expectation:
    return own_tests(folder, f"test_payload: 1\nexpect: {text}")[0].expect


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", Expectation()),
        ("{equals: {a: 1.50, b: [1e400, null]}}", Expectation(equals='{"a":1.50,"b":[1e400,null]}')),
        ("{equals: null}", Expectation(equals="null")),
        ("{equals: <algo>}", Expectation(equals='"<algo>"')),
        ("{contains: {a: x}}", Expectation(contains='{"a":"x"}')),
        ("{match: {$.a: {'>=': 0.50}, '$[0]': x}}", Expectation(match=(("$.a", '{">=":0.50}'), ("$[0]", '"x"')))),
        ("{schema: {type: object}}", Expectation(schema='{"type":"object"}')),
        ("{schema: false}", Expectation(schema="false")),
        ("{schema: tests/answer.json}", Expectation(schema='{"type":"object","maximum":1e400}')),
        ("{baseline: tests/accepted.json}", Expectation(baseline=Baseline("tests/accepted.json", '{"text": "as it is" }\n'))),
        ("{baseline: tests/not/there/yet.json}", Expectation(baseline=Baseline("tests/not/there/yet.json", None))),
        ("{error: no such}", Expectation(error="no such")),
        ("{error: ''}", Expectation(error="")),
        ("{content_type: binary}", Expectation(content_type="binary")),
        (f"{{sha256: {'AB' * 32}}}", Expectation(sha256="ab" * 32)),
        ("{size: 12}", Expectation(size="12")),
        ("{size: {<: 12}}", Expectation(size='{"<":12}')),
        ("{printed: loaded, not_printed: [key, token]}", Expectation(printed=("loaded",), not_printed=("key", "token"))),
        ("{max_seconds: 0.5}", Expectation(max_seconds=0.5)),
        ("{tolerance: {relative: 1e-6, absolute: 1}}", Expectation(tolerance=Tolerance(1e-6, 1.0))),
        ("{ignore: [$.id], ignore_order: true}", Expectation(ignore=("$.id",), ignore_order=True)),
    ],
)
def test_expectations_are_read(folder: Path, text: str, expected: Expectation) -> None:
    assert expectation(folder, text) == expected


def test_tests_are_read_in_their_order(folder: Path) -> None:
    text = """\
test_payload: <algo>
tests:
  - {name: plain, payload: [<algo>, 2.50], timeout: 7}
  - {name: nothing, payload: null, payload_file: null}
  - {name: file, payload_file: tests/ada.json}
  - {name: load, payload: 1, repeat: 50, concurrency: 4, warmup: 2, limits: {p95: 0.5, error_rate: 0, p95_vs_baseline: 1.25},
     expect: {baseline: tests/none.json}}
  - {cases: tests/cases.jsonl, expect: {content_type: json}}
gates:
  - {name: f1, cases: tests/labelled.csv, answer: $.label, metric: f1, at_least: 0.9, by: region, noise: fail, positive: a,
     concurrency: 8, timeout: 9}
  - {name: worse, cases: tests/labelled.csv, metric: accuracy, no_worse_than_published: 0.01}"""
    cases = CaseFile("tests/cases.jsonl", hashlib.sha256(CASES).hexdigest(), 2)
    labelled = CaseFile("tests/labelled.csv", hashlib.sha256(LABELLED).hexdigest(), 2)
    limits = (Limit("p95", 0.5), Limit("error_rate", 0.0), Limit("p95_vs_baseline", 1.25))
    gate = QualityGate("f1", "$.label", at_least=0.9, by="region", noise="fail", positive='"a"')
    assert own_tests(folder, text) == (
        TestCase("", '"One"'),
        TestCase("plain", '["One",2.50]', 7),
        TestCase("nothing", "null"),
        TestCase("file", '{"file":"data://.my/One/x","n":1.50}'),
        TestCase("load", "1", expect=Expectation(baseline=Baseline("tests/none.json", None)), load=Load(50, 4, 2, limits)),
        TestCase("tests/cases.jsonl", expect=Expectation(content_type="json"), cases=cases),
        TestCase("f1", timeout=9, cases=labelled, load=Load(concurrency=8), gate=gate),
        TestCase("worse", cases=labelled, gate=QualityGate("accuracy", no_worse_than_published=0.01)),
    )


def test_a_test_has_the_line_where_it_begins_also_in_a_template(folder: Path) -> None:
    text = "test_payload: 1\ntests:\n  - name: a\n    payload: 1\n  - {name: b, payload: 2}"
    assert [case.line for case in own_tests(folder, text)] == [4, 6, 8]
    path = folder / "w.yaml.j2"
    path.write_text(
        "{# a\ncomment #}\nalgorithms:\n  - name: One\n    language: python3\n    tests:\n{% for n in [1, 2] %}\n"
        "      - name: t{{ n }}\n        payload: 1\n{% endfor %}\n"
        "test_info:\n  entrypoint: One\n  tests:\n    - {name: last, payload: 1}\n"
    )
    loaded = workflow.load(path, {})
    assert [case.line for case in (*loaded.algorithms[0].tests, *loaded.tests)] == [8, 8, 14]


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("{ignore: [$.a]}", "`ignore` has"),
        ("{tolerance: {absolute: 1}, match: {$.a: 1}}", "`tolerance` has"),
        ("{ignore_order: true, ignore: [$.a], schema: {type: object}}", "`ignore` and `ignore_order` have"),
        ("{ignore: [$.a], equals: {a: 1}}", ""),
        ("{ignore: [$.a], equals: null}", ""),
        ("{tolerance: {relative: 0.1}, contains: {a: 1}}", ""),
        ("{ignore_order: true, baseline: tests/none.json}", ""),
        ("{ignore: [], ignore_order: false}", ""),
        ("{match: {$.a: 1}}", ""),
    ],
)
def test_rules_of_comparison_that_compare_nothing_are_a_warning(folder: Path, expect: str, told: str) -> None:
    """They are no faults: `compare` uses them."""
    path = folder / "w.yaml"
    path.write_text(f"""\
algorithms: [{{name: One, language: python3, tests: [
  {{name: t, payload: 1, expect: {expect}}},
  {{cases: tests/cases.jsonl, expect: {{ignore: [$.a]}}}}]}}]
""")
    warnings = list(idle_rule_warnings(workflow.load(path, {})))
    assert [each.partition(" no effect")[0] for each in warnings] == (
        [f"Warning: the test t of One (line 2): {told}"] if told else []
    )


def test_the_tests_of_the_workflow_know_the_same_keys(folder: Path) -> None:
    path = folder / "w.yaml"
    path.write_text("""\
algorithms: [{name: One, language: python3}]
test_info: {entrypoint: One, tests: [{name: a, payload_file: tests/ada.json, expect: {equals: 1}}, {cases: tests/cases.jsonl}]}
""")
    first, second = workflow.load(path, {}).tests
    assert (first.payload, first.expect.equals) == ('{"file":"data://.my/One/x","n":1.50}', "1")
    assert second.cases is not None


FAULTS = {
    "expect: {equals: 1}": "4:13 algorithms[0].expect missing-key | an entry of `tests` has its own `expect`",
    "tests: [{name: a}]": "4:13 algorithms[0].tests[0].payload missing-key | or payload_file, or cases",
    "tests: [{payload: 1}]": "4:13 algorithms[0].tests[0].name missing-key |",
    "tests: [{name: a, payload: 1, cases: tests/cases.jsonl}]": (
        "4:35 algorithms[0].tests[0].cases two-inputs | make two tests of it"
    ),
    "tests: [{name: a, payload_file: tests/ada.json, payload: 1}]": (
        "4:53 algorithms[0].tests[0].payload two-inputs | make two tests of it"
    ),
    "tests: [{name: a, payload: 1, expct: {}}]": "4:35 algorithms[0].tests[0].expct unknown-key | did you mean expect?",
    "tests: [{name: a, payload: 1, expect: {equal: 1}}]": (
        "4:44 algorithms[0].tests[0].expect.equal unknown-key | did you mean equals?"
    ),
    "tests: [{name: a, payload: 1, expect: 1}]": "4:43 algorithms[0].tests[0].expect type |",
    "tests: [{name: a, payload: 1, expect: {match: [1]}}]": "4:51 algorithms[0].tests[0].expect.match type |",
    "tests: [{name: a, payload: 1, expect: {match: {}}}]": (
        """4:51 algorithms[0].tests[0].expect.match empty | such as {"$.score": {">=": 0.5}}"""
    ),
    "tests: [{name: a, payload: 1, expect: {printed: []}}]": "4:53 algorithms[0].tests[0].expect.printed empty |",
    "tests: [{name: a, payload: 1, expect: {not_printed: []}}]": "4:57 algorithms[0].tests[0].expect.not_printed empty |",
    "tests: [{name: a, payload: 1, expect: {baseline: ''}}]": "4:54 algorithms[0].tests[0].expect.baseline empty |",
    "tests: [{name: a, payload: 1, limits: {p95_vs_baseline: 1.25, max_vs_baseline: 2}}]": (
        "4:43 algorithms[0].tests[0].limits needs-baseline | add `expect: {baseline: FILE}`, which `algosync test --accept` writes"
    ),
    "tests: [{name: a, payload: 1, expect: {schema: 1}}]": "4:52 algorithms[0].tests[0].expect.schema type |",
    "tests: [{name: a, payload: 1, expect: {size: 1.5}}]": "4:50 algorithms[0].tests[0].expect.size type |",
    "tests: [{name: a, payload: 1, expect: {sha256: abc}}]": "4:52 algorithms[0].tests[0].expect.sha256 expectation |",
    "tests: [{name: a, payload: 1, expect: {content_type: txt}}]": (
        "4:58 algorithms[0].tests[0].expect.content_type not-one-of | did you mean text?"
    ),
    "tests: [{name: a, payload: 1, expect: {printed: [1]}}]": (
        "4:54 algorithms[0].tests[0].expect.printed[0] type | put it in quotes"
    ),
    "tests: [{name: a, payload: 1, expect: {max_seconds: -1}}]": "4:57 algorithms[0].tests[0].expect.max_seconds out-of-range |",
    "tests: [{name: a, payload: 1, expect: {tolerance: {absolute: 1e999}}}]": (
        "4:66 algorithms[0].tests[0].expect.tolerance.absolute out-of-range |"
    ),
    "tests: [{name: a, payload: 1, repeat: 0}]": "4:43 algorithms[0].tests[0].repeat out-of-range |",
    "tests: [{name: a, payload: 1, repeat: 2.0}]": "4:43 algorithms[0].tests[0].repeat type |",
    "tests: [{name: a, payload: 1, concurrency: 257}]": "4:48 algorithms[0].tests[0].concurrency out-of-range |",
    "tests: [{name: a, payload: 1, timeout: 3001}]": "4:44 algorithms[0].tests[0].timeout timeout |",
    "tests: [{name: a, payload: 1, limits: {p9: 1}}]": "4:44 algorithms[0].tests[0].limits.p9 unknown-key | did you mean p99?",
    "tests: [{name: a, payload: 1, limits: {error_rate: 2}}]": "4:56 algorithms[0].tests[0].limits.error_rate out-of-range |",
    "tests: [{name: a, payload: 1, limits: {p95: fast}}]": "4:49 algorithms[0].tests[0].limits.p95 type |",
    "tests: [{name: a, payload_file: tests/adda.json}]": (
        "4:37 algorithms[0].tests[0].payload_file missing-file | did you mean ada.json?"
    ),
    "tests: [{name: a, payload_file: tests}]": "4:37 algorithms[0].tests[0].payload_file unreadable-file |",
    'tests: [{name: a, payload_file: "a\\u0000b"}]': "4:37 algorithms[0].tests[0].payload_file invalid-name |",
    "tests: [{name: a, payload_file: tests/labelled.csv}]": ("tests/labelled.csv 1:1 - syntax | texts need double quotes"),
    "tests: [{name: a, payload: 1, expect: {schema: tests/nothing}}]": (
        "4:52 algorithms[0].tests[0].expect.schema missing-file | paths are relative to the workflow file"
    ),
    "tests: [{name: a, payload: 1, expect: {baseline: tests}}]": ("4:54 algorithms[0].tests[0].expect.baseline unreadable-file |"),
    "tests: [{cases: tests/ada.txt}]": (
        "4:21 algorithms[0].tests[0].cases case-format | a name ends in .jsonl, .ndjson, .json, .yaml, .yml, .csv"
    ),
    "tests: [{cases: tests/case.jsonl}]": "4:21 algorithms[0].tests[0].cases missing-file | did you mean cases.jsonl?",
    "tests: [{cases: tests/cases.jsonl}, {cases: tests/cases.jsonl}]": (
        "4:49 algorithms[0].tests[1].cases duplicate-test | reports identify tests by their names"
    ),
    "tests: [{name: a, payload: 1}]\ngates: [{name: a, cases: tests/labelled.csv, metric: f1, at_least: 1}]": (
        "5:20 algorithms[0].gates[0].name duplicate-test | reports identify tests by their names"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: f1}]": (
        "4:13 algorithms[0].gates[0].at_least missing-key | give at least one of at_least, at_most, no_worse_than_published"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: f11, at_most: 1}]": (
        "4:58 algorithms[0].gates[0].metric not-one-of | did you mean f1?"
    ),
    "gates: [{name: a, cases: tests/cases.jsonl, metric: f1, at_most: 1}]": (
        "tests/cases.jsonl 1:1 label missing-key | the answer that a gate compares with, such as label: setosa\n"
        "tests/cases.jsonl 2:1 label missing-key | the answer that a gate compares with, such as label: setosa"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: f1, at_most: 1, by: regin}]": (
        "tests/labelled.csv 2:1 regin missing-key | did you mean region?\n"
        "tests/labelled.csv 3:1 regin missing-key | did you mean region?"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: rmse, at_most: 1}]": (
        "tests/labelled.csv 2:3 label type | such as label: 1.5\ntests/labelled.csv 3:3 label type | such as label: 1.5"
    ),
    "gates: [{name: a, cases: tests/boxes.jsonl, metric: accuracy, at_least: 1}]": (
        "tests/boxes.jsonl 1:25 label type | give a text, a number, true or false; the metric `exact` compares lists and objects"
    ),
    "gates: [{name: a, cases: tests/boxes.jsonl, metric: mae, at_most: 1}]": (
        "tests/boxes.jsonl 1:25 label type | such as label: 1.5\ntests/boxes.jsonl 2:25 label type | such as label: 1.5"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: f1, at_most: 1, answer: '$..label'}]": (
        "4:82 algorithms[0].gates[0].answer expectation | "
        "a gate needs one prediction: use names and indexes only, such as $.predictions[0].label"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: roc_auc, at_most: 1}]": (
        "4:13 algorithms[0].gates[0].positive missing-key | such as positive: true"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: exact, at_most: 1, positive: a}]": (
        "4:87 algorithms[0].gates[0].positive not-used | it is for f1, precision, recall, roc_auc"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: accuracy, at_least: 95}]": (
        "4:78 algorithms[0].gates[0].at_least out-of-range | accuracy is a part of 1: 0.95 is 95 %"
    ),
    "gates: [{name: a, cases: tests/labelled.csv, metric: f1, at_least: 0.9, no_worse_than_published: 2}]": (
        "4:102 algorithms[0].gates[0].no_worse_than_published out-of-range | f1 is a part of 1: 0.95 is 95 %"
    ),
    "gates: [{name: a, cases: tests/scores.csv, metric: rmse, at_most: -1}]": "4:71 algorithms[0].gates[0].at_most out-of-range |",
    "gates: [{name: a, cases: tests/labelled.csv, metric: rsme, at_most: 95}]": (
        "4:58 algorithms[0].gates[0].metric not-one-of | did you mean rmse?"
    ),
    "gates: [{name: a, metric: f1, at_most: 1}]": "4:13 algorithms[0].gates[0].cases missing-key |",
}


@pytest.mark.parametrize("text", FAULTS)
def test_every_fault_has_its_place_and_says_what_would_be_right(folder: Path, text: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        own_tests(folder, text)
    assert shown(caught.value, folder) == FAULTS[text].splitlines()


def shown(error: WorkflowError, folder: Path) -> list[str]:
    lines = []
    for fault in error.faults:
        file = f"{Path(fault.file).relative_to(folder)} " if fault.file else ""
        lines.append(f"{file}{fault.line}:{fault.column} {fault.path or '-'} {fault.code} | {fault.hint or ''}".rstrip())
    return lines


def test_the_entrypoints_own_tests_and_those_of_the_workflow_share_their_names(folder: Path) -> None:
    path = folder / "w.yaml"
    path.write_text("""\
algorithms:
  - {name: One, language: python3, tests: [{name: a, payload: 1}]}
  - {name: Two, language: python3, tests: [{name: a, payload: 1}]}
test_info: {entrypoint: One, tests: [{name: a, payload: 1}]}
""")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, {})
    assert shown(caught.value, folder) == ["4:45 test_info.tests[0].name duplicate-test | reports identify tests by their names"]


@pytest.mark.parametrize(
    ("key", "limit", "code"),
    [
        ("payload_file: large", MAX_PAYLOAD, "payload-too-large"),
        ("payload: 1, expect: {schema: large}", MAX_SIZE, "too-large"),
        ("payload: 1, expect: {baseline: large}", MAX_SIZE, "too-large"),
    ],
)
def test_a_file_that_is_too_large_is_refused(folder: Path, key: str, limit: int, code: str) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(limit + 1)
    with pytest.raises(WorkflowError) as caught:
        own_tests(folder, f"tests: [{{name: a, {key}}}]")
    assert [fault.code for fault in caught.value.faults] == [code]


def test_what_the_check_of_expectations_finds_is_reported_at_its_place(folder: Path) -> None:
    """Also in a file of cases, where the place is in that file."""

    def check(expect: Expectation) -> Iterable[ExpectationFault]:
        yield from (ExpectationFault("match", path, "not a path") for path, _ in expect.match if path.startswith("!"))
        yield from (ExpectationFault("printed", at, "not a pattern") for at, text in enumerate(expect.printed) if text == "(")
        yield from (ExpectationFault("ignore", at, "not a path") for at, path in enumerate(expect.ignore) if path.startswith("!"))
        if expect.schema == "false":
            yield ExpectationFault("schema", None, "not a schema")

    (folder / "bad.jsonl").write_text('{"payload": 1}\n\n{"payload": 1, "expect": {"schema": false}}\n')
    path = folder / "w.yaml"
    path.write_text("""\
algorithms:
  - name: One
    language: python3
    test_payload: 1
    expect:
      match: {$.a: 1, "!": 2}
      printed: [a, (]
    tests:
      - cases: bad.jsonl
    gates:
      - {name: g, cases: tests/labelled.csv, metric: f1, at_least: 0, answer: "!a"}
""")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, {}, tests=TestInputs(NamedFiles(folder), check))
    assert shown(caught.value, folder) == [
        '6:23 algorithms[0].expect.match["!"] expectation |',
        "7:20 algorithms[0].expect.printed[1] expectation |",
        "11:79 algorithms[0].gates[0].answer expectation |",
        "bad.jsonl 3:37 expect.schema expectation |",
    ]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("ada.json", b'"a-long-api-key"'),
        ("ada.json", b'"a-long-api-ke\\u0079"'),
        ("answer.json", b'{"const": "a-long-api-key"}'),
        ("accepted.json", b"a-long-api-key"),
        ("cases.jsonl", b'{"payload": 1}\n{"payload": ["a-long-api-key"]}\n'),
        ("labelled.csv", b"payload,label,region\n1,a-long-api-key,north\n"),
    ],
)
def test_a_key_in_a_file_that_a_test_names_is_refused_and_not_shown(folder: Path, file: str, content: bytes) -> None:
    (folder / "tests" / file).write_bytes(content)
    path = folder / "w.yaml"
    path.write_text("""\
algorithms:
  - name: One
    language: python3
    test_payload: 1
    expect: {schema: tests/answer.json, baseline: tests/accepted.json}
    tests: [{name: a, payload_file: tests/ada.json}, {cases: tests/cases.jsonl}, {cases: tests/labelled.csv}]
""")
    assert workflow.load(path, {}).algorithms
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, {}, [Secret("a-long-api-key")])
    (fault,) = caught.value.faults
    assert (Path(fault.file).name, fault.code) == (file, "key-in-file")
    assert "a-long-api-key" not in repr(caught.value.faults)


@pytest.mark.parametrize("path", ["$", "$.a", "$.a.b_1[0]['c d'][-1]", '$["\\"]"]', "$.größe", "$ .a [ 0 ]"])
def test_a_path_to_one_value_is_a_prediction(folder: Path, path: str) -> None:
    text = f"gates: [{{name: a, cases: tests/boxes.jsonl, metric: exact, at_least: 0, answer: {json.dumps(path)}}}]"
    (test,) = own_tests(folder, text)
    assert test.gate is not None
    assert test.gate.answer == path


@pytest.mark.parametrize("path", ["$.*", "$[*]", "$..a", "$[0,1]", "$[0:2]", "$[?@.a]", "$.a[?@.b].c"])
def test_a_path_that_may_select_several_values_is_none(folder: Path, path: str) -> None:
    """It could also take time that grows exponentially with its length."""
    with pytest.raises(WorkflowError, match="1 fault"):
        own_tests(folder, f"gates: [{{name: a, cases: tests/labelled.csv, metric: f1, at_least: 0, answer: {json.dumps(path)}}}]")


def test_a_path_that_holds_a_secret_is_not_shown(folder: Path) -> None:
    """Neither a key nor a sensitive variable. The faults are in the files."""
    path = folder / "w.yaml.j2"
    path.write_text("""\
variables:
  token: {sensitive: true}
algorithms:
  - name: One
    language: python3
    tests: [{name: a, payload_file: "a-long-api-ke\\u0079.json"}, {name: b, payload_file: "{{ token }}.json"}]
""")
    for name in ("a-long-api-key", "sesame77"):
        (folder / f"{name}.json").write_text("{")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, workflow.variables(["token=sesame77"], [], {}), [Secret("a-long-api-key")])
    assert {fault.code for fault in caught.value.faults} == {"key-in-file", "syntax"}
    assert "a-long-api-key" not in repr(caught.value.faults)
    assert "sesame77" not in repr(caught.value.faults)
