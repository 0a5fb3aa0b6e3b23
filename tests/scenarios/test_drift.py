"""Changes behind algosync's back: `plan` and `drift` show each of them, and `apply` reverts it."""

import json
import subprocess
from collections.abc import Callable

import pytest
from harness import Cluster, Workspace

CONTENT = b"a" * 1000


def put(cluster: Cluster, name: str, content: bytes) -> None:
    cluster.api().data.put("local", "One", name, [content], len(content))


def change_setting(cluster: Cluster) -> None:
    info = cluster.api().algorithms.read("local", "One")
    cluster.api().algorithms.update("local", "One", info.details, {**info.settings, "network_access": "isolated"})


def change_environment(cluster: Cluster) -> None:
    """To another environment that the workflow's `python3` could select too."""
    api = cluster.api().algorithms
    other = next(e.id for e in api.environments() if e.display_name == "Python 3.6")
    info = api.read("local", "One")
    api.update("local", "One", info.details, {**info.settings, "algorithm_environment": other})


def overwrite_file(cluster: Cluster) -> None:
    put(cluster, "a.bin", b"b" * 1000)


def delete_file(cluster: Cluster) -> None:
    cluster.api().wire.json("DELETE", "/v1/data/local/One/a.bin")


def open_data(cluster: Cluster) -> None:
    """To everybody with a key."""
    cluster.api().wire.json("PATCH", "/v1/data/local/One", body={"acl": {"read": ["user://*"]}})


def push_source(cluster: Cluster) -> None:
    cluster.push_behind("One", "src/One.py", b"def apply(input):\n    return 'hijacked'\n")


def publish_another(cluster: Cluster) -> None:
    """With another label, which becomes that of the algorithm."""
    commit = cluster.push_behind("One", "src/extra.py", b"x = 1\n")
    api = cluster.api().algorithms
    while (build := api.build_of("local", "One", commit)) is None or build.status == "in-progress":
        pass
    api.publish("local", "One", commit, {"details": {"label": "x"}, "settings": {}, "version_info": {}})


def delete_algorithm(cluster: Cluster) -> None:
    cluster.api().wire.json("DELETE", "/v1/algorithms/local/One")


FILE = 'data.One["a.bin"]'
CASES: list[tuple[Callable[[Cluster], None], dict[str, str], set[str]]] = [
    (change_setting, {"algorithm.One": "changed"}, {"algorithm.One"}),
    (change_environment, {"algorithm.One": "changed"}, {"algorithm.One"}),
    (overwrite_file, {FILE: "changed"}, {FILE, "version.One"}),
    (delete_file, {FILE: "missing"}, {FILE, "version.One"}),
    (open_data, {"algorithm.One": "changed"}, {"algorithm.One"}),
    (push_source, {"source.One": "changed"}, {"source.One"}),
    (
        publish_another,
        {"algorithm.One": "changed", "source.One": "changed", "version.One": "changed"},
        {"algorithm.One", "source.One", "version.One"},
    ),
    (
        delete_algorithm,
        {"algorithm.One": "missing", "source.One": "missing", "version.One": "missing"},
        {"algorithm.One", "source.One", "version.One"},
    ),
]


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", CONTENT)
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])
    workspace.apply()
    return workspace


def drift_of(workspace: Workspace, code: int) -> dict[str, str]:
    done = workspace.run("drift", "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return {row["address"]: row["drift"] for row in json.loads(done.stdout)["drift"]}


@pytest.mark.parametrize(("change", "found", "mended"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_change_is_shown_and_reverted(
    cluster: Cluster, applied: Workspace, change: Callable[[Cluster], None], found: dict[str, str], mended: set[str]
) -> None:
    assert drift_of(applied, 0) == {}
    change(cluster)
    assert drift_of(applied, 2) == found
    plan = applied.plan()
    drifted = plan["resource_drift"]
    assert isinstance(drifted, list)
    assert {row["address"] for row in drifted} == set(found)
    assert set(applied.actions()) == mended
    assert "Note: Objects have changed outside of algosync" in applied.run("plan").stdout
    applied.apply()
    assert drift_of(applied, 0) == {}
    assert applied.actions() == {}
    with cluster.api().data.open("local", "One", "a.bin") as download:
        assert b"".join(download.blocks) == CONTENT


def test_who_can_read_the_data_is_shown_and_mended_by_one_request(cluster: Cluster, applied: Workspace) -> None:
    open_data(cluster)
    found = applied.run("drift", "--json")
    (row,) = json.loads(found.stdout)["drift"]
    assert tuple(row[side]["attributes"]["data_read"] for side in ("before", "after")) == ("my_algorithms", "public")
    plan = applied.run("plan").stdout
    assert 'data_read = "public" -> "my_algorithms"' in plan
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in plan
    with cluster.writes() as writes:
        applied.apply()
    assert writes.lines == ("PATCH /v1/data/local/One",)
    assert cluster.api().data.listing("local", "One").readers == ("algo://.my/*",)


def test_a_private_collection_is_private_from_the_start(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", CONTENT)
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "collection": {"read": "private"}}])
    with cluster.writes() as writes:
        workspace.apply()
    assert [line for line in writes.lines if "/data/" in line] == ["POST /v1/data/local", "PUT /v1/data/local/One/a.bin"]
    assert cluster.api().data.listing("local", "One").readers == ()
    assert drift_of(workspace, 0) == {}


def test_a_write_of_equal_size_in_the_same_second_is_noticed(cluster: Cluster, workspace: Workspace) -> None:
    """The stamp is identical. Only the bytes differ, so they are read."""
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", CONTENT)
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])
    listing = "/v1/data/local/One"
    for _ in range(20):
        # Kill the run right after the upload was recorded, before the verification.
        failpoint = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": 'record.after@data.One["a.bin"]:kill'}
        assert workspace.run("apply", "--auto-approve", environ=failpoint).returncode == -9
        before = cluster.api().wire.json("GET", listing).body
        put(cluster, "a.bin", b"b" * 1000)
        if cluster.api().wire.json("GET", listing).body == before:
            break
        cluster.api().wire.json("DELETE", f"{listing}/a.bin")
    else:
        pytest.fail("no two writes fell into one second")
    assert drift_of(workspace, 2)[FILE] == "changed"
    assert workspace.actions()[FILE] == "update"
    workspace.apply()
    with cluster.api().data.open("local", "One", "a.bin") as download:
        assert b"".join(download.blocks) == CONTENT


