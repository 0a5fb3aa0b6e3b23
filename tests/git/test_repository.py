"""One repository over real sockets: pushed files are there, and the same push makes the same commit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from dulwich.refs import HEADREF, Ref

from algosync.core.error import Conflict, NotFound, SourceError, Unexpected
from algosync.core.tree import Blob, tree_id

if TYPE_CHECKING:
    from pathlib import Path

    from gitserver import GitServer

AUTHOR = "algosync <quality@algosync.invalid>"
TREE = {
    "algorithmia.conf": Blob(b'{"langauge": "python3"}'),
    "requirements.txt": Blob(b"numpy>=1,<2\n"),
    "src/Hello.py": Blob(b"def apply(input):\n    return input\n"),
    "src/run": Blob(b"#!/bin/sh\n", executable=True),
    "src/data.bin": Blob(bytes(range(256))),
    "src/ümläut/空.txt": Blob("é\r\n".encode()),
    "src.d": Blob(b""),
}
MAIN, MASTER = Ref(b"refs/heads/main"), Ref(b"refs/heads/master")
needs_git = pytest.mark.needs("git")


def test_an_empty_repository_has_no_head(server: GitServer) -> None:
    assert server.client().head() is None


def test_pushed_files_are_there(server: GitServer) -> None:
    ours = server.client()
    commit = ours.push(None, TREE, author=AUTHOR, message="Export Hello")
    assert ours.head() == commit
    assert server.client().head() == commit
    assert server.client().tree(commit) == TREE
    assert server.commit(commit).tree.decode() == tree_id(TREE)


def test_a_second_push_builds_on_the_first(server: GitServer) -> None:
    first = server.client().push(None, TREE, author=AUTHOR, message="1")
    changed = TREE | {"src/Hello.py": Blob(b"def apply(input):\n    return 2\n"), "src/new.py": Blob(b"")}
    del changed["src/data.bin"]
    ours = server.client()
    second = ours.push(first, changed, author=AUTHOR, message="2")
    made = server.commit(second)
    assert (made.parents, made.message) == ([first.encode()], b"2\n")
    assert (made.author, made.committer) == (AUTHOR.encode(), AUTHOR.encode())
    assert made.commit_time == server.commit(first).commit_time + 1
    assert server.client().tree(second) == changed
    assert server.client().tree(first) == TREE


def test_the_same_push_is_the_same_commit_and_is_sent_once(server: GitServer) -> None:
    first = server.client().push(None, TREE, author=AUTHOR, message="1")
    pushed = [server.client().push(first, TREE, author=AUTHOR, message="again") for _ in range(2)]
    assert pushed[0] == pushed[1] == server.client().head()
    assert server.requests.count("POST git-receive-pack") == 2


def test_an_empty_commit_is_pushed(server: GitServer) -> None:
    ours = server.client()
    first = ours.push(None, TREE, author=AUTHOR, message="1")
    second = ours.push(first, TREE, author=AUTHOR, message="settings changed")
    assert second != first
    assert server.client().head() == second
    assert server.client().tree(second) == TREE


def test_a_push_sends_only_what_the_server_lacks(server: GitServer) -> None:
    big = TREE | {"model": Blob(bytes(range(256)) * 40_000)}
    first = server.client().push(None, big, author=AUTHOR, message="1")
    server.client().push(first, big | {"src/Hello.py": Blob(b"2")}, author=AUTHOR, message="2")
    assert int(server.pushed["content-length"]) < 2000


def test_a_large_push_goes_in_pieces(server: GitServer) -> None:
    noise = b"".join(number.to_bytes(4, "big") for number in range(1 << 19))
    commit = server.client().push(None, {"noise": Blob(noise)}, author=AUTHOR, message="1")
    assert server.pushed.get("transfer-encoding") == "chunked"
    assert server.client().tree(commit) == {"noise": Blob(noise)}


def test_a_branch_moved_by_somebody_else_is_a_conflict(server: GitServer) -> None:
    first = server.client().push(None, TREE, author=AUTHOR, message="1")
    theirs = server.client().push(first, TREE | {"a": Blob(b"a")}, author=AUTHOR, message="theirs")
    with pytest.raises(Conflict):
        server.client().push(first, TREE | {"b": Blob(b"b")}, author=AUTHOR, message="ours")
    with pytest.raises(Conflict):
        server.client().push(None, TREE, author=AUTHOR, message="ours")
    assert server.client().head() == theirs


def test_a_branch_moved_between_reading_and_pushing_is_reported(server: GitServer) -> None:
    """git itself refuses such a push; dulwich's server reports `ok`, and our commit may be below the other one."""
    first = server.client().push(None, TREE, author=AUTHOR, message="1")
    ours = server.client()
    ours.tree(first)
    moved: list[str] = []

    def move(request: str) -> None:
        if request == "POST git-receive-pack" and not moved:
            moved.append("now")
            moved.append(server.client().push(first, TREE | {"a": Blob(b"a")}, author=AUTHOR, message="theirs"))

    server.before = move
    with pytest.raises((Conflict, Unexpected)) as caught:
        ours.push(first, TREE | {"b": Blob(b"b")}, author=AUTHOR, message="ours")
    assert (type(caught.value), caught.value.message) in (
        (Conflict, "the git server refused the push: failed to update ref"),
        (Unexpected, "the repository's branch was moved by somebody else during the push"),
    )
    assert server.client().head() == moved[1]


