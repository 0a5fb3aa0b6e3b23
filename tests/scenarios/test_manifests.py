"""Model manifests from cluster to cluster: rewritten, checked against the shipped bytes, and read no more than necessary."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import time

import pytest
from harness import Cluster, Workspace

from algosync.sources.manifest import FREEZE, MANIFEST, lock_checksum

CODE = b"def apply(input):\n    return input\n"
MODEL = "data://.my/models/iris-1.bin"


def frozen(content: bytes, uri: str = MODEL) -> bytes:
    entry = {"name": "iris", "source_uri": uri, "fail_on_tamper": True, "md5_checksum": hashlib.md5(content).hexdigest()}
    document = {"required_files": [entry], "optional_files": [], "timestamp": "1637000000.5"}
    return json.dumps({**document, "lock_checksum": lock_checksum(document)}).encode()


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in {"src/__init__.py": b"", **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(packed.getvalue())


def put(cluster: Cluster, collection: str, name: str, content: bytes) -> None:
    data = cluster.api().data
    data.create_collection("local", collection)
    data.put("local", collection, name, iter([content]), len(content))


def settle() -> None:
    time.sleep(4.1)  # the times of files have whole seconds, so the test has to wait


def uri_at(cluster: Cluster, algorithm: str, path: str = FREEZE) -> str:
    repository = cluster.repository(algorithm)
    head = repository.head()
    assert head is not None
    uri: str = json.loads(repository.tree(head)[path].data)["required_files"][0]["source_uri"]
    return uri


def reads(cluster: Cluster, since: int, path: str) -> int:
    return sum(1 for r in cluster.requests()[since:] if r["method"] == "GET" and str(r["path"]) == path)


@pytest.fixture
def taken(cluster: Cluster, workspace: Workspace) -> Workspace:
    """An algorithm whose code and model come from a cluster: here from the destination itself, in other collections."""
    put(cluster, "models", "iris-1.bin", b"model 1")
    put(cluster, "code", "Iris.tar.gz", archive({"src/Iris.py": CODE, FREEZE: frozen(b"model 1")}))
    workspace.environ |= {"SOURCE_API_ADDRESS": cluster.url, "SOURCE_API_KEY": cluster.key, "ALGOSYNC_ALLOW": "same-cluster"}
    write(workspace)
    settle()
    return workspace


def write(workspace: Workspace, name: str = "iris.bin") -> None:
    algorithm = {
        "name": "Iris",
        "code_path": "data://.my/code/Iris.tar.gz",
        "language": "python3",
        "data_files": [{"source": MODEL, "name": name}],
    }
    (workspace.folder / "workflow.json").write_text(json.dumps({"algorithms": [algorithm]}))


def test_a_manifest_is_read_once_while_the_stamps_are_equal(cluster: Cluster, taken: Workspace) -> None:
    model, code = "/v1/data/.my/models/iris-1.bin", "/v1/data/.my/code/Iris.tar.gz"
    start = len(cluster.requests())
    assert taken.actions().keys() == {"algorithm.Iris", 'data.Iris["iris.bin"]', "source.Iris", "version.Iris"}
    assert (reads(cluster, start, model), reads(cluster, start, code)) == (1, 1)
    taken.apply()
    assert uri_at(cluster, "Iris") == "data://local/Iris/iris.bin"

    start = len(cluster.requests())
    assert "No changes." in taken.run("plan").stdout
    assert [r["path"] for r in cluster.requests()[start:] if str(r["path"]).endswith((".bin", ".gz"))] == []
    assert "No drift." in taken.run("drift").stdout

    shutil.rmtree(taken.folder / "state")
    assert set(taken.actions().values()) == {"adopt"}
    taken.apply()
    start = len(cluster.requests())
    assert taken.actions() == {}
    assert reads(cluster, start, model) == 0


def test_a_new_model_needs_a_new_freeze(cluster: Cluster, taken: Workspace) -> None:
    taken.apply()
    put(cluster, "models", "iris-1.bin", b"model 2")
    with cluster.writes() as writes:
        refused = taken.run("apply", "--auto-approve")
    assert (refused.returncode, refused.stdout, writes.lines) == (1, "", ())
    old, new = (hashlib.md5(content).hexdigest() for content in (b"model 1", b"model 2"))
    assert refused.stderr.splitlines() == [
        f"Error: Iris: {FREEZE} expects MD5 {old} of 'iris', but {MODEL}, which becomes data.Iris[\"iris.bin\"], has {new}",
        "  if the data file is right, freeze the manifest again (`algo freeze`); otherwise put the right file back",
    ]
    put(cluster, "code", "Iris.tar.gz", archive({"src/Iris.py": CODE, FREEZE: frozen(b"model 2")}))
    assert taken.actions() == {'data.Iris["iris.bin"]': "update", "source.Iris": "update", "version.Iris": "update"}


def test_another_name_at_the_destination_is_another_manifest(cluster: Cluster, taken: Workspace) -> None:
    taken.apply()
    write(taken, "renamed.bin")
    assert taken.actions() == {
        'data.Iris["renamed.bin"]': "create",
        'data.Iris["iris.bin"]': "forget",
        "source.Iris": "update",
        "version.Iris": "update",
    }
    taken.apply()
    assert uri_at(cluster, "Iris") == "data://local/Iris/renamed.bin"
    assert taken.actions() == {}


def test_a_model_that_another_algorithm_ships(cluster: Cluster, workspace: Workspace) -> None:
    model = workspace.data("models", "iris-1.bin", b"model 1")
    for name in ("Iris", "Store"):
        workspace.algorithm(name, CODE.decode())
    (workspace.folder / "algorithms" / "Iris" / MANIFEST).write_bytes(frozen(b"model 2", "data://quality/models/iris-1.bin"))
    iris: dict[str, object] = {"name": "Iris", "language": "python3"}
    store: dict[str, object] = {"name": "Store", "language": "python3", "data_files": [model]}
    workspace.write([iris, store])
    refused = workspace.run("plan")
    assert refused.returncode == 1
    assert f"Iris: {MANIFEST} expects MD5 " in refused.stderr
    assert f'but {MODEL}, which becomes data.Store["iris-1.bin"], has ' in refused.stderr
    (workspace.folder / "algorithms" / "Iris" / MANIFEST).write_bytes(frozen(b"model 1", "data://quality/models/iris-1.bin"))
    workspace.apply("--target", "Store", "--target", "source.Iris")
    assert uri_at(cluster, "Iris", MANIFEST) == "data://local/Store/iris-1.bin"


def test_an_invalid_manifest_is_refused_with_one_line(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("Iris")
    (workspace.folder / "algorithms" / "Iris" / FREEZE).write_bytes(b"[" * 100_000)
    workspace.write([{"name": "Iris", "language": "python3"}])
    with cluster.writes() as writes:
        refused = workspace.run("apply", "--auto-approve")
    assert (refused.returncode, refused.stderr, writes.lines) == (1, f"Error: Iris: {FREEZE} is nested too deep\n", ())
