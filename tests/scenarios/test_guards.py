"""Workflows that a plan refuses, and values that it hides, before anything is written."""

import json
import shutil
from dataclasses import replace

from documents import check_document
from harness import Cluster, Workspace
from junitparser import JUnitXml

from algosync.core.error import NotFound
from algosync.core.planning.plan_codec import decode_plan, encode_plan

KEY = "simKEYKEYKEYKEYKEYKEYKEYKEY1"


def test_a_key_is_sent_to_the_named_cluster_only(workspace: Workspace) -> None:
    workspace.algorithm("One")
    algorithm: dict[str, object] = {"name": "One", "language": "python3", "data_files": ["data://.my/models/a.bin"]}
    workspace.write([algorithm], source_info={"cluster_address": "http://127.0.0.1:9"})
    done = workspace.run("plan", environ={"SOURCE_API_KEY": KEY, "SOURCE_API_ADDRESS": "https://api.example.com"})
    assert done.returncode == 64
    assert "the workflow's source is http://127.0.0.1:9, but SOURCE_API_ADDRESS names another cluster" in done.stderr


def test_a_file_missing_at_the_source_is_reported_with_its_owner(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.data("models", "a.bin", b"a")
    workspace.write([{"name": "One", "language": "python3", "data_files": ["data://.my/models/b.bin"]}])
    done = workspace.run("plan")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Error: One: the source has no data://.my/models/b.bin (line 10 of the workflow)",
        "  did you mean data://.my/models/a.bin? the source is file://source, where `.my` is quality",
    ]


def test_a_key_in_the_source_is_not_pushed(workspace: Workspace, cluster: Cluster) -> None:
    workspace.algorithm("One", f"KEY = '{cluster.key}'\n\n\ndef apply(input):\n    return input\n")
    workspace.write([{"name": "One", "language": "python3"}])
    with cluster.writes() as writes:
        output = workspace.apply(code=1)
    assert "Error: One: src/One.py holds an API key" in output
    assert cluster.key not in output
    assert writes.lines == ()


def test_a_source_without_its_main_module_is_refused(workspace: Workspace) -> None:
    workspace.algorithm("Other")
    workspace.write([{"name": "One", "language": "python3", "code_path": "file://algorithms/Other"}])
    done = workspace.run("plan")
    assert done.returncode == 1
    assert "Error: One: there is no src/One.py, which the platform starts; there is src/Other.py" in done.stderr


def test_an_earlier_sensitive_value_is_hidden_too(workspace: Workspace) -> None:
    workspace.algorithm("One")
    algorithm = "{name: One, language: python3, details: {summary: 'is {{ token }}'}}"
    (workspace.folder / "w.yaml.j2").write_text(f"variables:\n  token: {{sensitive: true}}\nalgorithms:\n  - {algorithm}\n")
    workspace.apply("w.yaml.j2", "--var", "token=hunter2hunter2")
    for arguments in (["plan", "w.yaml.j2"], ["plan", "w.yaml.j2", "--json"], ["apply", "w.yaml.j2", "--auto-approve"]):
        done = workspace.run(*arguments, "--var", "token=newtokennew")
        assert done.returncode == 0
        assert "hunter2" not in done.stdout + done.stderr
        assert "newtoken" not in done.stdout + done.stderr
        assert "summary" in done.stdout


def two(workspace: Workspace, *names: str, **more: object) -> None:
    """A workflow of these algorithms, each with one data file; each depends on the one before it."""
    algorithms: list[dict[str, object]] = []
    for place, name in enumerate(names):
        workspace.algorithm(name)
        uri = workspace.data("models", f"{name}.bin", name.encode())
        depends_on = [names[place - 1]] if place else []
        algorithms.append({"name": name, "language": "python3", "data_files": [uri], "depends_on": depends_on, **more})
    workspace.write(algorithms)


def remaining(cluster: Cluster, name: str) -> list[str]:
    """The parts of an algorithm that are at the destination."""
    api, found = cluster.api(), []
    for part, read in (("algorithm", api.algorithms.read), ("collection", api.data.files)):
        try:
            read(cluster.user, name)
        except NotFound:
            continue
        found.append(part)
    return found