def test_the_default_branch_is_where_head_points_to(server: GitServer) -> None:
    first = server.client().push(None, {"other": Blob(b"")}, author=AUTHOR, message="1")
    repo = server.repo()
    repo.refs[MAIN] = repo.refs[MASTER]
    repo.refs.set_symbolic_ref(HEADREF, MAIN)
    ours = server.client()
    second = ours.push(ours.head(), TREE, author=AUTHOR, message="2")
    assert (repo.refs[MAIN].decode(), repo.refs[MASTER].decode()) == (second, first)


def test_a_missing_commit_is_not_found(server: GitServer) -> None:
    with pytest.raises(NotFound):
        server.client().tree("1" * 40)
    server.client().push(None, TREE, author=AUTHOR, message="1")
    with pytest.raises(NotFound):
        server.client().tree("1" * 40)
    with pytest.raises(ValueError, match="not a commit's id"):
        server.client().tree("master")


def test_links_and_submodules_survive_a_push(server: GitServer) -> None:
    kept = {
        "link": Blob(b"/etc/passwd", kind="symlink"),
        "module": Blob(b"2" * 40, kind="submodule"),
        "odd\udcff": Blob(b"no UTF-8"),
    }
    first = server.client().push(None, TREE | kept, author=AUTHOR, message="1")
    ours = server.client()
    there = ours.tree(first)
    assert there == TREE | kept
    second = ours.push(first, there | {"src/Hello.py": Blob(b"2")}, author=AUTHOR, message="2")
    assert server.client().tree(second) == TREE | kept | {"src/Hello.py": Blob(b"2")}


@needs_git
def test_the_git_binary_agrees(server: GitServer) -> None:
    first = server.client().push(None, TREE, author=AUTHOR, message="1")
    second = server.client().push(first, TREE | {"src/Hello.py": Blob(b"2")}, author=AUTHOR, message="2")
    assert server.git("fsck", "--strict", "--full") == ""
    assert server.git("log", "--format=%H %an <%ae> %cn %s").split("\n")[:2] == [
        f"{second} {AUTHOR} algosync 2",
        f"{first} {AUTHOR} algosync 1",
    ]
    listed = {line.split("\t")[1]: line.split()[0] for line in server.git("ls-tree", "-rz", first).split("\0")[:-1]}
    assert listed == {path: "100755" if blob.executable else "100644" for path, blob in TREE.items()}
    assert server.git("rev-parse", f"{first}^{{tree}}").strip() == tree_id(TREE)


@needs_git
def test_a_repository_with_deltas_is_read(server: GitServer) -> None:
    lines = [f"line {number} of a long file\n".encode() for number in range(2000)]
    commit, trees = None, []
    for step in range(12):
        lines[step * 100] = f"changed in step {step}\n".encode()
        trees.append(TREE | {"src/long.py": Blob(b"".join(lines)), f"src/{step}.py": Blob(b"".join(lines[:step]))})
        commit = server.client().push(commit, trees[-1], author=AUTHOR, message=str(step))
    server.git("repack", "-adf", "--depth=50", "--window=50")
    deltas = [line for line in server.git("verify-pack", "-v", *_packs(server)).splitlines() if len(line.split()) == 7]
    assert len(deltas) > 10
    ids = server.git("rev-list", "--reverse", "HEAD").split()
    ours = server.client()
    assert [ours.tree(number) for number in ids] == trees


def _packs(server: GitServer) -> list[str]:
    return [str(path) for path in (server.repository / "objects/pack").glob("*.idx")]


@needs_git
def test_the_git_binary_can_push_and_we_read_it(server: GitServer, tmp_path: Path) -> None:
    work = tmp_path / "work"
    server.git("clone", "-q", str(server.repository), str(work))
    (work / "a").write_text("a")
    (work / "link").symlink_to("a")
    identity = ["-c", "user.name=a", "-c", "user.email=b"]
    subprocess.run(["git", "add", "."], cwd=work, check=True)
    subprocess.run(["git", *identity, "commit", "-qm", "theirs"], cwd=work, check=True)
    subprocess.run(["git", "push", "-q", "origin", "HEAD:master"], cwd=work, check=True)
    ours = server.client()
    head = ours.head()
    assert head is not None
    assert ours.tree(head) == {"a": Blob(b"a"), "link": Blob(b"a", kind="symlink")}


def test_invalid_names_in_a_repository_are_refused(server: GitServer) -> None:
    from dulwich.objects import Blob as GitBlob
    from dulwich.objects import Commit, Tree

    repo = server.repo()
    blob, tree, commit = GitBlob.from_string(b"x"), Tree(), Commit()
    tree.add(b"..", 0o100644, blob.id)
    commit.tree, commit.message, commit.author, commit.committer = tree.id, b"1", b"a <b>", b"a <b>"
    commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
    repo.object_store.add_objects([(o, None) for o in (blob, tree, commit)])
    repo.refs[MASTER] = commit.id
    with pytest.raises(SourceError, match="invalid name"):
        server.client().tree(commit.id.decode())
