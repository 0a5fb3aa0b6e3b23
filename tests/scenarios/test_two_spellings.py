"""One local cluster under two spellings has one state and one lock, and its plan is the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from harness import Workspace

from algosync.cli.local.running import running_cluster
from algosync.state import open_session, state_name


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Workspace]:
    """A workflow, and the local cluster `staging`, which stays."""
    site = Workspace(tmp_path)
    site.algorithm("Echo")
    site.write([{"name": "Echo", "language": "python3"}])
    assert site.run("emulator", "start", "--name", "staging").returncode == 0
    yield site
    site.run("emulator", "stop", "--name", "staging")


def by_address(site: Workspace) -> Mapping[str, str]:
    """The variables that `emulator env` prints."""
    found = running_cluster(site.folder / "state" / "local" / "staging")
    assert found is not None
    return {"DESTINATION_API_ADDRESS": found.url, "DESTINATION_API_KEY": found.key.reveal()}


def states(site: Workspace) -> list[str]:
    return sorted(path.name for path in (site.folder / "state").glob("*.json"))


def actions(site: Workspace, *arguments: str, environ: Mapping[str, str] | None = None) -> set[str]:
    done = site.run("plan", "--json", *arguments, environ=environ)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["meta"]["state"] == str(site.folder / "state" / states(site)[0])
    return {action for change in document["resource_changes"] for action in change["change"]["actions"]}


def test_both_spellings_have_one_state_and_one_lock(site: Workspace) -> None:
    environ = by_address(site)
    site.apply("--destination", "local:staging")
    [name] = states(site)
    identity = (site.folder / "state" / "local" / "staging" / "identity").read_text().strip()
    assert name == f"workflow@local-{identity}~local.json"
    assert actions(site, environ=environ) == {"no-op"}
    assert actions(
        site, "--destination", environ["DESTINATION_API_ADDRESS"].replace("127.0.0.1", "localhost"), environ=environ
    ) == {"no-op"}
    with open_session(str(site.folder / "state"), name, exclusive=True, command="other"):
        for arguments, variables in ((["--destination", "local:staging"], {}), ([], environ)):
            done = site.run("apply", "--auto-approve", *arguments, environ=variables)
            assert (done.returncode, "`other`" in done.stderr) == (6, True)
    assert states(site) == [name]

    # A state of an older version, under the name of the address: the plan is empty, and an apply renames it.
    older = state_name("workflow", environ["DESTINATION_API_ADDRESS"], "local")
    (site.folder / "state" / name).rename(site.folder / "state" / older)
    assert actions(site, "--destination", "local:staging") == {"no-op"}
    assert states(site) == [older]
    site.apply("--destination", "local:staging")
    assert states(site) == [name]

    # Another file of that name is refused, whatever the command is.
    (site.folder / "other").mkdir()
    shutil.copy(site.folder / "workflow.json", site.folder / "other")
    for command in ("plan", "apply", "test", "drift"):
        done = site.run(command, "other/workflow.json", "--destination", "local:staging")
        assert done.returncode == 5, done.stderr
        assert "belongs to the workflow file workflow.json, not to other/workflow.json" in done.stderr

    # After a reset the state still belongs to the cluster, so it shows what is missing.
    assert site.run("emulator", "reset", "--name", "staging", "--auto-approve").returncode == 0
    assert actions(site, "--destination", "local:staging") == {"create"}
    assert site.run("drift", "--destination", "local:staging").returncode == 2
    assert states(site) == [name]
