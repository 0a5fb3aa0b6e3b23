"""A name is judged the same wherever it is read."""

from pathlib import Path

import pytest

from algosync.cli.local.location import is_local
from algosync.core.address import Address
from algosync.core.error import UsageError, WorkflowError
from algosync.workflow import load, variables
from algosync.workflow.uri import address_fault, algorithm_name_fault

LOCAL = ["a", "two", "Two_2-b", "n" * 63, "", "n" * 64, "a.b", "..", ".a", "-a", "_a", "a b", "é", "a/b", "a\n"]


def is_a_local_cluster(address: str) -> bool:
    try:
        return is_local(address)
    except UsageError:
        return False


@pytest.mark.parametrize("name", LOCAL)
def test_a_local_cluster_that_a_workflow_may_name_can_be_started(name: str) -> None:
    assert (address_fault(f"local:{name}") is None) is is_a_local_cluster(f"local:{name}")


@pytest.mark.parametrize("name", ["Hello", "h_2", "2h", "_h", "Hällo", "a.b", "", "a b"])
def test_an_algorithm_that_a_workflow_may_name_has_an_address(name: str) -> None:
    try:
        Address.parse(f"algorithm.{name}")
    except ValueError:
        assert algorithm_name_fault(name) is not None
    else:
        assert algorithm_name_fault(name) is None


def test_the_name_of_a_local_cluster_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("source_info:\n  cluster_address: local:a.b\nalgorithms:\n  - {name: A, language: python3}\n")
    with pytest.raises(WorkflowError) as caught:
        load(path, variables([], [], {}))
    (fault,) = caught.value.faults
    assert (fault.line, fault.path, fault.code, fault.hint) == (
        2,
        "source_info.cluster_address",
        "invalid-address",
        None,
    )
    assert "'local:a.b': the name of a local cluster is a letter or digit, then at most 62 letters" in fault.message


@pytest.mark.parametrize("name", ["release", "2.0_b-c", "n" * 255])
def test_a_workflow_may_have_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(f"name: '{name}'\nalgorithms:\n  - {{name: A, language: python3}}\n")
    assert load(path, {}).name == name


def test_without_one_it_is_the_stem(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml.j2"
    path.write_text("algorithms:\n  - {name: A, language: python3}\n")
    assert load(path, {}).name == "file"


@pytest.mark.parametrize("name", ["../a", "a/b", "a b", "-a", "é", "n" * 256, "a@b", "a~b"])
def test_the_name_of_a_workflow_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"name: '{name}'\nalgorithms:\n  - {{name: A, language: python3}}\n")
    with pytest.raises(WorkflowError) as refused:
        load(path, {})
    assert [(fault.line, fault.path, fault.code) for fault in refused.value.faults] == [(1, "name", "invalid-name")]
