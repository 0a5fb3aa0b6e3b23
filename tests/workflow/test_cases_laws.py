"""Laws of files of cases: what is written is read, in every format, and no content gets past the faults."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from algosync import workflow
from algosync.core.error import Fault, WorkflowError
from algosync.core.testing.case import Case
from algosync.workflow import NamedFiles
from algosync.workflow.cases import open_cases

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
WRITTEN = st.fixed_dictionaries({"payload": VALUES, "label": VALUES, "region": TEXTS})
VALID = {
    ".jsonl": b'{"name": "x", "payload": {"a": [1, "b"]}, "expect": {"equals": 1}, "k": 1}\n{"payload": "\xc3\xa9"}\n',
    ".json": b'[{"case_name": "a", "input": 1, "expected_output": 2, "tree": ["a", 0]}, {"payload": 1, "label": 2}]',
    ".yaml": b"- {payload: 1, expect: {match: {$.a: {'>': 1}}}}\n- name: x\n  payload: [a, b]\n",
    ".csv": b'name,payload,expect,region\na,"{""a"": 1}",1,x\n"b\nc",x,"{""equals"": 2}",y\n',
}


def read(suffix: str, content: bytes) -> list[Case]:
    """The cases of a file. Raises WorkflowError for its faults."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"c{suffix}").write_bytes(content)
        (folder / "w.yaml").write_text(f"algorithms: [{{name: One, language: python3, tests: [{{name: a, cases: c{suffix}}}]}}]")
        (test,) = workflow.load(folder / "w.yaml", {}).algorithms[0].tests
        assert test.cases is not None
        cases = list(open_cases(test.cases, NamedFiles(folder), "One"))
        assert len(cases) == test.cases.count
        return cases


class Quoting(yaml.SafeDumper):
    """Quotes texts but words. YAML 1.1, which it writes, has texts that are numbers in YAML 1.2, which algosync reads: `0E0`."""


def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isalpha() else '"')


Quoting.add_representer(str, quoted)


def table(cases: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("payload", "label", "region"))
    rows.writerows((json.dumps(case["payload"]), json.dumps(case["label"]), case["region"]) for case in cases)
    return text.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.lists(WRITTEN, min_size=1, max_size=5))
def test_every_format_reads_the_same_cases(cases: list[dict[str, Any]]) -> None:
    lines = "".join(f"{json.dumps(case, ensure_ascii=False)}\n" for case in cases)
    texts = {".jsonl": lines, ".json": json.dumps(cases), ".yaml": yaml.dump(cases, Dumper=Quoting), ".csv": table(cases)}
    for suffix, text in texts.items():
        found = read(suffix, text.encode())
        values = [(json.loads(case.payload), json.loads(case.expect.equals or ""), case.attributes) for case in found]
        assert values == [(filled(case["payload"]), case["label"], {"region": case["region"]}) for case in cases], suffix


def filled(value: Any) -> Any:
    """The payload with `<algo>` filled in."""
    return json.loads(json.dumps(value).replace("<algo>", "One"))


@pytest.mark.parametrize("suffix", VALID)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_changed_file_is_read_or_has_faults(suffix: str, data: st.DataObject) -> None:
    content = bytearray(VALID[suffix])
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content)))
        kept = data.draw(st.integers(0, 4))
        content[at : at + kept] = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b"\n", b",", b"{", b"\0"])))
    for fault in faults(suffix, bytes(content)):
        assert fault.message.isprintable()
        assert min(fault.line, fault.column) > 0


def faults(suffix: str, content: bytes) -> tuple[Fault, ...]:
    try:
        read(suffix, content)
    except WorkflowError as error:
        return error.faults
    return ()
