"""A saved plan on a real cluster: saved in one folder, applied in another, refused when something moved."""

from __future__ import annotations

import base64
import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from harness import Cluster, Workspace

TOKEN = "hunter22/+=&geheim"


def put(workspace: Workspace) -> None:
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", b"1234567890")
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])


def save(workspace: Workspace, *arguments: str) -> Path:
    done = workspace.run("plan", "--out", "p.plan", *arguments)
    assert done.returncode == 0, done.stderr
    return workspace.folder / "p.plan"


def refused(workspace: Workspace, cluster: Cluster, name: str, *what: str) -> None:
    """The saved plan is refused, nothing is written, and the message has these words."""
    with cluster.writes() as writes:
        done = workspace.run("apply", name)
    assert (done.returncode, writes.lines) == (6, ()), done.stdout + done.stderr
    assert [text for text in what if text not in done.stderr] == [], done.stderr


def test_a_plan_is_saved_and_applied_elsewhere(workspace: Workspace, cluster: Cluster, tmp_path: Path) -> None:
    """The other folder has neither the workflow nor its sources. What only looks at things in between does not matter."""
    put(workspace)
    done = workspace.run("plan")
    assert "Note: The plan is not saved (--out FILE)" in done.stdout
    path = save(workspace)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in workspace.folder.glob(".p.plan*")] == []
    shown = workspace.run("show", "p.plan", environ={"DESTINATION_API_ADDRESS": "https://unreachable.invalid"})
    assert '# data.One["a.bin"] will be created' in shown.stdout
    digest = re.findall(r"Plan digest: (sha256:[0-9a-f]{64})", done.stdout + shown.stdout)
    assert len(set(digest)) == 1
    assert len(digest) == 2
    document = json.loads(workspace.run("show", "p.plan", "--json").stdout)
    assert (document["plan_digest"], len(document["resource_changes"])) == (digest[0], 4)

    elsewhere = Workspace(tmp_path / "elsewhere" / "deep", workspace.environ)
    elsewhere.folder.mkdir(parents=True)
    shutil.copy(path, elsewhere.folder / "other.name")
    where = ("--state", str(workspace.folder / "state"))
    assert elsewhere.run("apply", "other.name", *where, "--target", "One").returncode == 64
    done = elsewhere.run("apply", "other.name", *where)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Apply complete! Resources: 4 added" in done.stdout
    assert workspace.actions() == {}
    done = elsewhere.run("apply", "other.name", *where)
    assert done.returncode == 6, done.stdout + done.stderr
    assert "the lineage of the state: nothing -> " in done.stderr
    recorded = json.loads(workspace.run("show", "--json").stdout)
    assert [record["address"] for record in recorded["records"]] == [
        "algorithm.One",
        'data.One["a.bin"]',
        "source.One",
        "version.One",
    ]

    # A second release: the test and the nightly drift in between change nothing that the plan is bound to.
    workspace.data("models", "a.bin", b"0987654321++")
    shutil.copy(save(workspace), elsewhere.folder / "second")
    assert workspace.run("test").returncode == 0
    assert workspace.run("drift").returncode == 0
    done = elsewhere.run("apply", "second", *where)
    assert done.returncode == 0, done.stdout + done.stderr
    assert workspace.actions() == {}


