"""What `workflows/README.md` says about tests is what the loader reads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from algosync import workflow
from algosync.answers import faults
from algosync.core.testing.case import CaseFile, Limit, Load
from algosync.workflow.cases import FORMATS, open_cases
from algosync.workflow.testing.expectation_keys import EXPECT_KEYS
from algosync.workflow.testing.gate_keys import METRICS
from algosync.workflow.testing.load_keys import LIMIT_KEYS

FORMAT = (Path(__file__).parents[2] / "workflows" / "README.md").read_text()


def test_the_documented_tests_and_files_of_cases_are_valid(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(re.findall(r"^```yaml\n(.*?)^```", FORMAT, re.DOTALL | re.MULTILINE)[1])
    (tmp_path / "tests").mkdir()
    for name, text in {"ada.json": '"Ada"', "answer.schema.json": "{}"}.items():
        (tmp_path / "tests" / name).write_text(text)
    for name, text in re.findall(r"^```\w+ (tests/\S+)\n(.*?)^```", FORMAT, re.DOTALL | re.MULTILINE):
        (tmp_path / name).write_text(text)
    loaded = workflow.load(tmp_path / "w.yaml", {}, tests=workflow.TestInputs(workflow.NamedFiles(tmp_path), faults))
    (*_, of_file, gate), (load,) = loaded.algorithms[0].tests, loaded.tests
    assert [case.name for case in loaded.algorithms[0].tests] == ["", "in English", "from a file", "tests/cases.jsonl", "language"]
    assert load.load == Load(50, 4, 2, (Limit("p95", 0.5), Limit("error_rate", 0.0)))

    def payloads(file: CaseFile | None) -> list[tuple[str, str, str | None]]:
        assert file is not None
        cases = open_cases(file, workflow.NamedFiles(tmp_path), "Greeter")
        return [(case.name, case.payload, case.expect.equals) for case in cases]

    assert payloads(of_file.cases) == [
        ("Ada", '"Ada"', '"Hello, Ada"'),
        ("#2", '{"name":"Eve","language":"fr"}', '"Bonjour, Eve"'),
        ("#3", "7", None),
    ]
    assert payloads(gate.cases) == [("#2", '"Ada"', '"en"'), ("#3", '{"name":"Eve"}', '"fr"')]
    digest = hashlib.sha256((tmp_path / "tests/ci.json").read_bytes()).hexdigest()
    assert payloads(CaseFile("tests/ci.json", digest, 1)) == [("score", '"Ada"', None)]


def test_the_documented_tests_are_those_of_the_schema() -> None:
    """Every expectation, every limit, every metric and every ending of a file of cases is told."""
    section = FORMAT[FORMAT.index("## Tests\n") : FORMAT.index("## Examples\n")]
    told = set(re.findall(r"`([\w.]+)`", section))
    assert {*EXPECT_KEYS, *METRICS, *FORMATS} <= told
    assert {key for key in LIMIT_KEYS if not key.endswith("_vs_baseline")} <= told
