"""The example `model_release`: one model on two clusters, loaded by its frozen manifest, and refused if it is another one."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process

from algosync.git import Repository

WORKFLOWS = Path(__file__).parents[2] / "workflows"
MODEL = "model_release/quality/models/iris.pickle"
PAYLOAD = {"flowers": [[6.0, 2.7, 4.1, 1.0], [5.9, 3.0, 4.9, 1.65]], "at_least": 0.9}


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Cluster]:
    """The key is that of a user, and the algorithm belongs to an organization."""
    with cluster_process(tmp_path / "production", user="ann") as running:
        running.join("acme")
        yield running


@pytest.fixture
def release(workspace: Workspace) -> Workspace:
    """A copy of the example's files, which tests may change."""
    folder = workspace.folder / "workflows"
    (folder / "algorithms").mkdir(parents=True)
    shutil.copy(WORKFLOWS / "model_release.yaml.j2", folder)
    for name in ("model_release", "algorithms/IrisSpecies", "tests/IrisSpecies"):
        shutil.copytree(WORKFLOWS / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    workspace.settle_source()
    return workspace


def interpreter() -> Path:
    """The Python of the algorithm's environment, which the clusters share."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "algosync" / "environments"
    made = [path.parents[3] for path in cache.glob("*/lib/python*/site-packages/sklearn")]
    return next(path for path in made if path.with_name(path.name + ".ready").exists()) / "bin" / "python"


def frozen_at(cluster: Cluster, owner: str) -> dict[str, list[dict[str, str]]]:
    wire = cluster.api().wire
    repository = Repository(f"{cluster.url}/git/{owner}/IrisSpecies.git", cluster.user, wire.credential, wire.host)
    head = repository.head()
    assert head is not None
    document: dict[str, list[dict[str, str]]] = json.loads(repository.tree(head)["model_manifest.json.freeze"].data)
    return document


def answer_of(cluster: Cluster, owner: str) -> object:
    request = urllib.request.Request(
        f"{cluster.url}/v1/algo/{owner}/IrisSpecies/latestPrivate",
        json.dumps(PAYLOAD).encode(),
        {"Authorization": cluster.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["result"]


def test_one_model_on_two_clusters(cluster: Cluster, production: Cluster, release: Workspace, tmp_path: Path) -> None:
    release.apply()
    release.apply("--var", "cluster=production", "--var", "owner=acme", "--var", "at_least=0.95", environ=production.environ())
    for each, owner, number in ((cluster, "local", "0.0.1"), (production, "acme", "0.1.0")):
        manifest = frozen_at(each, owner)
        assert [entry["source_uri"] for entry in manifest["required_files"]] == [f"data://{owner}/IrisSpecies/iris.pickle"]
        assert answer_of(each, owner) == [{"species": "versicolor", "probability": 1.0}, {"species": None, "probability": 0.5991}]
        version = each.api().algorithms.published(owner, "IrisSpecies")
        assert version is not None
        assert version.number == number

    seen = len(cluster.requests())
    with cluster.writes() as writes:
        assert "No changes." in release.run("plan").stdout
    assert writes.lines == ()
    assert [r["path"] for r in cluster.requests()[seen:] if "iris.pickle" in str(r["path"])] == []

    made = subprocess.run(
        [interpreter(), WORKFLOWS / "make_model.py", tmp_path / "again"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    for path in (path for path in (tmp_path / "again").rglob("*") if path.is_file()):
        assert path.read_bytes() == (WORKFLOWS / path.relative_to(tmp_path / "again")).read_bytes()


def test_another_model_of_the_same_size_is_refused_at_plan(cluster: Cluster, release: Workspace) -> None:
    path = release.folder / "workflows" / MODEL
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)
    with cluster.writes() as writes:
        planned, applied = release.run("plan"), release.run("apply", "--auto-approve")
    assert (planned.returncode, applied.returncode, writes.lines) == (1, 1, ())
    assert planned.stderr.startswith(
        "Error: IrisSpecies: model_manifest.json.freeze expects MD5 5a083483f5f7dd61d47b352d3da78dcb of 'iris', but "
        'data://.my/models/iris.pickle, which becomes data.IrisSpecies["iris.pickle"], has '
    )
