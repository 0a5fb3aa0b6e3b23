"""Rollback: an earlier version is published again, and the next plan says so."""

import json
import urllib.request

from documents import check_document
from harness import PLAIN, Cluster, Workspace

from algosync.views import FORMATS


def answer(cluster: Cluster) -> object:
    request = urllib.request.Request(
        f"{cluster.url}/v1/algo/local/One/latestPrivate",
        b"1",
        {"Authorization": cluster.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["result"]["version"]


def listed(workspace: Workspace) -> list[tuple[str, bool]]:
    done = workspace.run("versions", "One", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    check_document("versions", document)
    return [(version["version"], version["recorded"]) for version in document["versions"]]


def test_an_earlier_version_is_published_again(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", b"a" * 1000)
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])
    workspace.apply()
    workspace.algorithm("One", PLAIN.replace("1", "2"), "# none\n")
    workspace.apply()
    assert (answer(cluster), listed(workspace)) == (2, [("0.2.0", True), ("0.1.0", False)])
    table = workspace.run("versions", "One").stdout
    assert "VERSION  COMMIT" in table
    assert "its owner    recorded" in table

    refused = workspace.run("rollback", "One", "--no-input", "--json")
    check_document("diagnostics", json.loads(refused.stdout))
    assert json.loads(refused.stdout)["meta"]["exit_code"] == refused.returncode == 1
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in refused.stderr
    assert "      (rollback to 0.1.0)\n" in refused.stderr
    assert answer(cluster) == 2

    reports = [argument for name in FORMATS if name != "text" for argument in ("--report", f"{name}:r.{name}")]
    done = workspace.run("rollback", "One", "--auto-approve", *reports)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((workspace.folder / "r.json").read_text())
    check_document("run", document)
    assert (document["meta"]["command"], document["meta"]["exit_code"]) == ("rollback", 0)
    assert document["published"] == [{"algorithm": "One", "version": "0.3.0"}]
    assert all((workspace.folder / f"r.{name}").stat().st_size for name in FORMATS if name != "text")
    assert "version.One: Published 0.3.0" in done.stderr
    assert "passed   test.One" in done.stdout
    assert (answer(cluster), listed(workspace)) == (1, [("0.3.0", True), ("0.2.0", False), ("0.1.0", False)])
    assert workspace.run("drift").returncode == 0

    plan = workspace.run("plan").stdout
    assert "(it was rolled back from 0.2.0 to 0.1.0 at " in plan
    assert "Objects have changed outside" not in plan
    assert workspace.actions() == {"source.One": "update", "version.One": "update"}
    nothing = workspace.run(
        "rollback", "One", "--to", "0.1.0", "--auto-approve", "--report", "json:n.json", "--report", "markdown:n.txt"
    )
    assert json.loads((workspace.folder / "n.json").read_text())["results"] == []
    assert "payload" not in (workspace.folder / "n.txt").read_text(), "no test ran"
    assert "Nothing to roll back: what is published of One is equal." in nothing.stdout
    workspace.apply()
    assert (answer(cluster), workspace.actions()) == (2, {})

    workspace.data("models", "a.bin", b"b" * 1000)
    workspace.apply()
    only_data = workspace.run("rollback", "One", "--auto-approve")
    assert only_data.returncode == 0
    assert "Nothing to roll back: what is published of One is equal.\nNote: version.One: data files that " in only_data.stdout
    assert "were written after 0.4.0, or may have been, stay as they are" in only_data.stdout


def test_what_cannot_be_rolled_back_is_refused(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    never = workspace.run("rollback", "One", "--auto-approve")
    assert (never.returncode, "One cannot be rolled back" in never.stderr) == (1, True)
    assert workspace.run("versions", "One").stderr == "Error: One is not at the destination\n  algosync apply creates it\n"
    told = workspace.run("versions", "One", "--json")
    check_document("diagnostics", json.loads(told.stdout))
    workspace.apply()
    for arguments, code, text in (
        (["One"], 1, "One has no earlier version\n  published: 0.1.0; algosync versions One lists them"),
        (["One", "--to", "9.9.9"], 1, "One has no version 9.9.9"),
        (["Ona"], 64, "nothing in this workflow is called Ona\n  did you mean One?"),
    ):
        done = workspace.run("rollback", *arguments, "--auto-approve")
        assert (done.returncode, done.stdout) == (code, "")
        assert text in done.stderr
