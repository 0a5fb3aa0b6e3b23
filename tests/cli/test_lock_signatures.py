"""Every command that locks a state signs the lock with its own name."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from harness import Cluster, Workspace
from states_server import TerraformServer, terraform_server
from typer.testing import CliRunner

from algosync.cli.main import app
from algosync.cli.terminal import Terminal

COMMANDS = {
    "apply": ["apply", "--no-input"],
    "destroy": ["destroy", "--no-input"],
    "import": ["import", "--all"],
    "rollback": ["rollback", "One", "--no-input"],
    "state mv": ["state", "mv", "One", "Two"],
    "state push": ["state", "push", "state.json", "--force"],
    "state rename": ["state", "rename", "other"],
    "state rm": ["state", "rm", "One"],
    "state unlock": ["state", "unlock"],
}


def test_each_command_signs_as_itself(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands do does not matter here: some of them are refused after they took the lock."""
    monkeypatch.chdir(tmp_path)
    space = Workspace(tmp_path)
    space.algorithm("One")
    space.write([{"name": "One", "language": "python3", "test_payload": 1}])
    shutil.copy(Path(__file__).parents[1] / "state" / "golden_state_v2.json", tmp_path / "state.json")
    server: TerraformServer
    signed = {}
    with terraform_server() as server:
        for name, value in {**cluster.environ(), "ALGOSYNC_STATE": f"{server.url}/states"}.items():
            monkeypatch.setenv(name, value)
        for command, arguments in COMMANDS.items():
            server.operations.clear()
            terminal = Terminal(io.StringIO(), io.StringIO(), (False, False), live=False)
            CliRunner().invoke(app, arguments, obj=terminal)
            signed[command] = set(server.operations)
    assert signed == {command: {f"algosync {command}"} for command in COMMANDS}
