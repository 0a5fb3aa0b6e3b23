"""Local files that a workflow names: which are missing, each with its line, and where code is looked for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError

TEXT = """\
source_info: {cluster_address: file://source}
algorithms:
  - name: There
    language: python3
    data_files:
      - data://.my/models/there.bin
      - data://.my/models/thear.bin
      - {source: data://.my/modles/there.bin, name: other.bin}
  - {name: Gone, language: python3}
  - {name: Moved, language: python3, code_path: file://algorithms/Ther}
  - {name: Renamed, language: python3, code: file://algorithms/There}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    code(tmp_path / "algorithms" / "There")
    (tmp_path / "source" / "quality" / "models").mkdir(parents=True)
    (tmp_path / "source" / "quality" / "models" / "there.bin").write_text("")
    (tmp_path / "w.yaml").write_text(TEXT)
    return tmp_path


def code(folder: Path) -> None:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / f"{folder.name}.py").write_text("")


def test_everything_that_is_missing_is_reported_with_its_line(folder: Path) -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow.load(folder / "w.yaml", {}, local_files=True)
    faults = [(f.line, f.path, f.code, f.message, f.hint) for f in caught.value.faults]
    assert faults == [
        (
            7,
            "algorithms[0].data_files[1]",
            "missing-file",
            "There: the source has no 'data://.my/models/thear.bin'",
            "did you mean there.bin?",
        ),
        (
            8,
            "algorithms[0].data_files[2]",
            "missing-file",
            "There: the source has no 'data://.my/modles/there.bin'",
            "did you mean models?",
        ),
        (
            9,
            "algorithms[1].code_path",
            "missing-file",
            "Gone: its code 'algorithms/Gone' does not exist",
            f"it should be in {folder}",
        ),
        (
            10,
            "algorithms[2].code_path",
            "missing-file",
            "Moved: its code 'algorithms/Ther' does not exist",
            "did you mean There?",
        ),
        (
            11,
            "algorithms[3].code",
            "missing-module",
            "Renamed: there is no src/Renamed.py in 'algorithms/There', which the platform starts",
            "there is src/There.py",
        ),
    ]


def test_files_are_only_checked_if_asked_for_and_not_for_run_only(folder: Path) -> None:
    assert len(workflow.load(folder / "w.yaml", {}).algorithms) == 4
    (folder / "w.yaml").write_text(f"run_only: true\n{TEXT}")
    assert workflow.load(folder / "w.yaml", {}, local_files=True).run_only


def test_code_is_also_looked_for_beside_the_folder_of_workflows(tmp_path: Path) -> None:
    """The original's layout."""
    (tmp_path / "workflows").mkdir()
    path = tmp_path / "workflows" / "w.json"
    path.write_text(json.dumps({"algorithms": [{"name": "One", "language": "python3"}]}))
    code(tmp_path / "algorithms" / "One")
    assert workflow.load(path, {}, local_files=True).algorithms[0].code == "file://../algorithms/One"
    code(tmp_path / "workflows" / "algorithms" / "One")
    assert workflow.load(path, {}, local_files=True).algorithms[0].code is None


def test_a_missing_source_folder_is_one_fault_at_its_address(folder: Path) -> None:
    (folder / "w.yaml").write_text(TEXT.replace("file://source", "file://sorce"))
    with pytest.raises(WorkflowError) as caught:
        workflow.load(folder / "w.yaml", {}, local_files=True)
    first, *others = caught.value.faults
    assert (first.line, first.path, first.code) == (1, "source_info.cluster_address", "missing-file")
    assert (first.message, first.hint) == ("the source 'file://sorce' does not exist", "did you mean source?")
    assert all("data_files" not in fault.path for fault in others)


def test_a_source_that_is_a_file_is_reported(folder: Path) -> None:
    (folder / "w.yaml").write_text(TEXT.replace("file://source", "file://w.yaml"))
    with pytest.raises(WorkflowError) as caught:
        workflow.load(folder / "w.yaml", {}, local_files=True)
    assert caught.value.faults[0].message == "the source 'file://w.yaml' is not a folder"


def test_faults_of_the_schema_do_not_hide_missing_files(folder: Path) -> None:
    """Also in the same list of data files. What has a fault already is not looked for."""
    faulty = TEXT.replace("      - data://.my/models/there.bin\n", "      - data://there.bin\n", 1)
    faulty += "  - {name: Bad, language: python3, code: ftp://x, colour: red}\n  - {name: 1, language: python3}\n"
    (folder / "w.yaml").write_text(faulty)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(folder / "w.yaml", {}, local_files=True)
    assert [(fault.line, fault.code) for fault in caught.value.faults] == [
        (6, "invalid-uri"),
        (7, "missing-file"),
        (8, "missing-file"),
        (9, "missing-file"),
        (10, "missing-file"),
        (11, "missing-module"),
        (12, "invalid-uri"),
        (12, "unknown-key"),
        (13, "type"),
    ]


NAMES = ("w.yaml", "w.json", "w.yaml.j2", "w.json.j2")
EMPTY = (
    *((name, text) for name in NAMES for text in ("", " \n\n")),
    *((name, "# only a comment\n") for name in NAMES if "yaml" in name),
    *((name, "{# nothing #}") for name in NAMES if name.endswith(".j2")),
)


@pytest.mark.parametrize(("name", "text"), EMPTY)
def test_a_file_without_content_shows_the_shortest_workflow(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / name, {})
    (fault,) = caught.value.faults
    assert (fault.line, fault.code, fault.message) == (1, "empty", "the file has no content")
    assert fault.hint is not None
    assert "algorithms: [{name: Hello, language: python3}]" in fault.hint


def counted(owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The first arguments with which a function is called from now on."""
    asked: list[object] = []
    function = getattr(owner, name)

    def call(argument: object) -> object:
        asked.append(argument)
        return function(argument)

    monkeypatch.setattr(owner, name, call)
    return asked


def test_one_question_tells_that_the_code_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        code(folder / "algorithms" / f"A{number}")
    entries = "".join(f"  - {{name: A{number}, language: python3}}\n" for number in range(20))
    (folder / "w.yaml").write_text(f"algorithms:\n{entries}")
    asked = counted(os.path, "exists", monkeypatch)
    workflow.load(folder / "w.yaml", {}, local_files=True)
    assert len(asked) == 20


def test_the_owners_of_a_source_are_listed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = "".join(f"      - {{source: data://.my/models/there.bin, name: f{number}}}\n" for number in range(20))
    text = TEXT.partition("      - data")[0] + files
    (folder / "w.yaml").write_text(text)
    listed = counted(Path, "iterdir", monkeypatch)
    workflow.load(folder / "w.yaml", {}, local_files=True)
    assert listed == [folder / "source"]


def test_two_spellings_of_the_code_are_one_fault(folder: Path) -> None:
    (folder / "w.yaml").write_text("algorithms: [{name: A, language: python3, code: file://x, code_path: file://x}]\n")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(folder / "w.yaml", {}, local_files=True)
    assert sorted(fault.code for fault in caught.value.faults) == ["missing-file", "two-spellings"]
