"""`doctor`: what each check finds, what it says to do, and that it only reads."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from documents import check_document
from harness import Cluster, Workspace

from algosync.cli.doctor.checks import CHECKS
from algosync.cli.doctor.machine_checks import clock_finding
from algosync.cli.doctor.state_check import check_writable
from algosync.core.error import StateError

Found = dict[str, tuple[str, str, str]]


def examined(workspace: Workspace, *arguments: str, code: int, environ: dict[str, str] | None = None) -> Found:
    """The last status, all texts and all hints of each check."""
    done = workspace.run("doctor", "--json", *arguments, environ=environ)
    assert done.returncode == code, done.stdout + done.stderr
    document = json.loads(done.stdout)
    check_document("doctor", document)
    assert document["ok"] == (code == 0)
    assert {row["check"] for row in document["checks"]} <= set(CHECKS)
    found: Found = {}
    for row in document["checks"]:
        _, text, hint = found.get(row["check"], ("", "", ""))
        found[row["check"]] = (row["status"], f"{text}{row['text']}\n", f"{hint}{row['hint'] or ''}\n")
    return found


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """A workspace whose only algorithm is at the destination."""
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "data_files": [workspace.data("models", "a", b"a")]}])
    workspace.apply()
    return workspace


def test_everything_is_fine_and_nothing_is_written(cluster: Cluster, applied: Workspace) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in (applied.folder / "state").rglob("*"))
    with cluster.writes() as writes:
        found = examined(applied, code=0)
    assert writes.lines == ()
    assert not any(str(request["path"]).startswith("/v1/algo/") for request in cluster.requests()[-20:])
    assert sorted((path, path.stat().st_mtime_ns) for path in (applied.folder / "state").rglob("*")) == before
    notes = {name: status for name, (status, _, _) in found.items() if status != "ok"}
    assert notes == {"destination key": "note"}
    assert "workflow (workflow.json): 1 algorithm" in found["workflow"][1]
    assert f"{cluster.url} (DESTINATION_API_ADDRESS); no proxy" in found["destination address"][1]
    assert "it belongs to local; it may read data" in found["destination key"][1]
    assert "cannot be told without doing so" in found["destination key"][1]
    assert "1 of 1 algorithm of local are there" in found["algorithms"][1]
    assert "python3 is Python 3" in found["environments"][1]
    assert "lists the branches of One" in found["git"][1]
    assert "the directory source" in found["source address"][1]
    assert "4 records, serial" in found["state"][1]
    assert "differs from the destination's by" in found["clock"][1]


def test_the_text_ends_with_a_summary(applied: Workspace) -> None:
    done = applied.run("doctor")
    assert done.returncode == 0
    assert done.stdout.startswith("ok       workflow             workflow (workflow.json): 1 algorithm\n")
    assert done.stdout.endswith("\n\nNo check failed.\n")


def test_without_anything_it_says_what_to_set(tmp_path: Path) -> None:
    found = examined(Workspace(tmp_path), code=1)
    assert found["workflow"][0] == "note"
    assert found["destination address"][0] == "failed"
    assert "set DESTINATION_API_ADDRESS and DESTINATION_API_KEY" in found["destination address"][2]
    unknown = {name for name, (status, _, _) in found.items() if status == "unknown"}
    assert unknown == {"destination", "destination key", "algorithms", "environments", "git", "clock"}
    assert found["state"][0] == "ok"
    named = {line.split()[0] for line in found["extras"][1].splitlines()}
    assert "s3" in named
    assert not named & {"tests", "peers"}  # those are for developers
    assert list(tmp_path.iterdir()) == []


def test_without_a_workflow_the_clusters_are_examined(cluster: Cluster, tmp_path: Path) -> None:
    environ = {**cluster.environ(), **cluster.environ("SOURCE")}
    found = examined(Workspace(tmp_path, environ), code=0)
    assert found["algorithms"] == ("unknown", "needs a workflow\n", "\n")
    assert "environments" in found["environments"][1]
    assert found["source key"][0] == "ok"
    assert "differs from the source's" in found["clock"][1]
    assert found["git"][0] == "note"


def test_a_wrong_key_hides_nothing_else(applied: Workspace) -> None:
    found = examined(applied, code=1, environ={"DESTINATION_API_KEY": "simWRONGWRONGWRONGWRONG"})
    assert found["destination"][0] == "ok"
    assert found["destination key"][0] == "failed"
    assert "look at DESTINATION_API_KEY: it is wrong, or has expired" in found["destination key"][2]
    assert (found["environments"][0], found["state"][0], found["workflow"][0]) == ("unknown", "ok", "ok")


def test_a_key_without_the_right_to_manage_fails_where_that_is_told(cluster: Cluster, applied: Workspace) -> None:
    found = examined(applied, code=1, environ={"DESTINATION_API_KEY": cluster.add_key(management=False)})
    assert {name for name, (status, _, _) in found.items() if status == "failed"} == {"git"}
    assert "look at DESTINATION_API_KEY: it may not do this" in found["git"][2]


def test_another_owner_is_named_with_those_that_the_key_reaches(applied: Workspace) -> None:
    document = json.loads((applied.folder / "workflow.json").read_text())
    (applied.folder / "workflow.json").write_text(json.dumps({**document, "algorithm_owner": "strangers"}))
    found = examined(applied, code=1)
    assert found["destination key"] == (
        "failed",
        "the destination's key does not belong to strangers\n",
        "it has access to local; the workflow's algorithm_owner must be one of them\n",
    )


def test_an_environment_that_is_missing_is_told_with_the_nearest(applied: Workspace) -> None:
    applied.write([{"name": "One", "language": "Python 3.99"}])
    found = examined(applied, code=1)
    assert found["environments"][:2] == ("failed", "the destination has no environment for 'Python 3.99'\n")
    assert "did you mean 'Python 3." in found["environments"][2]


def test_an_address_that_does_not_answer(applied: Workspace) -> None:
    found = examined(applied, "--destination", "https://localhost:1", code=1)
    assert found["destination address"][0] == "ok"
    assert "TLS with the usual authorities" in found["destination address"][1]
    assert "cannot be reached" in found["destination"][1]
    assert "look at --destination" in found["destination"][2]


def test_settings_of_the_way_are_checked(applied: Workspace) -> None:
    found = examined(applied, "--destination", "http://far.example.com", code=1)
    assert "only https keeps a key secret" in found["destination address"][1]
    environ = {"DESTINATION_API_ADDRESS": "https://far.example.com", "DESTINATION_CA_CERT": "missing.pem"}
    found = examined(applied, code=1, environ=environ)
    assert "DESTINATION_CA_CERT names a certificate file that cannot be read" in found["destination address"][1]
    found = examined(applied, code=1, environ={**environ, "DESTINATION_CA_CERT": "", "HTTPS_PROXY": "socks5://p:1"})
    assert "HTTPS_PROXY must look like" in found["destination address"][1]


def test_faults_of_the_workflow_are_all_told(applied: Workspace) -> None:
    (applied.folder / "workflow.json").write_text('{"algorithms": [{"nam": "X"}]}')
    found = examined(applied, code=1)
    assert found["workflow"][0] == "failed"
    assert "workflow.json:1:18 the key 'nam' is not known here\n" in found["workflow"][1]
    assert "did you mean name?" in found["workflow"][2]
    assert found["destination key"][0] == "note"


def test_local_code_that_is_missing_does_not_hide_the_rest(applied: Workspace) -> None:
    applied.write([{"name": "Two", "language": "python3"}])
    found = examined(applied, code=1)
    assert found["workflow"][0] == "failed"
    assert "0 of 1 algorithm" in found["algorithms"][1]
    assert "no repository of the workflow yet" in found["git"][1]


def test_a_source_that_is_needed_and_not_named(applied: Workspace) -> None:
    document = json.loads((applied.folder / "workflow.json").read_text())
    (applied.folder / "workflow.json").write_text(json.dumps({"algorithms": document["algorithms"]}))
    found = examined(applied, code=1)
    assert found["source address"][1] == "no source is named\n"


def test_a_damaged_state(applied: Workspace) -> None:
    (state,) = (applied.folder / "state").glob("*.json")
    state.write_text(state.read_text().replace("One", "Two", 1))
    found = examined(applied, code=1)
    assert found["state"][0] == "failed"
    assert "is damaged" in found["state"][1]
    assert "state push" in found["state"][2]
    assert found["git"][0] == "ok"


def test_a_state_that_somebody_works_on(applied: Workspace) -> None:
    release = applied.waiting_algorithm("Two")
    applied.write([{"name": "Two", "language": "python3", "test_payload": 1}])
    process = applied.started("test.Two: Testing")
    try:
        found = examined(applied, code=0)
        assert found["state"][0] == "note"
        assert "is working on it" in found["state"][1]
        assert "--lock-timeout" in found["state"][2]
    finally:
        release()
        process.wait(60)
        if process.stderr:
            process.stderr.close()


def test_a_folder_of_states_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, who may write everywhere."""
    check_writable(tmp_path / "state")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(StateError, match="cannot be written"):
        check_writable(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_a_local_cluster_is_not_created(tmp_path: Path) -> None:
    found = examined(Workspace(tmp_path), "--destination", "local", code=0)
    assert found["destination"][0] == "note"
    assert "the first command that uses it creates it" in found["destination"][1]
    assert list(tmp_path.iterdir()) == []


def test_a_state_whose_backend_is_not_known(tmp_path: Path) -> None:
    found = examined(Workspace(tmp_path), "--state", "gopher://x", code=1)
    assert "the scheme is unknown" in found["state"][1]


@pytest.mark.parametrize(
    ("seconds", "status", "text"),
    [
        (0.4, "ok", "it differs from the destination's by 0 seconds"),
        (-60, "ok", "it differs from the destination's by 60 seconds"),
        (61, "failed", "it is 61 seconds ahead of the destination's"),
        (-3600, "failed", "it is 3,600 seconds behind the destination's"),
        (None, "note", "the destination does not tell its time"),
    ],
)
def test_the_offset_of_the_clock(seconds: float | None, status: str, text: str) -> None:
    found = clock_finding("destination", None if seconds is None else timedelta(seconds=seconds))
    assert (found.status, found.text) == (status, text)
    assert (found.hint is not None) == (status == "failed")
