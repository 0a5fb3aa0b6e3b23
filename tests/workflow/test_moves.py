"""`moved`, `removed` and `required_version` of a workflow file. Their faults are in `broken/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.core.workflow import Move
from algosync.workflow.fault import Faults, UnreadableError
from algosync.workflow.keys.required_version import require_version
from algosync.workflow.parsing.yaml_reader import read_yaml

ALGORITHMS = "algorithms: [{name: New, language: python3}, {name: Other, language: python3}]\n"


def test_a_move_ends_at_the_name_of_today(tmp_path: Path) -> None:
    moved = "moved: [{from: Oldest, to: Old}, {from: Old, to: New}]\nremoved: [Gone]\n"
    (tmp_path / "w.yaml").write_text(moved + ALGORITHMS)
    loaded = workflow.load(tmp_path / "w.yaml", {})
    assert loaded.moved == (Move("Oldest", "New"), Move("Old", "New"))
    assert loaded.removed == ("Gone",)


def accepted(specifier: str, version: str) -> bool:
    faults = Faults()
    try:
        require_version(read_yaml(f"required_version: '{specifier}'", faults), faults, version)
    except UnreadableError:
        return False
    assert faults.found == []
    return True


@pytest.mark.parametrize(
    ("specifier", "version", "fits"),
    [
        (">=0.4", "0.4.0", True),
        (">=0.4", "0.3.9", False),
        (">=0.4,<1", "1.0", False),
        ("~=0.4", "0.9", True),
        ("==0.4.*", "0.5", False),
        (">=0.4", "0.4.0.dev3", True),
        (">=0.4", "0.10", True),
    ],
)
def test_versions_are_compared_as_those_of_packages(specifier: str, version: str, fits: bool) -> None:
    assert accepted(specifier, version) is fits


def test_nothing_else_is_reported_of_a_file_for_a_later_version(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("required_version: '>=99'\nnew_key: {}\n" + ALGORITHMS)
    with pytest.raises(WorkflowError) as refused:
        workflow.load(tmp_path / "w.yaml", {})
    (fault,) = refused.value.faults
    assert (fault.line, fault.column, fault.code) == (1, 19, "required-version")
    assert fault.message.startswith("this file requires algosync >=99, and this is ")
