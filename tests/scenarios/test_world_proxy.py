"""The main job between two clusters with private authorities, through a real proxy that requires a password."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from harness import Cluster, Workspace, cluster_process
from world import NCSA, SQUID, put, squid, tinyproxy, two_algorithms

sys.path.append(str(Path(__file__).parents[1] / "secrets"))  # a folder whose name the standard library has taken
from scan import Scanner, watching

needs_tinyproxy = pytest.mark.needs("tinyproxy")

EXAMPLES = Path(__file__).parents[2] / "workflows"
NAME = "image_parallel_pipelining"
USER, PASSWORD = "odd.user-1", "a.b-c_d9Q7xZ-2kW.-8"  # all the odd characters that tinyproxy's own file can hold


@dataclass(frozen=True)
class World:
    source: Cluster
    destination: Cluster

    def environ(self) -> dict[str, str]:
        return {**self.source.environ("SOURCE"), **self.destination.environ()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    with (
        cluster_process(root / "source", "quality", tls=True) as source,
        cluster_process(root / "destination", tls=True) as destination,
    ):
        yield World(source, destination)


@pytest.fixture
def here(world: World, tmp_path: Path) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace(folder, {**world.environ(), "NO_PROXY": ""})


def place(url: str) -> str:
    return urlsplit(url).netloc


def odd_key(cluster: Cluster) -> str:
    key = cluster.add_key(form="base64")
    assert {"/", "+", "="} <= set(key)
    return key


def export(cluster: Cluster, folder: Path) -> None:
    """The example's source folder becomes data of the source cluster, and the workflow, now a template, refers to it."""
    for path in sorted((EXAMPLES / NAME / "quality").rglob("*")):
        if path.is_file():
            put(cluster, path.parent.name, path.name, path.read_bytes())
    document = json.loads((EXAMPLES / f"{NAME}.json").read_text())
    document["source_info"] = {"cluster_address": cluster.url}
    (folder / f"{NAME}.json.j2").write_text(json.dumps(document))


