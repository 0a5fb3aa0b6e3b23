"""Local files that a workflow names: which are missing, each with its line, and where code is looked for."""

from __future__ import annotations

import json
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