def test_unmanaged_objects_are_listed_and_are_no_drift(cluster: Cluster, applied: Workspace) -> None:
    put(cluster, "theirs.bin", b"x")
    assert drift_of(applied, 0) == {'data.One["theirs.bin"]': "unmanaged"}
    with cluster.writes() as writes:
        applied.apply()
    assert writes.lines == ()


def test_an_unreachable_destination_is_an_error_and_nothing_is_missing(cluster: Cluster, applied: Workspace) -> None:
    cluster.process.kill()
    cluster.process.wait()
    done = applied.run("drift", "--json")
    assert done.returncode == 1
    (told,) = json.loads(done.stdout)["diagnostics"]
    assert told["summary"].startswith("GET /v1/data/:")


def test_a_workflow_that_was_never_applied_is_reported(applied: Workspace) -> None:
    done = applied.run("drift", "--state", "elsewhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "was never applied to this destination, or it was destroyed" in done.stderr
    assert not (applied.folder / "elsewhere").exists()


def test_an_addition_to_the_workflow_is_no_drift(applied: Workspace) -> None:
    document = json.loads((applied.folder / "workflow.json").read_text())
    document["algorithms"][0]["details"] = {"summary": "counts"}
    (applied.folder / "workflow.json").write_text(json.dumps(document))
    assert drift_of(applied, 0) == {}
    assert applied.plan()["resource_drift"] == []
    assert applied.actions() == {"algorithm.One": "update"}
    applied.apply()
    assert applied.actions() == {}
    assert drift_of(applied, 0) == {}


def test_drift_and_validate_need_no_sensitive_variable(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    algorithm = "{name: One, language: python3, details: {summary: 'is {{ token }}'}}"
    (workspace.folder / "w.yaml.j2").write_text(f"variables:\n  token: {{sensitive: true}}\nalgorithms:\n  - {algorithm}\n")
    workspace.apply("w.yaml.j2", "--var", "token=hunter2hunter2")
    note = "Note: Not given, so what contains them is not compared: token\n"
    done = workspace.run("validate", "w.yaml.j2")
    assert (done.returncode, done.stderr) == (0, note)
    done = workspace.run("drift", "w.yaml.j2")
    assert (done.returncode, done.stderr) == (0, note)
    change_setting(cluster)
    done = workspace.run("drift", "w.yaml.j2", "--json")
    assert (done.returncode, done.stderr) == (2, note)
    assert "hunter2" not in done.stdout
    assert [row["address"] for row in json.loads(done.stdout)["drift"]] == ["algorithm.One"]


def test_drift_and_plan_change_nothing(cluster: Cluster, applied: Workspace) -> None:
    change_setting(cluster)
    push_source(cluster)
    with cluster.writes() as writes:
        done: list[subprocess.CompletedProcess[str]] = [applied.run("plan"), applied.run("drift"), applied.run("validate")]
    assert [d.returncode for d in done] == [0, 2, 0]
    assert writes.lines == ()


def test_a_version_published_by_hand_with_the_same_content_is_a_note(applied: Workspace, cluster: Cluster) -> None:
    commit = cluster.push_behind("One", "notes.txt", b"not part of the source\n")
    api = cluster.api().algorithms
    while (build := api.build_of("local", "One", commit)) is None or build.status == "in-progress":
        pass
    info = api.read("local", "One")
    api.publish("local", "One", commit, {"details": {"label": info.details["label"]}, "settings": {}, "version_info": {}})
    done = applied.run("drift", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["address"]: row["drift"] for row in json.loads(done.stdout)["drift"]}["version.One"] == "rewritten"
