"""The committed inputs of the example workflows: how they were made, and that they match their description."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from algosync.workflow import load, variables

WORKFLOWS = Path(__file__).parents[2] / "workflows"
CLUSTER = WORKFLOWS / "image_parallel_pipelining"
OWNER = CLUSTER / "quality"
RELEASE = WORKFLOWS / "model_release" / "quality"
ORIGINAL = json.loads((WORKFLOWS / "image_parallel_pipelining.json").read_text())
LARGEST_INPUTS = 15 << 20


def rebuild(*arguments: object) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(WORKFLOWS / "make_inputs.py"), *map(str, arguments)]
    return subprocess.run(script, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_archives_are_rebuilt_byte_for_byte_without_an_index(tmp_path: Path) -> None:
    finished = rebuild("--archives", tmp_path)
    assert finished.returncode == 0, finished.stderr
    committed = {name: content for name, content in contents(WORKFLOWS).items() if name.endswith(".tar.gz")}
    assert contents(tmp_path) == committed
    assert len(committed) == len(ORIGINAL["algorithms"])


def test_all_inputs_are_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    finished = rebuild(tmp_path)
    # pip ends like this if no index replies; an index would list the available versions.
    if "(from versions: none)" in finished.stderr and not os.environ.get("CI"):
        pytest.skip("no package index can be reached")
    assert finished.returncode == 0, finished.stderr
    rebuilt = contents(tmp_path)
    assert rebuilt == {name: (WORKFLOWS / name).read_bytes() for name in rebuilt}
    assert {name for name in rebuilt if not name.startswith("LICENSES/")} == {
        path.relative_to(WORKFLOWS).as_posix() for path in OWNER.rglob("*") if path.is_file()
    }


def test_readme_lists_every_binary_with_its_digest() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (WORKFLOWS / "README.md").read_text(), re.MULTILINE)
    listed = {path: content for folder in (OWNER, RELEASE) for path, content in contents(folder).items()}
    assert dict(rows) == {name: hashlib.sha256(content).hexdigest() for name, content in listed.items()}


def test_binaries_stay_small() -> None:
    assert sum(len(content) for content in contents(OWNER).values()) < LARGEST_INPUTS


def test_the_source_cluster_has_one_owner() -> None:
    assert ORIGINAL["source_info"] == {"cluster_address": "file://image_parallel_pipelining"}
    assert [path.name for path in CLUSTER.iterdir()] == ["quality"]


@pytest.mark.parametrize("name", [algorithm["name"] for algorithm in ORIGINAL["algorithms"]])
def test_archive_holds_its_sources_and_nothing_else(name: str) -> None:
    with tarfile.open(OWNER / "code" / f"{name}.tar.gz") as archive:
        members = archive.getmembers()
        held = {member.name: file.read() for member in members if (file := archive.extractfile(member))}
    sources = {path: text for path, text in contents(WORKFLOWS / "sources" / name).items() if "__pycache__" not in path}
    assert held == sources
    assert [member.name for member in members] == sorted(sources)
    assert {(member.type, member.mode, member.mtime, member.uid, member.gid, member.uname) for member in members} == {
        (tarfile.REGTYPE, 0o644, 0, 0, 0, "")
    }
    assert {"requirements.txt", "src/__init__.py", f"src/{name}.py"} <= set(sources)


def test_workflow_uses_the_original_format_only() -> None:
    assert set(ORIGINAL) == {"source_info", "test_info", "algorithms"}
    assert {key for algorithm in ORIGINAL["algorithms"] for key in algorithm} == {
        "name", "code_path", "language", "data_files", "test_payload"
    }  # fmt: skip
    assert set(ORIGINAL["test_info"]) == {"entrypoint", "tests"}
    assert [set(test) for test in ORIGINAL["test_info"]["tests"]] == [{"name", "payload", "timeout"}] * 2
    assert ORIGINAL["test_info"]["entrypoint"] == ORIGINAL["algorithms"][-1]["name"]


def test_workflow_of_the_original_format_loads_unchanged() -> None:
    workflow = load(WORKFLOWS / "image_parallel_pipelining.json", {})
    assert [spec.name for spec in workflow.algorithms] == [
        "SmartImageDownloader", "BoundingBoxOnImage", "FaceDetection", "ParallelPipelining"
    ]  # fmt: skip
    assert [(test.payload, test.timeout) for test in workflow.tests] == [("2", 120), ("8", 300)]
    assert workflow.source_address == "file://image_parallel_pipelining"


def test_hello_world_loads_and_takes_its_code_from_the_folder_beside_it() -> None:
    workflow = load(WORKFLOWS / "hello_world.yaml", {})
    [spec] = workflow.algorithms
    assert (spec.name, spec.code, spec.data_files, spec.test_payload) == ("HelloWorld", None, (), '"Jane"')
    assert (workflow.source_address, workflow.entrypoint) == (None, "HelloWorld")
    assert (WORKFLOWS / "algorithms" / spec.name / "src" / f"{spec.name}.py").is_file()


def test_the_files_of_the_workflow_are_complete_and_all_used() -> None:
    named = {uri for algorithm in ORIGINAL["algorithms"] for uri in [algorithm["code_path"], *algorithm["data_files"]]}
    assert named == {f"data://.my/{name}" for name in contents(OWNER)}


@pytest.mark.parametrize("algorithm", ORIGINAL["algorithms"], ids=lambda algorithm: algorithm["name"])
def test_payload_reads_only_data_files_of_its_own_algorithm(algorithm: dict[str, Any]) -> None:
    used = re.findall(r"data://\.my/<algo>/([^\"]+)", json.dumps(algorithm["test_payload"]))
    assert set(used) <= {uri.rsplit("/", 1)[1] for uri in algorithm["data_files"]}
    assert "data://" not in re.sub(r"data://\.my/<algo>/", "", json.dumps(algorithm["test_payload"]))


@pytest.mark.parametrize("name", [algorithm["name"] for algorithm in ORIGINAL["algorithms"]])
def test_sources_name_the_owner_only_by_the_placeholder(name: str) -> None:
    """`.my` in a source means the caller; algorithms and files of the owner are addressed with `<user>`."""
    source = (WORKFLOWS / "sources" / name / "src" / f"{name}.py").read_text()
    shipped = {f"{a['name']}/{uri.rsplit('/', 1)[1]}" for a in ORIGINAL["algorithms"] for uri in a["data_files"]}
    files = set(re.findall(r"\"data://<user>/(\w+/[\w.]+)\"", source))
    assert files <= shipped
    assert "quality" not in source


def test_hello_world_passes_its_own_tests() -> None:
    folder = WORKFLOWS / "algorithms" / "HelloWorld"
    pytest_run = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir=.",
        "src/HelloWorld_test.py",
    ]
    finished = subprocess.run(pytest_run, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
    assert re.search(r"^5 passed", finished.stdout, re.MULTILINE)


@pytest.mark.parametrize("module", sorted(WORKFLOWS.rglob("src/*.py")), ids=lambda module: module.name)
def test_algorithms_keep_to_the_syntax_of_the_oldest_environment(module: Path) -> None:
    ast.parse(module.read_text(), feature_version=(3, 7))


def test_model_is_frozen_as_the_official_client_freezes_it(tmp_path: Path) -> None:
    from Algorithmia.client import Client

    class Local:
        def file(self, uri: str) -> Local:
            assert uri == "data://.my/models/iris.pickle"
            return self

        def getFile(self, as_path: bool) -> str:  # noqa: N802  # the client defines the name
            return str(RELEASE / "models" / "iris.pickle")

    folder = WORKFLOWS / "algorithms" / "IrisSpecies"
    Client.freeze(Local(), str(folder / "model_manifest.json"), str(tmp_path))
    official = json.loads((tmp_path / "model_manifest.json.freeze").read_text())
    committed = json.loads((folder / "model_manifest.json.freeze").read_text())
    changing = {"timestamp", "lock_checksum"}
    assert [(k, v) for k, v in committed.items() if k not in changing] == [(k, v) for k, v in official.items() if k not in changing]
    assert list(committed) == list(official)


def test_model_is_made_by_the_versions_that_load_it() -> None:
    required = (WORKFLOWS / "algorithms" / "IrisSpecies" / "requirements.txt").read_text().splitlines()
    script = (WORKFLOWS / "make_model.py").read_text()
    pins = dict(re.findall(r'"([a-z-]+)": "([\d.]+)"', script.partition("PINS = ")[2].splitlines()[0]))
    assert {f"{name}=={version}" for name, version in pins.items()} == {line for line in required if "==" in line}


@pytest.mark.parametrize(
    ("given", "owner", "kind", "least"),
    [({}, None, "revision", "0.9"), ({"cluster": "production", "owner": "acme", "at_least": "0.95"}, "acme", "minor", "0.95")],
)
def test_model_release_is_rendered_for_each_cluster(given: dict[str, str], owner: str | None, kind: str, least: str) -> None:
    workflow = load(WORKFLOWS / "model_release.yaml.j2", variables([f"{name}={value}" for name, value in given.items()], (), {}))
    [spec] = workflow.algorithms
    assert (workflow.owner, spec.publish.version_type) == (owner, kind)
    assert spec.test_payload is not None
    assert json.loads(spec.test_payload, parse_float=str)["at_least"] == least
    assert (WORKFLOWS / "algorithms" / spec.name / "src" / f"{spec.name}.py").is_file()
