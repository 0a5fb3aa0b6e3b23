"""Writes that fail, or that a kill ends, leave nothing that makes a later one fail."""

import asyncio
import io
import logging
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dulwich.errors import GitProtocolError
from dulwich.objects import Blob, Commit, Tree
from dulwich.pack import write_pack_objects
from dulwich.protocol import pkt_line
from dulwich.refs import Ref
from emulated import Emulator, start

from algosync.emulator.git.receive_pack import receive
from algosync.emulator.git.repositories import MASTER, Repositories
from algosync.emulator.records.builds import SUCCEEDED, BuildRecord
from algosync.emulator.running import builder as builder_module
from algosync.emulator.running.builder import Builder

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # dulwich cannot close its files

LEFT = (
    "refs/heads/master.lock",
    "packed-refs.lock",
    "objects/pack/pack-1.idx.lock",
    "objects/pack/pack-1.pack",
    "objects/ab/c.lock",
)


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    made = Repositories(tmp_path / "git")
    made.create("any", "local", {"README.md": b"text"})
    return made


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Make writes of this process fail beyond `size` bytes of a file, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def push(repositories: Repositories, content: bytes, ref: bytes = MASTER) -> list[bytes]:
    """Push one commit with one file. Returns the refs that have moved."""
    with repositories.changing("any") as repository:
        blob, tree, commit = Blob.from_string(content), Tree(), Commit()
        tree.add(b"file", 0o100644, blob.id)
        old = repository.refs[MASTER]
        commit.tree, commit.parents, commit.message = tree.id, [old], content[:9]
        commit.author = commit.committer = b"Test <test@localhost>"
        commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
        body = io.BytesIO()
        body.write(pkt_line((old if ref == MASTER else b"0" * 40) + b" " + commit.id + b" " + ref + b"\0report-status"))
        body.write(pkt_line(None))
        write_pack_objects(body, [(each, None) for each in (blob, tree, commit)], object_format=repository.object_format)
        body.seek(0)
        return [update.ref for update in receive(repository, body).moved]


def leftovers(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    packs = [path for path in files if path.suffix == ".pack" and not path.with_suffix(".idx").exists()]
    return sorted(str(path.relative_to(folder)) for path in files if path.suffix == ".lock" or "tmp" in path.name or path in packs)


def test_leftovers_of_a_killed_server_are_removed(repositories: Repositories, tmp_path: Path) -> None:
    folder = tmp_path / "git" / "any.git"
    for name in LEFT:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"half")
    Repositories(tmp_path / "git").sweep({"any"})
    assert leftovers(folder) == []
    assert push(repositories, b"content") == [MASTER]


@pytest.mark.parametrize("size", [0, 8, 40, 60, 600, 1100])
def test_a_push_that_cannot_be_written_leaves_nothing(repositories: Repositories, tmp_path: Path, size: int) -> None:
    """The pack, its index and the ref fail at different sizes."""
    content = bytes(range(256))
    with largest_file(size):
        assert push(repositories, content) == []
    assert leftovers(tmp_path / "git" / "any.git") == []
    assert push(repositories, content) == [MASTER]


def test_a_ref_that_cannot_be_written_leaves_no_lock(repositories: Repositories, tmp_path: Path) -> None:
    assert push(repositories, b"content", b"refs/heads/other") == [b"refs/heads/other"]

    def move() -> None:
        with repositories.changing("any") as repository:
            repository.refs.set_if_equals(MASTER, repository.refs[MASTER], repository.refs[Ref(b"refs/heads/other")])

    with largest_file(8), pytest.raises(OSError, match="too large"):
        move()
    assert leftovers(tmp_path / "git" / "any.git") == []


def test_a_repository_that_cannot_be_created_leaves_nothing(repositories: Repositories, tmp_path: Path) -> None:
    with largest_file(30), pytest.raises(OSError, match="too large"):
        repositories.create("other", "local", {"README.md": b"text"})
    assert [path.name for path in (tmp_path / "git").iterdir()] == ["any.git"]


class FullBuilds:
    """Records of builds on a disk that is full for the first attempts."""

    def __init__(self) -> None:
        self.attempts = 0
        self.finished: list[str] = []

    def finish(self, _: BuildRecord, status: str) -> None:
        self.attempts += 1
        if self.attempts < 3:
            raise sqlite3.OperationalError("database or disk is full")
        self.finished.append(status)


def test_the_end_of_a_build_is_recorded_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(builder_module, "RETRY_SECONDS", 0)
    builds = FullBuilds()
    catalog: Any = SimpleNamespace(builds=builds)
    unused: Any = None

    async def run() -> None:
        build = BuildRecord(1, "id", "algorithm", "0" * 40, "version", "in-progress", "", None)
        await Builder(tmp_path / "builds", catalog, unused, unused, unused)._finish(build, SUCCEEDED)

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert (builds.attempts, builds.finished) == (3, [SUCCEEDED])
    assert "cannot be recorded yet: database or disk is full" in caplog.text


def test_a_build_of_a_pushed_commit_starts_once_there_is_room(tmp_path: Path, environments: Path) -> None:
    site = start(tmp_path / "root", environments)
    try:
        site.create("Late")
        _limit_database(site, full=True)
        with pytest.raises(GitProtocolError, match="500"):
            site.push("Late", {"new": "1"})
        assert site.get("/v1/algorithms/local/Late/builds")["results"] == []
        _limit_database(site, full=False)
        head = site.fetch("Late")[1].decode()
        assert site.build_of("Late", head)["status"] == "succeeded"
    finally:
        site.stop()


def _limit_database(site: Emulator, *, full: bool) -> None:
    """With `full`, make new builds fail as on a full disk, else undo this."""
    trigger = "CREATE TRIGGER full BEFORE INSERT ON builds BEGIN INSERT INTO missing VALUES (1); END"
    connection = sqlite3.connect(site.root / "cluster.sqlite")
    with connection:
        connection.execute(trigger if full else "DROP TRIGGER full")
    connection.close()
