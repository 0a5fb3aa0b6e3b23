"""Every broken file reports exactly its committed faults.

`NAME.faults` beside a file holds the flags for loading it, the API keys that it must not contain, and a line for each fault:
`LINE:COLUMN [< TEMPLATE LINE] PATH CODE`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import Fault, WorkflowError
from algosync.core.secret import Secret

BROKEN = Path(__file__).with_name("broken")
FILES = sorted(path for path in BROKEN.iterdir() if path.suffix != ".faults")


def expected(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Return flags, API keys and faults."""
    lines = path.with_name(f"{path.name}.faults").read_text().splitlines()
    flags = [json.loads(line.removeprefix("--var ")) for line in lines if line.startswith("--var ")]
    keys = [json.loads(line.removeprefix("--secret ")) for line in lines if line.startswith("--secret ")]
    return flags, keys, lines[len(flags) + len(keys) :]


def shown(fault: Fault) -> str:
    template = f" < {fault.template_line}" if fault.template_line else ""
    return f"{fault.line}:{fault.column}{template} {fault.path or '-'} {fault.code}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_all_faults_are_reported(path: Path) -> None:
    flags, keys, faults = expected(path)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, workflow.variables(flags, [], {}), map(Secret, keys))
    assert [shown(fault) for fault in caught.value.faults] == faults
    assert {fault.code for fault in caught.value.faults} <= set(workflow.CODES)
    assert all(fault.message and fault.message.isprintable() for fault in caught.value.faults)
    assert [key for key in keys for fault in caught.value.faults if key in repr(fault)] == []


def test_every_code_is_covered_by_a_file() -> None:
    covered = {line.rpartition(" ")[2] for path in FILES for line in expected(path)[2]}
    elsewhere = {"missing-file", "missing-module"}  # tested in test_local_files.py
    elsewhere |= {"unreadable-file", "case-format", "out-of-range", "two-inputs", "expectation"}  # and in test_tests_keys.py
    elsewhere |= {"needs-baseline", "not-used"}
    elsewhere |= {"percent"}  # and in test_guards_key.py
    assert covered | elsewhere == set(workflow.CODES)


def test_the_files_cover_all_formats_and_several_faults_at_once() -> None:
    assert len(FILES) >= 32
    assert {"".join(path.suffixes) for path in FILES} == {".json", ".yaml", ".json.j2", ".yaml.j2"}
    assert sum(len(expected(path)[2]) >= 3 for path in FILES) >= 12
    assert len(list(BROKEN.glob("*.faults"))) == len(FILES)


@pytest.mark.parametrize(
    ("name", "text", "hinted"),
    [
        ("a.yaml", "algorithms:\n{% for name in names %}\n  - name: {{ name }}\n{% endfor %}\n", [True]),
        ("a.yaml", "algorithms:\n  - name: {{ name }}\n    language: python3\n", [True, False]),
        ("a.json", '{"algorithms": [{"name": "A", {{ more }} }]}', [True]),
        ("a.json", '{"algorithms": [{"name": "{{ name }}"}]}', [False, True]),
        ("a.yaml", 'algorithms:\n  - {name: A, language: python3, test_payload: "{{", testz: 1}\n', [False]),
        ("a.json", '{"algorithms": [{"nam": "A", "language": "python3", "test_payload": "{{"}]}', [False, False]),
        ("a.yaml.j2", "algorithms:\n  - name: '{{ '{{' }}'\n", [False, False]),
        ("a.yaml", "algorithms:\n  - nam: A\n    language: python3\n    test_payload: '{{'\n", [False, False]),
    ],
)
def test_marks_of_a_template_in_another_file_are_explained(name: str, text: str, hinted: list[bool], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / name, {})
    faults = sorted(caught.value.faults, key=lambda fault: (fault.line, fault.column))
    assert ["name ends with .j2" in (fault.hint or "") for fault in faults] == hinted
