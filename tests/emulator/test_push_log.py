"""A push with the git program and its build: the log that git shows, and the build after git has left."""

import base64
import contextlib
import http.client
import io
import os
import select
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dulwich.objects import Tree
from dulwich.pack import write_pack_objects
from dulwich.protocol import Protocol, pkt_line
from emulated import DEADLINE, MASTER, Emulator, add_commit, emulator, git_object, store, until
from gitwork import Work, needs_git
from harness import Cluster

SETUP = """
import os, time
open({marker!r}, "w").close()
while not os.path.exists({release!r}):
    time.sleep(0.02)
raise SystemExit("\\x1b[31mnot today\\0")
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n'


class Package:
    """A requirement whose installation creates `marker` when it begins, and fails as soon as `release` exists."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.marker, self.release = folder / "marker", folder / "release"
        (folder / "setup.py").write_text(SETUP.format(marker=str(self.marker), release=str(self.release)))
        (folder / "pyproject.toml").write_text(PROJECT)
        self.requirement = f"slow @ file://{folder}"


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    made = Package(tmp_path / "package")
    # A test that wrongly waits for the build then fails instead of hanging.
    timer = threading.Timer(DEADLINE, made.release.touch)
    timer.start()
    yield made
    timer.cancel()
    made.release.touch()


def status(site: Emulator, name: str, commit: str) -> str:
    (found,) = (b for b in site.get(f"/v1/algorithms/local/{name}/builds")["results"] if b["commit_sha"] == commit)
    return str(found["status"])


@needs_git
def test_the_log_appears_while_the_build_runs(site: Emulator, tmp_path: Path, package: Package) -> None:
    site.create("Live")
    work = Work(site, "Live", tmp_path / "work")
    commit = work.commit("requirements.txt", package.requirement)
    with work.pushing() as push:
        assert push.stderr is not None
        assert select.select([push.stderr], [], [], DEADLINE)[0]
        assert push.stderr.readline().rstrip() == f"remote: Building local/Live at {commit}"
        until(package.marker.exists)
        assert status(site, "Live", commit) == "in-progress"
        assert site.get("/v1/algorithms/local/Live")["version_info"]["git_hash"] == commit
        package.release.touch()
        rest = push.stderr.read()
    lines = [line.rstrip() for line in rest.splitlines()]
    assert (push.returncode, status(site, "Live", commit)) == (0, "failed")
    said = [line.removeprefix("remote: ") for line in lines if line.startswith("remote: ")]
    # uv itself removes escape sequences from the output of a build backend.
    assert (said[-1], any("not today" in line for line in said)) == ("Build failed", True)
    assert not set(rest) & set("\0\x1b")
    assert lines[-1] == f"   {work.run('rev-parse', 'HEAD~1').stdout[:7]}..{commit[:7]}  HEAD -> master"


@needs_git
def test_a_client_that_leaves_affects_neither_its_build_nor_other_pushes(site: Emulator, tmp_path: Path, package: Package) -> None:
    site.create("Left")
    work = Work(site, "Left", tmp_path / "work")
    commit = work.commit("requirements.txt", package.requirement)
    with work.pushing() as push:
        until(package.marker.exists)
        os.killpg(push.pid, signal.SIGINT)
    assert push.returncode != 0
    # The request is logged once the server has noticed that the client left.
    until(lambda: any(line["path"] == "/git/local/Left.git/git-receive-pack" for line in site.log()))
    second = site.push("Left", {"requirements.txt": ""})
    assert (status(site, "Left", commit), site.fetch("Left")[1]) == ("in-progress", second.encode())
    package.release.touch()
    assert (site.build_of("Left", commit)["status"], site.build_of("Left", second)["status"]) == ("failed", "succeeded")


@needs_git
def test_a_stopping_server_completes_the_push(tmp_path: Path, environments: Path, package: Package) -> None:
    """`emulator` asserts that the server's stderr is empty."""
    with emulator(tmp_path / "root", environments) as site:
        site.create("Stopped")
        work = Work(site, "Stopped", tmp_path / "work")
        work.commit("requirements.txt", package.requirement)
        with work.pushing() as push:
            until(package.marker.exists)
            assert site.stop(signal.SIGTERM) == 0
            assert push.stderr is not None
            said = push.stderr.read()
    assert push.returncode == 0, said
    assert "remote: The local cluster is stopping. It will build this commit again when it starts." in said


def posted(
    site: Emulator, name: str, capabilities: bytes, requirements: bytes = b""
) -> tuple[str, http.client.HTTPResponse, http.client.HTTPConnection]:
    """Send a push assembled by hand. Returns its commit, and the reply of which only the head is read."""
    repository, head = site.fetch(name)
    tree = store(repository, {"requirements.txt": requirements})
    commit = add_commit(repository, tree, [head])
    objects = [
        repository[commit],
        repository[tree],
        *(repository[entry.sha] for entry in git_object(repository, Tree, tree).items()),
    ]
    pack = io.BytesIO()
    write_pack_objects(pack, [(each, None) for each in objects], object_format=repository.object_format)
    body = pkt_line(head + b" " + commit + b" " + MASTER + b"\0" + capabilities) + pkt_line(None) + pack.getvalue()
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-git-receive-pack-request"}
    connection = site.connection()
    connection.request("POST", f"/git/local/{name}.git/git-receive-pack", body, headers)
    return commit.decode(), connection.getresponse(), connection


def test_the_report_comes_before_the_log(site: Emulator) -> None:
    site.create("Framed")
    commit, response, connection = posted(site, "Framed", b"report-status side-band-64k")
    with contextlib.closing(connection):
        packets = list(Protocol(response.read, lambda _: None).read_pkt_seq())
    report = pkt_line(b"unpack ok\n") + pkt_line(b"ok refs/heads/master\n") + pkt_line(None)
    assert packets[0] == b"\1" + report
    said = b"".join(packet[1:] for packet in packets[1:]).decode()
    assert ({packet[:1] for packet in packets[1:]}, said) == ({b"\2"}, site.logs("Framed", site.build_of("Framed", commit)))


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [(b"report-status", b"000eunpack ok\n0019ok refs/heads/master\n0000"), (b"", b"")],
    ids=["report", "nothing"],
)
def test_without_a_side_band_the_push_does_not_wait_for_the_build(
    site: Emulator, package: Package, capabilities: bytes, expected: bytes
) -> None:
    name = f"Less{len(capabilities)}"
    site.create(name)
    commit, response, connection = posted(site, name, capabilities, package.requirement.encode())
    with contextlib.closing(connection):
        assert response.read() == expected
    assert (status(site, name, commit), site.get(f"/v1/algorithms/local/{name}")["version_info"]["git_hash"]) == (
        "in-progress",
        commit,
    )


def test_a_push_by_algosync_does_not_wait_for_the_build(site: Emulator, package: Package) -> None:
    """algosync has its own deadline for builds."""
    site.create("Ours")
    cluster = Cluster(site.root, site.address, site.user, site.key, site.process)
    commit = cluster.push_behind("Ours", "requirements.txt", package.requirement.encode())
    assert status(site, "Ours", commit) == "in-progress"
