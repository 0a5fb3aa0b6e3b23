"""A state on a server: two checkouts share it, and the lock that a killed command left is released by `state unlock`."""

import re
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process
from states_server import PASSWORD, TerraformServer, terraform_server

KEY = {"ALGOSYNC_STATE_USERNAME": "jane", "ALGOSYNC_STATE_PASSWORD": PASSWORD}


def a_workspace(folder: Path, cluster: Cluster, server: TerraformServer) -> Workspace:
    environ = {**cluster.environ(), **KEY, "ALGOSYNC_STATE": f"{server.url}/states"}
    space = Workspace(folder, environ)
    space.folder.mkdir()
    space.algorithm("One")
    space.write([{"name": "One", "language": "python3"}])
    return space


def test_two_checkouts_share_a_state_on_a_server(tmp_path: Path) -> None:
    with cluster_process(tmp_path / "cluster") as cluster, terraform_server(password=PASSWORD) as server:
        first = a_workspace(tmp_path / "first", cluster, server)
        assert "Apply complete! Resources: 3 added" in first.run("apply", "--auto-approve").stdout
        second = a_workspace(tmp_path / "second", cluster, server)
        done = second.run("plan")
        assert "No changes." in done.stdout, done.stdout + done.stderr
        assert not (second.folder / "state").exists()
        done = second.run("state", "unlock")
        assert (done.returncode, done.stdout) == (0, "The state is not locked: no command holds it, or its lease has run out.\n")


@pytest.mark.extended
def test_the_lock_of_a_killed_command_is_released_by_its_id(tmp_path: Path) -> None:
    with cluster_process(tmp_path / "cluster") as cluster, terraform_server(password=PASSWORD) as server:
        space = a_workspace(tmp_path / "first", cluster, server)
        killed = space.run(
            "apply", "--auto-approve", environ={"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": "create.after@algorithm.One:kill"}
        )
        assert killed.returncode == -9
        done = space.run("plan")
        assert done.returncode == 0, done.stderr
        done = space.run("apply", "--auto-approve")
        assert done.returncode == 6
        lock_id = re.search(r"algosync state unlock --force (\S+)", done.stderr)
        assert lock_id is not None, done.stderr
        assert "is in use by `algosync apply` (" in done.stderr
        for arguments, code in (((), 1), (("--force", "other"), 1), (("--force", lock_id[1]), 0)):
            done = space.run("state", "unlock", *arguments)
            assert done.returncode == code, done.stderr
            assert "is in use by `algosync apply` (" in done.stdout
            assert lock_id[1] in done.stdout
        assert done.stdout.endswith("\nUnlocked.\n")
        done = space.run("apply", "--auto-approve")
        assert done.returncode == 0, done.stderr
        assert server.locks == {}
        assert PASSWORD not in done.stdout + done.stderr
