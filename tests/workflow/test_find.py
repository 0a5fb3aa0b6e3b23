"""Which workflow file a command uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import UsageError


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    for name in ("a.json", "b.yaml", "b.notes.txt", "c.yml.j2", "d.json", "d.yaml", "README.md"):
        (tmp_path / "workflows" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "workflows" / name).write_text("")
    (tmp_path / "here.yaml").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("here.yaml", "here.yaml"),
        ("workflows/a.json", "workflows/a.json"),
        ("a", "workflows/a.json"),
        ("b", "workflows/b.yaml"),
        ("c", "workflows/c.yml.j2"),
        ("b.yaml", "workflows/b.yaml"),
        ("here", "here.yaml"),
    ],
)
def test_an_argument_is_a_path_or_a_name(cwd: Path, argument: str, found: str) -> None:
    assert workflow.find(argument, {"WORKFLOW_NAME": "d"}, cwd) == cwd / found


def test_an_absolute_path_is_used_unchanged(cwd: Path) -> None:
    assert workflow.find(str(cwd / "here.yaml"), {}, Path("/")) == cwd / "here.yaml"


def test_the_environment_names_a_workflow(cwd: Path) -> None:
    (cwd / "workflow.json").write_text("")
    assert workflow.find(None, {"WORKFLOW_NAME": "a"}, cwd) == cwd / "workflows" / "a.json"
    assert workflow.find(None, {"WORKFLOW_NAME": ""}, cwd) == cwd / "workflow.json"


@pytest.mark.parametrize("suffix", ["json", "yaml", "yml", "yaml.j2"])
def test_the_file_in_the_current_folder_is_used(cwd: Path, suffix: str) -> None:
    (cwd / f"workflow.{suffix}").write_text("")
    assert workflow.find(None, {}, cwd) == cwd / f"workflow.{suffix}"


def test_the_only_file_in_workflows_is_used(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "only.yaml").write_text("")
    (tmp_path / "workflows" / "README.md").write_text("")
    assert workflow.find(None, {}, tmp_path) == tmp_path / "workflows" / "only.yaml"


ALL = "workflows/a.json, workflows/b.yaml, workflows/c.yml.j2, workflows/d.json, workflows/d.yaml"


def missing(name: str) -> str:
    return f"looked for {name} and {name}.{{json,yaml,yml}}[.j2], here and in workflows/; there are: {ALL}, here.yaml"


@pytest.mark.parametrize(
    ("argument", "environ", "message", "hint"),
    [
        (None, {}, f"there are several workflows: {ALL}", "name one of them"),
        ("d", {}, "there are several workflows: workflows/d.json, workflows/d.yaml", "name one of them"),
        ("x", {}, "there is no workflow 'x'", missing("x")),
        ("workflows", {}, "there is no workflow 'workflows'", missing("workflows")),
        (None, {"WORKFLOW_NAME": "x"}, "WORKFLOW_NAME: there is no workflow 'x'", missing("x")),
        ("heer", {}, "there is no workflow 'heer'", f"did you mean here? {missing('heer')}"),
        ("x" * 300, {}, f"there is no workflow '{'x' * 300}'", missing("x" * 300)),
    ],
)
def test_several_candidates_are_listed(cwd: Path, argument: str | None, environ: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        workflow.find(argument, environ, cwd)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_candidates_elsewhere_are_listed_too(cwd: Path) -> None:
    with pytest.raises(UsageError) as caught:
        workflow.find(str(cwd / "workflows" / "d"), {}, cwd / "workflows" / "none")
    assert caught.value.message == f"there are several workflows: {cwd}/workflows/d.json, {cwd}/workflows/d.yaml"


def test_without_any_workflow_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        workflow.find(None, {}, tmp_path)
    assert caught.value.hint == "write one into workflows/, or give its path"