def watched(here: Workspace, *arguments: str) -> tuple[subprocess.CompletedProcess[str], set[tuple[str, bytes]]]:
    """Run a command, and collect what /proc says about its children."""
    command = [sys.executable, "-m", "algosync", *arguments]
    process = subprocess.Popen(
        command,
        cwd=here.folder,
        env=here.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with watching(process.pid) as seen:
        out, err = process.communicate(timeout=500)
    return subprocess.CompletedProcess(command, process.returncode, out, err), seen


@needs_tinyproxy
def test_the_main_job_through_a_proxy_that_asks_for_a_password(world: World, here: Workspace, tmp_path: Path) -> None:
    export(world.source, here.folder)
    keys = {"source": odd_key(world.source), "destination": odd_key(world.destination)}
    git = world.destination.url.replace("127.0.0.1", "localhost")
    with tinyproxy(tmp_path, f"BasicAuth {USER} {PASSWORD}") as proxy:
        here.environ |= {
            "SOURCE_API_KEY": keys["source"],
            "DESTINATION_API_KEY": keys["destination"],
            "DESTINATION_GIT_ADDRESS": git,
            "HTTPS_PROXY": f"http://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{proxy.port}",
        }
        applied, children = watched(here, "apply", f"{NAME}.json.j2", "--auto-approve", "--debug")
        assert applied.returncode == 0, applied.stdout + applied.stderr
        assert "Apply complete! Resources: 18 added, 0 changed, 0 destroyed." in applied.stdout
        assert proxy.tunnels() == {place(world.source.url), place(world.destination.url), place(git)}
        planned, _ = watched(here, "plan", f"{NAME}.json.j2", "--json")
    actions = {action for change in json.loads(planned.stdout)["resource_changes"] for action in change["change"]["actions"]}
    assert actions == {"no-op"}

    assert any(what == "argv" for what, _ in children)  # the sandbox of the template is at least one
    scanner = Scanner({**keys, "proxy": PASSWORD, "proxy-user-and-password": f"{USER}:{PASSWORD}"})
    found = [finding for what, data in children for finding in scanner.data(data, what)]
    for done in (applied, planned):
        found += [*scanner.text(done.stdout, "stdout"), *scanner.text(done.stderr, "stderr")]
    found += scanner.data(proxy.log.read_bytes(), "the proxy's log")
    found += scanner.folder(here.folder)
    for cluster in (world.source, world.destination):
        found += scanner.folder(cluster.root)  # in the database too, which stores digests only
    assert found == []


@needs_tinyproxy
def test_each_host_uses_its_own_proxy_setting(world: World, here: Workspace, tmp_path: Path) -> None:
    put(world.source, "models", "words.txt", b"hello goodbye")
    two_algorithms(here, world.source.url)
    with tinyproxy(tmp_path) as proxy:
        here.environ |= {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        for exempt, direct in (
            (place(world.destination.url), world.destination),
            (f"x.example, {place(world.source.url)}", world.source),
        ):
            proxy.log.write_text("")
            here.environ["NO_PROXY"] = exempt
            assert len(here.actions()) == 8
            assert proxy.tunnels() == {place(world.source.url), place(world.destination.url)} - {place(direct.url)}
        proxy.log.write_text("")
        here.environ["NO_PROXY"] = "127.0.0.0/8"
        assert len(here.actions()) == 8
        assert proxy.tunnels() == set()


@pytest.mark.skipif(SQUID is None or NCSA is None, reason="squid is not installed")
def test_a_password_with_unusual_characters(world: World, here: Workspace) -> None:
    put(world.source, "models", "words.txt", b"hello goodbye")
    two_algorithms(here, world.source.url)
    user, password = "odd.user~1@x", 'p/a+s=s%w&rd:7Q!"x Z#?é'
    with squid(user, password) as port:
        here.environ["HTTPS_PROXY"] = f"http://{quote(user, safe='')}:{quote(password, safe='')}@127.0.0.1:{port}"
        assert len(here.actions()) == 8
        here.environ["HTTPS_PROXY"] = f"http://{quote(user, safe='')}:wrong%2Fpassword@127.0.0.1:{port}"
        done = here.run("plan")
    assert done.returncode == 1
    assert "the proxy asks for a user name and a password, or refuses the given ones: 407" in done.stderr
    assert "look at HTTPS_PROXY: http://USER:PASSWORD@PROXY:PORT, special characters of both written as %XX" in done.stderr
    assert "wrong" not in done.stderr


@pytest.mark.parametrize("form", ["base64", "jwt"])
def test_an_organization_owns_the_algorithms(form: str, world: World, here: Workspace) -> None:
    """With a key of unusual characters, and with a token. In payloads `.my` means the organization."""
    organization = f"{form}-org"
    world.destination.join(organization)
    put(world.source, "models", "words.txt", b"hello goodbye")
    here.algorithm(
        "Echo", "def apply(input):\n    assert input == 'data://ORG/Echo/words.txt', input\n".replace("ORG", organization)
    )
    here.write(
        [
            {
                "name": "Echo",
                "language": "python3",
                "data_files": ["data://.my/models/words.txt"],
                "test_payload": "data://.my/Echo/words.txt",
            }
        ],
        source_info={"cluster_address": world.source.url},
        algorithm_owner=organization,
    )
    here.environ["DESTINATION_API_KEY"] = world.destination.add_key(form=form)
    assert f"Owner:       {organization}\n" in here.apply()
    assert "No changes. Your destination matches the workflow." in here.apply()
    paths = {str(r["path"]).partition("?")[0] for r in world.destination.requests() if r["method"] in ("POST", "PUT")}
    assert {f"/v1/data/{organization}/Echo/words.txt", f"/v1/algo/{organization}/Echo/0.1.0"} <= paths
