"""The schemas of the documents that algosync writes. The harness checks those of real commands, too."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documents import SCHEMAS, check_document, check_states, schema_of
from harness import Workspace
from jsonschema import Draft202012Validator

from algosync.core.address import Address
from algosync.core.planning.change import Action, Drift
from algosync.core.test_result import TestResult, encode_results

ROOT = Path(__file__).parents[2]
NO_VERSION = {"event", "workflow"}  # the first line of all has it; people write it


def properties(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property that a schema names, and where."""
    for key, each in schema.items() if isinstance(schema, dict) else ():
        if key == "properties":
            yield from (
                (f"{place}.{name}", value) for name, value in each.items() if place.rpartition(".")[2] not in ("if", "then")
            )
        if isinstance(each, dict) and key not in ("if", "then"):
            yield from properties(each, f"{place}.{key}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_describes_everything(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:algosync:schema:{name}"
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert [place for place, each in properties(schema) if not {"description", "$ref"} & each.keys()] == []
    assert ("format_version" in schema["required"]) == (name not in NO_VERSION)


def test_the_schema_knows_every_action_and_every_finding() -> None:
    """An action or a finding that is added has to be added to the schema."""
    change = schema_of("plan")["properties"]["resource_changes"]["items"]["properties"]["change"]
    actions = set(change["properties"]["actions"]["items"]["enum"])
    assert actions >= {action.value for action in Action} - {Action.REFRESH.value}
    found = schema_of("drift")["properties"]["drift"]["items"]["properties"]["drift"]
    assert set(found["enum"]) == {drift.value for drift in Drift}


@pytest.mark.parametrize("version", [1, 2])
def test_states_of_every_format_fit(version: int) -> None:
    check_document("state", json.loads((ROOT / "tests" / "state" / f"golden_state_v{version}.json").read_bytes()))


def test_results_of_tests_fit() -> None:
    when = "2026-01-02T03:04:05+00:00"
    result = TestResult(Address("test", "Hello", "t\x1b"), passed=False, at=when, since=when, reason="boom")
    document = json.loads(encode_results({result.address: result}, {"later": 1}))
    check_document("test_results", document)


def test_a_failed_command_writes_diagnostics_in_place_of_its_report(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    (tmp_path / "workflow.json").write_text('{"algorithms": [{"nam": "X"}]}')
    done = space.run("plan", "--json", "--report", "json:plan.json", "--report", "text:plan.txt")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert "Error: the key 'nam' is not known here" in done.stderr
    check_document("diagnostics", document)
    assert {each["place"]["code"] for each in document["diagnostics"]} == {"unknown-key", "missing-key"}
    check_document("diagnostics", json.loads((tmp_path / "plan.json").read_text()))
    assert not (tmp_path / "plan.txt").exists()
    text = space.run("plan")
    assert (text.returncode, text.stdout) == (1, "")


def test_documents_of_commands_fit(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    workspace.plan()
    workspace.apply()
    states = list((workspace.folder / "state").glob("*~*.json*"))
    assert {path.name.rpartition(".")[2] for path in states} >= {"json", "results"}
    check_states(workspace.folder / "state")
    done = workspace.run("drift", "--json")
    check_document("drift", json.loads(done.stdout))
    runs = json.loads(workspace.run("history", "--json").stdout)
    check_document("history", runs)
    assert [run["command"] for run in runs["runs"]] == ["apply", "drift"]
    assert [row.split()[2] for row in workspace.run("history").stdout.splitlines()] == ["COMMAND", "apply", "drift"]
    check_states(workspace.folder / "state")


def test_documents_of_the_local_cluster_fit(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    try:
        assert space.run("emulator", "start").returncode == 0
        check_document("local_clusters", json.loads(space.run("emulator", "status", "--json").stdout))
        check_document("local_keys", json.loads(space.run("emulator", "key", "list", "--json").stdout))
    finally:
        space.run("emulator", "stop")
    check_document("local_clusters", json.loads(space.run("emulator", "status", "--json").stdout))


# The command.


def test_the_command_lists_every_schema(tmp_path: Path) -> None:
    lines = Workspace(tmp_path).run("schema").stdout.splitlines()
    assert [line.split()[0] for line in lines] == SCHEMAS
    assert all(len(line.split()) > 3 for line in lines)


def test_the_command_prints_a_schema(tmp_path: Path) -> None:
    assert json.loads(Workspace(tmp_path).run("schema", "workflow").stdout) == schema_of("workflow")


def test_an_unknown_schema_is_a_usage_error(tmp_path: Path) -> None:
    done = Workspace(tmp_path).run("schema", "worklow")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "Error: there is no schema worklow\n  did you mean workflow?\n"


def test_a_wheel_has_the_schemas(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "algosync", checkout / "algosync", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    script = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=checkout, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = [name for name in archive.namelist() if name.startswith("algosync/schemas/")]
        page = {name for name in archive.namelist() if name.endswith((".css", ".j2"))}
    assert sorted(packed) == [f"algosync/schemas/{name}.json" for name in SCHEMAS]
    assert page == {f"algosync/views/formats/{name}.{ending}" for name in ("report", "site") for ending in ("css", "html.j2")}