def test_prune_and_destroy_delete_what_is_recorded_and_nothing_else(workspace: Workspace, cluster: Cluster) -> None:
    two(workspace, "One", "Two")
    workspace.apply()
    cluster.api().data.put(cluster.user, "One", "theirs.bin", iter([b"theirs"]), 6)
    two(workspace, "One")
    assert set(workspace.actions("--prune").values()) == {"delete"}
    output = workspace.apply("--prune")
    assert "Plan: 0 to add, 0 to change, 4 to destroy." in output
    assert "- algorithm.Two" in output
    assert "Apply complete! Resources: 0 added, 0 changed, 4 destroyed." in output
    assert (remaining(cluster, "One"), remaining(cluster, "Two")) == (["algorithm", "collection"], [])
    assert workspace.actions("--prune") == {}

    with cluster.writes() as writes:
        planned = workspace.run("plan", "--destroy")
        declined = workspace.run("destroy")
    assert "4 to destroy" in planned.stdout
    assert "its collection stays, with 1 file that algosync did not write" in planned.stdout
    assert (declined.returncode, writes.lines) == (1, ())
    done = workspace.run("destroy", "--auto-approve", "--report", "json", "--report", "junit:r.xml", "--report", "gitlab:r.json")
    assert done.returncode == 0, done.stderr
    assert "Destroy complete! Resources: 0 added, 0 changed, 4 destroyed." in done.stderr
    document = json.loads(done.stdout)
    check_document("run", document)
    assert (document["meta"]["command"], document["counts"]["delete"]) == ("destroy", 4)
    assert JUnitXml.fromfile(str(workspace.folder / "r.xml")).tests == 4
    assert json.loads((workspace.folder / "r.json").read_text()) == {"create": 0, "update": 0, "delete": 4}
    assert remaining(cluster, "One") == ["collection"]
    assert list(cluster.api().data.files(cluster.user, "One")) == ["theirs.bin"]
    assert "Nothing is recorded that could be destroyed" in workspace.run("destroy", "--auto-approve").stdout
    workspace.apply()
    assert workspace.actions() == {}


