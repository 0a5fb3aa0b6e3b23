"""The keys `guards` and `lifecycle`."""

from __future__ import annotations

from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.core.secret import Secret
from algosync.core.workflow import GuardLimits, Workflow


def loaded(folder: Path, guards: str = "", lifecycle: str = "") -> Workflow:
    own = f", lifecycle: {lifecycle}" if lifecycle else ""
    top = f"guards: {guards}\n" if guards else ""
    path = folder / "w.yaml"
    path.write_text(f"{top}algorithms: [{{name: One, language: python3, code: file://x{own}}}]\n")
    return workflow.load(path, {})


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", GuardLimits(30, 30)),
        ("{max_deletes: 50%}", GuardLimits(50, 30)),
        ("{max_deletes: 0%, max_overwrites: 100%}", GuardLimits(0, 100)),
    ],
)
def test_limits_are_percentages(tmp_path: Path, text: str, limits: GuardLimits) -> None:
    assert loaded(tmp_path, text).guards == limits


@pytest.mark.parametrize("wrong", ["30", "101%", "0.5%", "-1%", "many", "[30%]", "''"])
def test_anything_else_is_a_fault_with_its_place(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        loaded(tmp_path, f"{{max_deletes: {wrong}}}")
    (fault,) = caught.value.faults
    assert (fault.path, fault.code, fault.hint) == ("guards.max_deletes", "percent", "for example 30%")


@pytest.mark.parametrize(
    ("text", "protected"), [("", False), ("{prevent_destroy: true}", True), ("{prevent_destroy: false}", False)]
)
def test_an_algorithm_may_be_protected(tmp_path: Path, text: str, protected: bool) -> None:
    assert loaded(tmp_path, lifecycle=text).algorithms[0].prevent_destroy is protected


def test_a_wrong_percentage_beside_an_api_key_is_shown_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("guards: {max_deletes: 30}\nalgorithms: [{name: One, language: simKEYkeyKEYkey, code: file://x}]\n")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, {}, [Secret("simKEYkeyKEYkey")])
    assert [fault.code for fault in caught.value.faults] == ["percent", "key-in-file"]
