"""A state on a server, of each sort: two checkouts share it, its password is shown nowhere, and a killed command's lock ends."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from harness import Cluster, Workspace, cluster_process
from remote_places import KEY, Server, https, postgresql, s3
from scan import Scanner
from states_server import PASSWORD, TerraformServer, terraform_server


def a_workspace(folder: Path, cluster: Cluster, place: dict[str, str]) -> Workspace:
    space = Workspace(folder, {**cluster.environ(), **place})
    space.folder.mkdir()
    space.algorithm("One")
    space.write([{"name": "One", "language": "python3"}])
    return space


SERVERS = [
    https,
    pytest.param(s3, marks=pytest.mark.extended),
    pytest.param(postgresql, marks=pytest.mark.needs("initdb", "postgres")),
]


@pytest.mark.parametrize("server", SERVERS)
def test_two_checkouts_share_a_state_whose_password_is_nowhere(server: Server, tmp_path: Path) -> None:
    scanner = Scanner({"password": PASSWORD})

    def run(space: Workspace, command: str, code: int = 0) -> str:
        done = space.run(*command.split())
        shown = done.stdout + done.stderr
        assert list(scanner.text(shown, command)) == []
        assert done.returncode == code, shown
        return shown

    with cluster_process(tmp_path / "cluster") as cluster, server() as place:
        first, second = (a_workspace(tmp_path / name, cluster, place.environ) for name in ("first", "second"))
        assert "3 to add" in run(first, "plan --report json:plan.json --debug")
        assert "Apply complete! Resources: 3 added" in run(first, "apply --auto-approve --debug")
        assert "No changes." in run(second, "plan")
        assert "No drift." in run(second, "drift --report text --report json:drift.json")
        assert not (second.folder / "state").exists()
        state = json.loads(run(second, "state pull"))
        assert sorted(state["records"]) == ["algorithm.One", "source.One", "version.One"]
        assert "2 records removed" in run(second, "state rm source.One version.One")
        assert "The state is not locked" in run(second, "state unlock")
        assert set(first.actions().values()) == {"adopt"}
        wrong = replace(second, environ={**second.environ, **place.wrong})
        assert " cannot be " in run(wrong, "plan --debug", code=1)
        place.end()
        assert " cannot be " in run(second, "plan --debug", code=1)
        assert list(scanner.folder(tmp_path)) == []


def test_an_address_with_a_password_is_refused_without_it(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    for place in (f"https://jane:{PASSWORD}@host/states", f"https://jane:{quote(PASSWORD, safe='')}@host/states"):
        done = space.run("plan", "--debug", "--destination", "local", environ={"ALGOSYNC_STATE": place})
        assert done.returncode == 64
        assert "user and password belong in ALGOSYNC_STATE_USERNAME and ALGOSYNC_STATE_PASSWORD" in done.stderr
        assert list(Scanner({"password": PASSWORD}).text(done.stdout + done.stderr, "output")) == []


@pytest.mark.extended
def test_the_lock_of_a_killed_command_is_released_by_its_id(tmp_path: Path) -> None:
    server: TerraformServer
    with cluster_process(tmp_path / "cluster") as cluster, terraform_server(password=PASSWORD) as server:
        space = a_workspace(tmp_path / "first", cluster, {**KEY, "ALGOSYNC_STATE": f"{server.url}/states"})
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
            assert arguments or f"use --force {lock_id[1]}, or run it in a terminal" in done.stderr
        assert done.stdout.endswith("\nUnlocked.\n")
        done = space.run("apply", "--auto-approve")
        assert done.returncode == 0, done.stderr
        assert server.locks == {}
        assert PASSWORD not in done.stdout + done.stderr
