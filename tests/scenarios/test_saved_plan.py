"""A saved plan: saved in one folder, applied in another, refused when something moved."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from harness import Workspace


def put(workspace: Workspace) -> None:
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", b"1234567890")
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])


def test_a_plan_is_saved_and_applied_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    """The other folder has neither the workflow nor its sources."""
    put(workspace)
    done = workspace.run("plan", "--out", "p.plan")
    assert done.returncode == 0, done.stderr
    assert "apply may do something else" not in done.stderr
    path = workspace.folder / "p.plan"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    elsewhere = Workspace(tmp_path / "elsewhere" / "deep", workspace.environ)
    elsewhere.folder.mkdir(parents=True)
    shutil.copy(path, elsewhere.folder / "other.name")
    state = str(workspace.folder / "state")
    done = elsewhere.run("apply", "other.name", "--state", state)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Apply complete! Resources: 4 added" in done.stdout
    assert workspace.actions() == {}
    done = elsewhere.run("apply", "other.name", "--state", state)
    assert done.returncode == 6, done.stdout + done.stderr
