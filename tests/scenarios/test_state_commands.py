"""The commands of `algosync state`, as users run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests: most of them change only a state."""
    with cluster_process(tmp_path_factory.mktemp("shared") / "cluster") as running:
        yield running


@pytest.fixture(scope="module")
def original(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workflow with one algorithm, applied."""
    space = Workspace(tmp_path_factory.mktemp("original"), cluster.environ())
    space.algorithm("One")
    uris = [space.data("models", name, b"x" * 10) for name in ("a.bin", "b.txt")]
    space.write([{"name": "One", "language": "python3", "data_files": uris}], name="release")
    space.apply()
    return space


@pytest.fixture
def applied(original: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it with its state, at another path."""
    return Workspace(Path(shutil.copytree(original.folder, tmp_path / "workspace")), original.environ)


ADDRESSES = ["algorithm.One", 'data.One["a.bin"]', 'data.One["b.txt"]', "source.One", "version.One"]


def state(space: Workspace, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = space.run("state", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def listed(space: Workspace, *arguments: str) -> list[str]:
    return state(space, "list", *arguments).stdout.splitlines()


def files(space: Workspace) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in (space.folder / "state").iterdir() if path.is_file() and ".lock" not in path.name
    }


def test_looking_changes_nothing(applied: Workspace) -> None:
    before = files(applied)
    assert listed(applied) == ADDRESSES
    assert listed(applied, "One") == ADDRESSES
    assert listed(applied, 'data.One["*.txt"]') == listed(applied, "data.*.txt*") == ['data.One["b.txt"]']
    shown = state(applied, "show", 'data.One["a.bin"]').stdout
    assert shown.startswith('# data.One["a.bin"]\n')
    assert "    size              = 10\n" in shown
    document = json.loads(state(applied, "show", 'data.One["a.bin"]', "--json").stdout)
    assert state(applied, "show", "One").stdout.count("# ") == len(state(applied, "list", "One").stdout.splitlines())
    assert (document["address"], document["size"], len(document["digest"])) == ('data.One["a.bin"]', 10, 64)
    for arguments in (("list", "source.Two"), ("show", "sourc.One"), ("rm", "source.One", "source.Two")):
        done = state(applied, *arguments, code=1)
        assert done.stdout == ""
        assert done.stderr == f"Error: nothing is recorded as {arguments[-1]}\n  did you mean source.One?\n"
    assert files(applied) == before


def test_forgetting_deletes_nothing_at_the_destination(cluster: Cluster, applied: Workspace) -> None:
    with cluster.writes() as written:
        done = state(applied, "rm", "source.*", "algorithm.One")
    assert written.lines == ()
    assert done.stdout == (
        "algorithm.One is forgotten\nsource.One is forgotten\n2 records removed. Nothing was deleted at the destination.\n"
    )
    assert "The state before is kept as state/release@" in done.stderr
    assert listed(applied) == ['data.One["a.bin"]', 'data.One["b.txt"]', "version.One"]
    assert applied.actions() == {"algorithm.One": "adopt", "source.One": "adopt"}
    applied.apply()
    assert listed(applied) == ADDRESSES


def test_an_algorithm_is_renamed_in_the_state(cluster: Cluster, applied: Workspace) -> None:
    with cluster.writes() as written:
        done = state(applied, "mv", "One", "Two")
    assert written.lines == ()
    assert 'data.One["a.bin"] is now data.Two["a.bin"]\n' in done.stdout
    assert listed(applied) == [address.replace("One", "Two") for address in ADDRESSES]
    assert "nothing is recorded as One" in state(applied, "mv", "One", "Three", code=1).stderr
    assert "is no name of an algorithm" in state(applied, "mv", "source.Two", "One", code=64).stderr
    before = files(applied)
    assert state(applied, "mv", "Two", "Two", code=5).stderr == (
        "Error: Two is recorded already\n  algosync state rm Two forgets it first\n"
    )
    assert files(applied) == before
    state(applied, "mv", "algorithm.Two", "algorithm.One")
    assert applied.actions() == {}
    done = applied.run("plan")
    assert "No changes." in done.stdout


def test_a_workflow_that_got_another_name_keeps_its_state(applied: Workspace) -> None:
    document = json.loads((applied.folder / "workflow.json").read_text())
    (applied.folder / "workflow.json").write_text(json.dumps({**document, "name": "better"}))
    assert set(applied.actions().values()) == {"adopt"}
    done = state(applied, "rename", "release")
    assert done.stdout.startswith("state/release@")
    assert " is now state/better@" in done.stdout
    assert done.stdout.endswith(", with 5 records.\n")
    assert applied.actions() == {}
    assert listed(applied) == ADDRESSES
    assert "nothing is recorded in state/release@" in state(applied, "rename", "release", code=1).stderr
    assert "has this name already" in state(applied, "rename", "better", code=64).stderr
    state(applied, "rename", "better", "release")
    assert listed(applied) == []


def test_the_way_out_when_a_state_belongs_to_another_file(applied: Workspace) -> None:
    """A copy of the workflow under another path is refused. With another name it takes the state along."""
    document = json.loads((applied.folder / "workflow.json").read_text())
    copy = applied.folder / "copy.json"
    copy.write_text(json.dumps(document))
    done = applied.run("plan", "copy.json")
    assert done.returncode == 5
    assert "With the new name, `algosync state rename release` takes this state along" in done.stderr
    assert "belongs to the workflow file" in state(applied, "rm", "One", "--workflow", "copy.json", code=5).stderr
    copy.write_text(json.dumps({**document, "name": "copy"}))
    state(applied, "rename", "release", "--workflow", "copy.json")
    done = applied.run("plan", "copy.json")
    assert "No changes." in done.stdout, done.stdout + done.stderr


def test_a_state_is_pulled_and_pushed(applied: Workspace, tmp_path: Path) -> None:
    pulled = state(applied, "pull").stdout
    kept = tmp_path / "pulled.json"
    kept.write_text(pulled)
    assert json.loads(pulled)["records"].keys() == set(ADDRESSES)
    moved = f"--state={tmp_path / 'elsewhere'}"
    assert "never applied" in state(applied, "pull", moved, code=1).stderr
    state(applied, "push", str(kept), moved)
    assert state(applied, "pull", moved).stdout == pulled
    assert "No changes." in applied.run("plan", moved).stdout
    state(applied, "rm", "source.One")
    done = state(applied, "push", str(kept), code=5)
    assert " is newer: serial " in done.stderr
    assert "--force replaces it all the same" in done.stderr
    state(applied, "push", "--force", str(kept))
    assert listed(applied) == ADDRESSES
    assert json.loads(state(applied, "pull").stdout)["serial"] == json.loads(pulled)["serial"] + 2
    kept.write_text(pulled.replace("source.One", "source.Two"))
    assert f"{kept} is damaged: " in state(applied, "push", "--force", str(kept), code=1).stderr
    assert "cannot be read" in state(applied, "push", "missing.json", code=64).stderr


def test_a_damaged_state_is_refused_with_a_way_out_that_works(applied: Workspace, tmp_path: Path) -> None:
    (path,) = (applied.folder / "state").glob("*.json")
    backup = path.with_name(f"{path.name}.backup")
    state(applied, "rm", "source.One")
    copy = tmp_path / "copy"
    copy.write_bytes(backup.read_bytes())
    path.write_bytes(path.read_bytes()[:-20])
    for arguments in (("list",), ("show", "source.One"), ("rm", "One"), ("mv", "One", "Two"), ("pull",), ("push", str(copy))):
        done = state(applied, *arguments, code=1)
        assert " is damaged: " in done.stderr
        assert "put it back with `algosync state push --force COPY`" in done.stderr
    state(applied, "push", "--force", str(copy))
    assert listed(applied) == ADDRESSES
    assert applied.actions() == {}


def test_a_state_of_a_newer_version_is_refused(applied: Workspace) -> None:
    (path,) = (applied.folder / "state").glob("*.json")
    newer = path.read_bytes().replace(b'"format_version": 2', b'"format_version": 99')
    path.write_bytes(newer)
    for arguments in (("list",), ("rm", "One"), ("pull",)):
        assert state(applied, *arguments, code=1).stderr.endswith("\n  Upgrade algosync.\n")
    assert path.read_bytes() == newer


def test_commands_beside_an_apply(workspace: Workspace) -> None:
    """Those that read go on and note it. Those that write are refused, or wait for it."""
    let_go = workspace.waiting_algorithm("Busy")
    workspace.write([{"name": "Busy", "language": "python3", "test_payload": 4}])
    process = workspace.started("test.Busy: Testing")
    try:
        for reading in ("plan", "drift", "state list"):
            done = workspace.run(*reading.split())
            assert done.returncode == 0, done.stdout + done.stderr
            assert f"Note: `algosync apply` (pid {process.pid}, since " in done.stderr
            assert " is working on this state." in done.stderr
        for writing in ("apply --auto-approve", "state rm Busy --no-input"):
            done = workspace.run(*writing.split())
            assert done.returncode == 6
            assert f"is in use by `algosync apply` (pid {process.pid}, since " in done.stderr
        done = workspace.run("state", "rm", "Busy", environ={"ALGOSYNC_LOCK_TIMEOUT": "1"})
        assert done.returncode == 6
        assert "Note: state/workflow@" in done.stderr
        assert f" is in use by `algosync apply` (pid {process.pid}, since " in done.stderr
        assert "). Waiting for it, up to 1 s.\n" in done.stderr
        waiting = _begun(workspace, "apply", "--auto-approve", "--lock-timeout", "100")
        assert waiting.stderr is not None
        assert any("Waiting for it, up to 100 s." in line for line in waiting.stderr)
        with _begun(workspace, "state", "mv", "Busy", "Two", "--lock-timeout", "100") as interrupted:
            assert interrupted.stderr is not None
            assert any("Waiting for it, up to 100 s." in line for line in interrupted.stderr)
            interrupted.terminate()
        assert interrupted.returncode == 143
    finally:
        let_go()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    _, errors = waiting.communicate(timeout=100)
    assert waiting.returncode == 0, errors


def test_drift_reports_what_an_apply_is_changing_as_in_progress(workspace: Workspace) -> None:
    """The apply stops right after a remote write, before it records that. Then it is killed, so the same difference is drift."""
    workspace.algorithm("Moving")
    entry: dict[str, object] = {"name": "Moving", "language": "python3"}
    workspace.write([entry])
    workspace.apply()
    workspace.write([{**entry, "settings": {"network_access": "isolated"}}])
    stopped = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": "configure.after@algorithm.Moving:stop"}
    with _begun(workspace, "apply", "--auto-approve", environ=stopped) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        done = workspace.run("drift")
        process.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  > algorithm.Moving may be in progress: a command that runs now works on it\n" in done.stdout
    assert "No drift." in done.stdout
    assert f"Note: `algosync apply` (pid {process.pid}, since " in done.stderr
    done = workspace.run("drift")
    assert done.returncode == 2
    assert "  ~ algorithm.Moving has changed outside of algosync\n" in done.stdout


def _begun(space: Workspace, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "algosync", *arguments],
        cwd=space.folder,
        env=space.environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
