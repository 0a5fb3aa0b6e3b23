"""Files that tests name, in a saved plan: which travel with it, which have to be in the checkout, and which are never read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from algosync.cli.options import WorkflowOptions
from algosync.cli.saved.bundle import Bundle, named_files
from algosync.cli.saved.inputs import SavedInputs
from algosync.cli.terminal import Terminal
from algosync.core.error import SourceError, Stale, WorkflowError
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.plan_inputs import NamedFile, PlanFile, PlanInputs, WorkflowText
from algosync.core.planning.saved_plan import Binding, Conceal, SavedPlan, workflow_digest
from algosync.core.planning.target import Selection
from algosync.core.workflow import Workflow
from algosync.workflow import NamedFiles, TestInputs, load
from algosync.workflow.cases import open_cases

TEXT = """\
algorithms:
  - name: One
    language: python3
    test_payload: 1
    expect: {baseline: tests/accepted.json, schema: tests/schema.json}
    tests: [{name: a, payload_file: tests/ada.json}, {name: b, cases: tests/cases.jsonl}]
"""
CONTENTS = {
    "tests/ada.json": b'"Ada"',
    "tests/cases.jsonl": b'{"payload": 1}\n{"payload": 2}\n',
    "tests/schema.json": b'{"type": "string"}',
}
NO_SECRETS = Conceal(lambda text: text, lambda value: "secret" in str(value))
BINDING = Binding(None, None, "https://api.b.com", None, "jane", None, None, None, "0" * 64, {})
SAVED = SavedPlan(Plan(PlanHeader("w", None, "https://api.b.com", "jane"), (), ()), Selection(), BINDING)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the files; nothing is accepted as a baseline yet."""
    top = tmp_path / "checkout"
    (top / ".git").mkdir(parents=True)
    (top / "tests").mkdir()
    for path, content in CONTENTS.items():
        (top / path).write_bytes(content)
    (top / "w.yaml").write_text(TEXT)
    return top


def loaded(top: Path) -> tuple[Workflow, NamedFiles]:
    files = NamedFiles(top)
    return load(top / "w.yaml", {}, tests=TestInputs(files)), files


def saved(top: Path, limit: int = 1000, folder: str = "") -> tuple[Workflow, SavedInputs]:
    """The workflow, and the inputs of a plan that was saved of it. `limit`: bytes of contents in the plan."""
    workflow, files = loaded(top)
    bundle = Bundle(NO_SECRETS, limit)
    tests = tuple(named_files(files, bundle))
    inputs = PlanInputs(WorkflowText("w.yaml", TEXT, {}, (), "w.yaml", folder), tests=tests)
    return workflow, SavedInputs(PlanFile(SAVED, inputs, bundle.contents), top)


def applied(inputs: SavedInputs) -> tuple[Workflow, NamedFiles]:
    terminal = Terminal(io.StringIO(), io.StringIO(), (False, False), live=False)
    found = inputs.load(WorkflowOptions(environ={}), terminal)
    return found.workflow, found.files


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_files_of_tests_travel_with_a_saved_plan(checkout: Path, tmp_path: Path) -> None:
    workflow, inputs = saved(checkout)
    assert set(inputs.file.inputs.tests) == {
        NamedFile("tests/accepted.json", None),
        *(NamedFile(path, sha256(content)) for path, content in CONTENTS.items()),
    }
    (tmp_path / "elsewhere").mkdir()
    there, files = applied(replace(inputs, top=tmp_path / "elsewhere"))
    assert there.algorithms == workflow.algorithms
    cases = there.algorithms[0].tests[2].cases
    assert cases is not None
    assert [case.payload for case in open_cases(cases, files, "One")] == ["1", "2"]


def test_what_the_checkout_has_by_then_does_not_count(checkout: Path) -> None:
    """Also a baseline that was accepted after the plan was made."""
    workflow, inputs = saved(checkout)
    for path in (*CONTENTS, "tests/accepted.json"):
        (checkout / path).write_text("another content")
    assert applied(inputs)[0].algorithms == workflow.algorithms


def test_a_file_that_does_not_fit_has_to_be_here(checkout: Path) -> None:
    """As also a file that holds a secret, which no saved plan takes."""
    large = checkout / "tests/cases.jsonl"
    large.write_text('{"payload": "a secret"}\n')
    for limit in (1000, 20):
        workflow, inputs = saved(checkout, limit)
        assert sha256(large.read_bytes()) not in inputs.file.contents
        assert applied(inputs)[0].algorithms == workflow.algorithms
    for content in (b'{"payload": "a secrex"}\n', None):
        large.unlink() if content is None else large.write_bytes(content)
        with pytest.raises(Stale, match=r"tests/cases\.jsonl is not in the plan, and has to be here: sha256") as refused:
            applied(inputs)
    assert "-> nothing" in refused.value.message


@pytest.mark.parametrize("where", ["folder", "link", "git"])
def test_no_file_outside_of_the_checkout_is_read(checkout: Path, tmp_path: Path, where: str) -> None:
    """A plan may be crafted. The file has the right content."""
    outside = tmp_path / "outside.json"
    outside.write_bytes(b'"mine"')
    path = {"folder": "../outside.json", "link": "link.json", "git": ".git/x.json"}[where]
    (checkout / "link.json").symlink_to(outside)
    (checkout / ".git" / "x.json").write_bytes(b'"mine"')
    _, inputs = saved(checkout)
    text = replace(inputs.file.inputs.workflow, text=TEXT.replace("tests/ada.json", path))
    tests = (*inputs.file.inputs.tests, NamedFile(path, sha256(b'"mine"')))
    crafted = replace(inputs, file=replace(inputs.file, inputs=replace(inputs.file.inputs, workflow=text, tests=tests)))
    with pytest.raises(Stale, match="only files of the checkout are read"):
        applied(crafted)


def test_a_file_that_the_plan_does_not_list_is_not_read(checkout: Path) -> None:
    _, inputs = saved(checkout)
    crafted = replace(inputs, file=replace(inputs.file, inputs=replace(inputs.file.inputs, tests=())))
    with pytest.raises(WorkflowError) as refused:
        applied(crafted)
    assert {fault.code for fault in refused.value.faults} == {"unreadable-file"}
    assert "it is not in the saved plan" in refused.value.faults[0].message


def test_a_file_that_changed_while_the_plan_was_made_is_not_saved(checkout: Path) -> None:
    _, files = loaded(checkout)
    (checkout / "tests/ada.json").write_text('"Eve"')
    with pytest.raises(SourceError, match=r"tests/ada\.json changed while the plan was made"):
        list(named_files(files, Bundle(NO_SECRETS)))


CHANGES: Mapping[str, str] = {
    "tests/ada.json": '"Eve"',
    "tests/cases.jsonl": '{"payload": 1}\n{"payload": 3}\n',
    "tests/schema.json": '{"type": "object"}',
    "tests/accepted.json": '{"accepted": 1}',
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_plan_is_bound_to_the_content_of_every_file(checkout: Path, path: str) -> None:
    before = workflow_digest(loaded(checkout)[0], NO_SECRETS)
    assert workflow_digest(loaded(checkout)[0], NO_SECRETS) == before
    (checkout / path).write_text(CHANGES[path])
    assert workflow_digest(loaded(checkout)[0], NO_SECRETS) != before