def test_a_plan_of_a_target_holds_what_its_source_reads_of_others(workspace: Workspace, tmp_path: Path) -> None:
    workspace.algorithm("Reader", 'LABELS = "data://.my/Other/a.bin"\n\n\ndef apply(input):\n    return 1\n')
    workspace.algorithm("Other")
    uri = workspace.data("models", "a.bin", b"1234567890")
    workspace.write([{"name": "Reader", "language": "python3"}, {"name": "Other", "language": "python3", "data_files": [uri]}])
    path = save(workspace, "--target", "Reader")
    elsewhere = Workspace(tmp_path / "elsewhere", workspace.environ)
    elsewhere.folder.mkdir()
    shutil.copy(path, elsewhere.folder)
    done = elsewhere.run("apply", "p.plan", "--state", str(workspace.folder / "state"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert workspace.actions() == {}


def test_what_moved_is_named(workspace: Workspace, cluster: Cluster) -> None:
    put(workspace)
    workspace.apply()
    workspace.algorithm("One", "def apply(input):\n    return 2\n")
    workspace.data("models", "a.bin", b"another one")
    save(workspace)

    cluster.push_behind("One", "src/extra.py", b"x = 1\n")
    refused(workspace, cluster, "p.plan", "source.One at the destination: commit ")
    save(workspace)
    cluster.api().data.put(cluster.user, "One", "a.bin", [b"by hand"], 7)
    refused(workspace, cluster, "p.plan", 'data.One["a.bin"] at the destination: 10 B -> 7 B')

    save(workspace)
    first = (workspace.folder / "p.plan").read_bytes()
    workspace.apply()
    (workspace.folder / "p.plan").write_bytes(first)
    refused(workspace, cluster, "p.plan", 'the record of data.One["a.bin"]: ')
    other = {**workspace.environ, "DESTINATION_API_ADDRESS": "https://api.other.example"}
    done = workspace.run("apply", "p.plan", environ=other)
    assert done.returncode == 6
    assert f"the destination: {cluster.url} -> https://api.other.example" in done.stderr


def test_damage_and_what_is_no_saved_plan(workspace: Workspace) -> None:
    put(workspace)
    path = save(workspace)
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    done = workspace.run("apply", "p.plan")
    assert done.returncode == 1
    assert "Error: the saved plan p.plan is damaged or not complete" in done.stderr
    assert "algosync plan --out FILE" in done.stderr
    path.write_bytes(data.replace(b"format 2\n", b"format 3\n", 1))
    assert "was saved by a newer algosync" in workspace.run("show", "p.plan").stderr
    (workspace.folder / "report.json").write_text(workspace.run("plan", "--json").stdout)
    done = workspace.run("apply", "report.json", "--auto-approve")
    assert done.returncode == 64
    assert "report.json is a report of `plan --json`, which is no saved plan" in done.stderr
    assert workspace.run("plan", "--out", "missing/p.plan").returncode == 64
    lost = workspace.run("plan", "--out", "workflow.json")
    assert (lost.returncode, "is there already, and is no saved plan" in lost.stderr) == (64, True)


def test_a_digest_stands_for_a_plan(workspace: Workspace, cluster: Cluster, tmp_path: Path) -> None:
    """The pipeline passes no file. Each job has its own clone, whose files have other times."""
    put(workspace)
    digest = workspace.plan()["plan_digest"]
    clone = Workspace(tmp_path / "clone", workspace.environ)
    shutil.copytree(workspace.folder, clone.folder, copy_function=shutil.copyfile)
    assert clone.plan()["plan_digest"] == digest
    with cluster.writes() as writes:
        done = clone.run("apply", "--plan-digest", f"sha256:{'0' * 64}")
        assert done.returncode == 6, done.stderr
        assert f"-> {digest}" in done.stderr
        assert clone.run("apply", "--plan-digest", "0").returncode == 64
    assert writes.lines == ()
    done = clone.run("apply", "--plan-digest", str(digest))
    assert done.returncode == 0, done.stdout + done.stderr


def forms(secret: str) -> list[bytes]:
    """A secret, and its disguises."""
    plain = secret.encode()
    shifted = [base64.b64encode(bytes(n) + plain)[4:-4] for n in range(3)]
    return [plain, plain.hex().encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(), *shifted]


def test_no_secret_is_in_the_file(workspace: Workspace, cluster: Cluster) -> None:
    """Sensitive variables are references, given again. Their values are in the plan, the payload, a source and a hash."""
    workspace.algorithm("One", f"TOKEN = '{TOKEN}'\n\n\ndef apply(input):\n    return input\n")
    details = "label: {{ token | tojson }}, summary: {{ ('pin ' ~ pin) | tojson }}, tagline: {{ name | tojson }}"
    (workspace.folder / "workflow.yaml.j2").write_text(
        "variables: {token: {sensitive: true}, pin: {sensitive: true}, name: {default: x}}\n"
        f"algorithms:\n- {{name: One, language: python3, details: {{{details}}}, test_payload: {{{{ token | tojson }}}}}}\n"
    )
    given = {"ALGOSYNC_VAR_token": TOKEN, "ALGOSYNC_VAR_pin": "4711", "ALGOSYNC_VAR_other": "of another workflow"}
    done = workspace.run("plan", "--out", "p.plan", "--var", "name=Ada", environ=given)
    assert done.returncode == 0, done.stderr
    data = (workspace.folder / "p.plan").read_bytes()
    found = [form for secret in (TOKEN, cluster.key, "pin 4711") for form in forms(secret) if form in data]
    assert found == []
    assert b"another workflow" not in data
    assert workspace.run("show", "p.plan").returncode == 0

    done = workspace.run("apply", "p.plan")
    assert done.returncode == 64
    assert "not given: pin, token" in done.stderr
    done = workspace.run("apply", "p.plan", "--var", "name=Eve", environ=given)
    assert done.returncode == 64
    (workspace.folder / "workflow.yaml.j2").unlink()
    done = workspace.run("apply", "p.plan", environ=given)
    assert done.returncode == 0, done.stdout + done.stderr
    info = cluster.api().algorithms.read(cluster.user, "One")
    assert (info.details["label"], info.details["summary"], info.details["tagline"]) == (TOKEN, "pin 4711", "Ada")


def test_no_plan_is_saved_while_an_apply_runs(workspace: Workspace) -> None:
    release = workspace.waiting_algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    process = workspace.started("test.One: ")
    try:
        done = workspace.run("plan", "--out", "p.plan")
        assert done.returncode == 6, done.stderr
        assert "the plan cannot be saved while `algosync apply`" in done.stderr
        assert not (workspace.folder / "p.plan").exists()
    finally:
        release()
        process.wait(60)


@pytest.mark.parametrize("umask", ["000", "777"])
def test_only_its_owner_can_read_it(workspace: Workspace, umask: str) -> None:
    put(workspace)
    script = f'umask {umask}; exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", sys.executable, "-m", "algosync", "plan", "--out", "p.plan"],
        cwd=workspace.folder,
        env=workspace.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((workspace.folder / "p.plan").stat().st_mode) == 0o600


def test_a_plan_that_destroys_is_saved_too(workspace: Workspace) -> None:
    """It reads no source, so the file has none."""
    put(workspace)
    workspace.apply()
    path = save(workspace, "--destroy")
    assert b"1234567890" not in path.read_bytes()
    shutil.rmtree(workspace.folder / "source")
    done = workspace.run("apply", "p.plan")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(workspace.run("show", "--json").stdout)["records"] == []