def test_a_refused_plan_changes_nothing_and_names_the_way_out(workspace: Workspace, cluster: Cluster) -> None:
    two(workspace, "One", lifecycle={"prevent_destroy": True})
    workspace.apply()
    two(workspace, "Other")
    with cluster.writes() as writes:
        refused = workspace.run("destroy", "--auto-approve", "--json")
        check_document("diagnostics", json.loads(refused.stdout))
        assert json.loads(refused.stdout)["meta"]["exit_code"] == refused.returncode == 5
        for arguments in (["plan"], ["plan", "--prune"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"]):
            done = workspace.run(*arguments)
            assert done.returncode == 5, done.stdout
            assert "what is protected by prevent_destroy: algorithm.One" in done.stderr
            assert "--allow protected" in done.stderr
        assert workspace.run("plan", "--prune", "--allow", "protected").returncode == 0
        assert workspace.run("plan", "--allow", "everything").returncode == 64
    assert writes.lines == ()
    document = json.loads(workspace.run("plan", "--json").stdout)
    assert [refusal["guard"] for refusal in document["refusals"]] == ["protected"]


def test_a_saved_plan_is_guarded_when_it_is_applied(workspace: Workspace, cluster: Cluster) -> None:
    """What was allowed when it was saved is not in the file, because anybody can write such a file."""
    two(workspace, "One", lifecycle={"prevent_destroy": True})
    workspace.apply()
    two(workspace, "Other")
    saved = workspace.run("plan", "--prune", "--allow", "protected", "--out", "saved")
    assert "This does exactly these actions: algosync apply saved --allow protected" in saved.stderr
    with cluster.writes() as writes:
        for arguments in (["apply", "saved"], ["apply", "saved", "--auto-approve"], ["apply", "saved", "--allow", "deletes"]):
            done = workspace.run(*arguments)
            assert done.returncode == 5, done.stdout + done.stderr
            assert "the plan deletes what is protected by prevent_destroy: algorithm.One" in done.stderr
            assert "--allow protected" in done.stderr
        assert workspace.run("apply", "saved", "--prune").returncode == 64
    assert writes.lines == ()
    done = workspace.run("apply", "saved", "--allow", "protected")
    assert done.returncode == 0, done.stderr
    assert remaining(cluster, "One") == []


def test_a_crafted_plan_passes_no_guard(workspace: Workspace, cluster: Cluster) -> None:
    """Its checksum is right, and nothing moved: it is the plan of `--prune`, made without a guard."""
    two(workspace, "One", lifecycle={"prevent_destroy": True})
    workspace.apply()
    two(workspace, "Other")
    workspace.run("plan", "--prune", "--allow", "protected", "--out", "saved")
    path = workspace.folder / "saved"
    found = decode_plan(path.read_bytes())
    assert found.saved.plan.refusals == ()
    crafted = replace(found, saved=replace(found.saved, digest=f"sha256:{'0' * 64}"))
    path.write_bytes(encode_plan(crafted))
    with cluster.writes() as writes:
        done = workspace.run("apply", "saved", "--auto-approve")
    assert (done.returncode, writes.lines) == (5, ()), done.stdout + done.stderr
    assert "algorithm.One" in done.stderr


def test_a_changed_protection_is_a_change_that_is_saved_and_applied(workspace: Workspace) -> None:
    two(workspace, "One")
    workspace.apply()
    for protected, reason in ((True, "prevent_destroy: false -> true"), (False, "prevent_destroy: true -> false")):
        two(workspace, "One", lifecycle={"prevent_destroy": protected})
        planned = workspace.run("plan", "--detailed-exitcode", "--out", "saved")
        assert planned.returncode == 2, planned.stderr
        assert f"  = algorithm.One\n      ({reason})\n" in planned.stdout
        assert "Plan: 0 to add, 0 to change, 0 to destroy, 1 to record." in planned.stdout
        assert "only the record is out of date" in workspace.run("plan", "--explain", "algorithm.One").stdout
        applied = workspace.run("apply", "saved")
        assert applied.returncode == 0, applied.stderr
        assert "No changes." in workspace.run("plan", "--detailed-exitcode").stdout


def test_an_algorithm_of_somebody_else_is_adopted_only_if_that_is_allowed(workspace: Workspace, cluster: Cluster) -> None:
    two(workspace, "One")
    workspace.apply()
    cluster.push_behind("One", "src/One.py", b"def apply(input):\n    return 'theirs'\n")
    shutil.rmtree(workspace.folder / "state")
    assert "its last commit is not one of algosync" in workspace.apply(code=5)
    workspace.apply("--allow", "adopt")
    shutil.rmtree(workspace.folder / "state")
    workspace.algorithm("One", "def apply(input):\n    return 'ours again'\n")
    workspace.apply()  # the last commit is ours


def test_source_and_destination_are_not_the_same(workspace: Workspace, cluster: Cluster) -> None:
    workspace.algorithm("One")
    data = cluster.api().data
    data.create_collection(cluster.user, "models")
    data.put(cluster.user, "models", "a.bin", iter([b"a"]), 1)
    algorithm: dict[str, object] = {"name": "One", "language": "python3", "data_files": ["data://.my/models/a.bin"]}
    workspace.write([algorithm], source_info={"cluster_address": cluster.url.replace("127.0.0.1", "localhost")})
    keys = {"SOURCE_API_KEY": cluster.key}
    done = workspace.run("plan", environ=keys)
    assert done.returncode == 5, done.stderr
    assert "source and destination are the same cluster and owner" in done.stderr
    workspace.apply("--allow", "same-cluster", environ=keys)


def test_refresh_only_writes_the_record_alone(workspace: Workspace, cluster: Cluster) -> None:
    two(workspace, "One")
    workspace.apply()
    cluster.api().data.put(cluster.user, "One", "One.bin", iter([b"theirs"]), 6)
    with cluster.writes() as writes:
        output = workspace.apply("--refresh-only")
    assert "1 to record" in output
    assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed, 1 recorded." in output
    assert writes.lines == ()
    assert "Objects have changed outside" not in workspace.run("plan").stdout
    assert workspace.actions()['data.One["One.bin"]'] == "update"


def test_exclude_is_told_and_recorded_in_the_document(workspace: Workspace, cluster: Cluster) -> None:
    two(workspace, "One", "Two")
    done = workspace.run("plan", "--exclude", "One")
    assert "Note: The plan may be incomplete: --exclude leaves out One, Two." in done.stdout
    assert workspace.plan("--exclude", "Two")["excluded"] == {"patterns": ["Two"], "left_out": ["Two"]}
    workspace.apply("--exclude", "Two")
    assert (remaining(cluster, "One"), remaining(cluster, "Two")) == (["algorithm", "collection"], [])
    assert workspace.run("plan", "--exclude", "Tow").returncode == 64
