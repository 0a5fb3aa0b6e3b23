"""Git over HTTP: files of a new repository, effects of a push, refused pushes."""

import gzip
import io
import json
import shutil
import signal
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.pack import write_pack_objects
from dulwich.protocol import pkt_line
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo
from emulated import MASTER, Emulator, add_commit, emulator, git_object, store, until

ZERO = b"0" * 40
Git = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("environment", "adk", "language"),
    [
        ("Python 3.8", True, "python3"),
        ("Python 2.7", False, "python-2.x-1"),
        ("Python 3.7 + PyTorch 1.7.x", False, "python-3.x-1"),
    ],
)
def test_the_template_of_a_new_repository(site: Emulator, environment: str, adk: bool, language: str) -> None:
    name = "Template" + "".join(filter(str.isalnum, environment))
    site.create(name, environment)
    files = site.files(name)
    expected = {"algorithmia.conf", "requirements.txt", "src/__init__.py", f"src/{name}.py", f"src/{name}_test.py"}
    assert set(files) == expected | ({".adk"} if adk else set())
    assert json.loads(files["algorithmia.conf"]) == {"username": "local", "algoname": name, "langauge": language}
    assert (b"ADK" in files[f"src/{name}.py"]) is adk
    repository, head = site.fetch(name)
    first = git_object(repository, Commit, head)
    assert first.message == b"Algorithmia initial commit"
    assert first.parents == []


def test_the_template_can_be_downloaded_without_a_key(site: Emulator) -> None:
    found = site.get("/v1/algorithm-environments/edge/languages/python3/environments")["environments"]
    base = "/v1/algorithm-environments/edge/environment-specifications"
    for each in found:
        reply = site.request(
            "GET", f"{base}/{each['environment_specification_id']}/template", key="", headers={"Authorization": ""}
        )
        with tarfile.open(fileobj=io.BytesIO(reply.body)) as archive:
            assert "src/__ALGO__.py" in archive.getnames()
    assert site.request("GET", f"{base}/none/template").status == 404


def test_a_push_starts_one_build_and_is_visible_when_it_returns(site: Emulator) -> None:
    site.create("Pushed")
    repository, head = site.fetch("Pushed")
    tree = git_object(repository, Commit, head).tree
    commits = [head]
    for number in range(3):
        commits.append(add_commit(repository, tree, [commits[-1]], f"commit {number}"))
    site.send("Pushed", repository, head, commits[-1])
    current = site.get("/v1/algorithms/local/Pushed")
    assert current["version_info"]["git_hash"] == commits[-1].decode()
    assert current["build"]["commit_sha"] == commits[-1].decode()
    site.build_of("Pushed", commits[-1].decode())
    builds = site.get("/v1/algorithms/local/Pushed/builds")["results"]
    assert [build["commit_sha"] for build in builds] == [commits[-1].decode()]


def test_other_branches_are_not_built(site: Emulator) -> None:
    site.create("Branched")
    repository, head = site.fetch("Branched")
    commit = add_commit(repository, git_object(repository, Commit, head).tree, [head])
    site.send("Branched", repository, ZERO, commit, Ref(b"refs/heads/feature"))
    assert site.fetch("Branched")[1] == head
    assert site.get("/v1/algorithms/local/Branched/builds")["results"] == []


def refusal(site: Emulator, name: str, repository: MemoryRepo, new: ObjectID, ref: Ref = MASTER) -> str | None:
    """The server's reason for refusing an update of a ref."""
    _, head = site.fetch(name)
    return (site.send(name, repository, head, new, ref).ref_status or {}).get(ref)


def test_forbidden_updates_of_refs(site: Emulator) -> None:
    site.create("Strict")
    first = site.push("Strict", {"file": "1"}).encode()
    repository, head = site.fetch("Strict")
    assert head == first
    root = git_object(repository, Commit, head).parents[0]
    rewritten = add_commit(repository, store(repository, {"file": b"2"}), [root])
    assert refusal(site, "Strict", repository, rewritten) == "non-fast-forward"
    orphan = add_commit(repository, store(repository, {"file": b"3"}), [])
    assert refusal(site, "Strict", repository, orphan) == "non-fast-forward"
    fine = add_commit(repository, git_object(repository, Commit, head).tree, [head])
    assert refusal(site, "Strict", repository, fine, Ref(b"refs/notes/x")) == "funny refname"
    assert refusal(site, "Strict", repository, fine, Ref(b"refs/heads/a..b")) == "funny refname"
    assert site.fetch("Strict")[1] == head
    site.build_of("Strict", first.decode())
    assert len(site.get("/v1/algorithms/local/Strict/builds")["results"]) == 1


def receive(site: Emulator, name: str, commands: list[tuple[bytes, bytes, bytes]], pack: bytes = b"") -> bytes:
    """Send a push assembled by hand; returns the reply."""
    lines = [old + b" " + new + b" " + ref for old, new, ref in commands]
    lines[0] += b"\0report-status"
    body = b"".join(map(pkt_line, lines)) + pkt_line(None) + pack
    reply = site.request("POST", f"/git/local/{name}.git/git-receive-pack", body, git_headers(site, "git-receive-pack"))
    assert reply.status == 200
    return reply.body


def git_headers(site: Emulator, service: str) -> dict[str, str]:
    import base64

    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    return {"Authorization": f"Basic {credentials}", "Content-Type": f"application/x-{service}-request"}


def test_stale_and_malformed_pushes(site: Emulator) -> None:
    site.create("Stale")
    repository, head = site.fetch("Stale")
    site.push("Stale", {"file": "1"})
    moved = site.fetch("Stale")[1]
    new = add_commit(repository, git_object(repository, Commit, head).tree, [head])
    empty = b"PACK\0\0\0\2\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"
    assert b"ng refs/heads/master fetch first" in receive(site, "Stale", [(head, new, MASTER)], empty)
    assert b"ng refs/heads/master missing necessary objects" in receive(site, "Stale", [(moved, new, MASTER)], empty)
    assert b"ng refs/heads/master deletion of the current branch" in receive(site, "Stale", [(moved, ZERO, MASTER)])
    for broken in (b"", b"garbage", empty[:-1] + b"\0", b"PACK\0\0\0\2\xff\xff\xff\xff" + b"x" * 40):
        assert b"ng refs/heads/master unpacker error" in receive(site, "Stale", [(moved, new, MASTER)], broken)
    headers = git_headers(site, "git-receive-pack")
    path = "/git/local/Stale.git/git-receive-pack"
    assert site.request("POST", path, b"zzzz", headers).status == 400
    assert site.request("POST", path, b"0010hello world!", headers).status == 400
    assert site.request("POST", path, b"0000", {**headers, "Content-Type": "text/plain"}).status == 415
    assert site.request("POST", path, b"0000", headers).status == 200
    assert site.fetch("Stale")[1] == moved


def test_incomplete_commits_are_refused(site: Emulator) -> None:
    """A pack that lacks a file, a tree or a parent would break the branch for everyone."""
    site.create("Halved")
    repository, head = site.fetch("Halved")
    unknown = ObjectID(b"1" * 40)
    lost = Tree()
    lost.add(b"file", 0o100644, unknown)
    outer = Tree()
    outer.add(b"folder", 0o040000, unknown)
    whole = git_object(repository, Commit, head).tree
    for tree in (lost, outer):
        repository.object_store.add_object(tree)
    commits = [
        add_commit(repository, lost.id, [head]),
        add_commit(repository, outer.id, [head]),
        add_commit(repository, unknown, [head]),
        add_commit(repository, whole, [head, unknown]),
        add_commit(repository, whole, [head, lost.id]),
    ]
    for number, commit in enumerate(commits):
        for old, ref in ((head, MASTER), (ZERO, b"refs/heads/new%d" % number)):
            objects = [(repository[sha], None) for sha in {commit, git_object(repository, Commit, commit).tree} - {unknown}]
            pack = io.BytesIO()
            write_pack_objects(pack, objects, object_format=repository.object_format)
            reply = receive(site, "Halved", [(old, commit, ref)], pack.getvalue())
            assert b"ng " + ref + b" missing necessary objects" in reply
    assert site.fetch("Halved")[1] == head
    blob = repository.object_store[whole]
    assert refusal(site, "Halved", repository, blob.id) == "cannot update a branch to a non-commit object"


def test_zipped_requests(site: Emulator) -> None:
    site.create("Zipped")
    headers = git_headers(site, "git-upload-pack")
    head = site.fetch("Zipped")[1]
    capabilities = b" side-band-64k ofs-delta thin-pack\n"
    body = pkt_line(b"want " + head + capabilities) + pkt_line(None) + pkt_line(b"done\n")
    path = "/git/local/Zipped.git/git-upload-pack"
    plain = site.request("POST", path, body, headers)
    zipped = site.request("POST", path, gzip.compress(body), {**headers, "Content-Encoding": "gzip"})
    assert plain.status == 200
    assert b"PACK" in plain.body
    assert zipped.body == plain.body
    assert site.request("POST", path, body, {**headers, "Content-Encoding": "gzip"}).status == 400


def test_repositories_that_are_not_served(site: Emulator) -> None:
    headers = git_headers(site, "git-upload-pack")
    for path, status in (
        ("/git/local/Unknown.git/info/refs?service=git-upload-pack", 404),
        ("/git/other/Unknown.git/info/refs?service=git-upload-pack", 403),
        ("/git/local/..%2f..%2fx.git/info/refs?service=git-upload-pack", 404),
        ("/git/local/Unknown.git/HEAD", 404),
    ):
        assert site.request("GET", path, headers=headers).status == status, path
    site.create("Smart")
    assert site.request("GET", "/git/local/Smart.git/info/refs", headers=headers).status == 403


def hostile_tree(repository: MemoryRepo, name: bytes, mode: int, content: bytes = b"x") -> ObjectID:
    blob = Blob.from_string(content)
    repository.object_store.add_object(blob)
    tree = Tree()
    tree.add(name, mode, blob.id)
    repository.object_store.add_object(tree)
    return tree.id


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (b"..", 0o100644),
        (b".GIT", 0o100644),
        (b"a\\b", 0o100644),
        (b"\xff\x07", 0o100644),
        (b"a\nb", 0o100644),
        (b"link", 0o120000),
        (b"sub", 0o160000),
    ],
)
def test_hostile_trees_are_not_checked_out(site: Emulator, name: bytes, mode: int) -> None:
    algorithm = f"Hostile{name.hex()}"
    site.create(algorithm)
    repository, head = site.fetch(algorithm)
    commit = add_commit(repository, hostile_tree(repository, name, mode, b"/etc/passwd"), [head])
    site.send(algorithm, repository, head, commit)
    build = site.build_of(algorithm, commit.decode())
    assert build["status"] == "failed"
    source = site.root / "builds" / build["build_id"] / "src"
    assert list(source.iterdir()) == []
    assert site.logs(algorithm, build).endswith("Build failed\n")


def test_exponentially_expanding_trees_are_not_checked_out(site: Emulator) -> None:
    """Each tree has ten entries for the same next tree: 10^40 folders in all, and no file."""
    site.create("Endless")
    repository, head = site.fetch("Endless")
    tree = Tree()
    for _ in range(40):
        repository.object_store.add_object(tree)
        below, tree = tree, Tree()
        for number in range(10):
            tree.add(b"%d" % number, 0o040000, below.id)
    repository.object_store.add_object(tree)
    commit = add_commit(repository, tree.id, [head])
    site.send("Endless", repository, head, commit)
    build = site.build_of("Endless", commit.decode())
    assert site.logs("Endless", build).endswith("The source has more than 100000 files and folders\nBuild failed\n")


def test_deleting_an_algorithm_stops_its_checkout(site: Emulator) -> None:
    site.create("Deleted")
    repository, head = site.fetch("Deleted")
    tree, blob = Tree(), Blob.from_string(b"x")
    for number in range(50_000):
        tree.add(b"%d" % number, 0o100644, blob.id)
    for each in (tree, blob):
        repository.object_store.add_object(each)
    commit = add_commit(repository, tree.id, [head])
    site.send("Deleted", repository, head, commit)
    [build] = site.get("/v1/algorithms/local/Deleted/builds")["results"]
    folder = site.root / "builds" / build["build_id"]
    until((folder / "src" / "1").exists)
    assert site.request("DELETE", "/v1/algorithms/local/Deleted").status == 204
    assert not folder.exists()
    # The next build can start.
    site.deploy("Next", "def apply(input):\n    return 1\n")
    assert not folder.exists()


def test_checkouts_keep_only_the_executable_bit(site: Emulator) -> None:
    site.create("Modes")
    repository, head = site.fetch("Modes")
    commit = add_commit(repository, hostile_tree(repository, b"run", 0o104777), [head])
    site.send("Modes", repository, head, commit)
    build = site.build_of("Modes", commit.decode())
    mode = stat.S_IMODE((site.root / "builds" / build["build_id"] / "src" / "run").stat().st_mode)
    assert mode == 0o700


def test_an_acknowledged_push_survives_a_kill(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as own:
        own.create("Durable")
        commit = own.push("Durable", {"file": b"x" * 200_000})
        own.stop(signal.SIGKILL)
    with emulator(own.root, environments) as again:
        assert again.fetch("Durable")[1] == commit.encode()
        assert again.files("Durable")["file"] == b"x" * 200_000


@pytest.fixture
def git(site: Emulator, tmp_path: Path) -> Git:
    """Runs the git program, with credentials for the cluster and its own configuration."""
    program = shutil.which("git")
    assert program
    (tmp_path / "config").write_text("[user]\n\tname = Test\n\temail = test@localhost\n")
    url = urlsplit(site.address)
    (tmp_path / "credentials").write_text(f"http://{site.user}:{site.key}@{url.netloc}\n")

    def run(*arguments: str, folder: Path = tmp_path, code: int = 0) -> subprocess.CompletedProcess[str]:
        helper = f"credential.helper=store --file={tmp_path / 'credentials'}"
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": str(tmp_path / "config")}
        environ |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "PATH": str(Path(program).parent) + ":/usr/bin:/bin"}
        command = [program, "-c", helper, *arguments]
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.mark.needs("git")
def test_the_real_git(site: Emulator, git: Git, tmp_path: Path) -> None:
    site.create("Real")
    url = f"{site.address}/git/local/Real.git"
    assert git("ls-remote", "--symref", url, "HEAD").stdout.startswith("ref: refs/heads/master\tHEAD\n")
    git("clone", url, "work")
    work = tmp_path / "work"
    assert git("symbolic-ref", "HEAD", folder=work).stdout == "refs/heads/master\n"
    (work / "big.bin").write_bytes(bytes(range(256)) * 4 + (tmp_path / "config").read_bytes() + random_bytes(6_000_000))
    git("add", "-A", folder=work)
    git("commit", "-m", "big", folder=work)
    git("push", "origin", "master", folder=work)
    commit = git("rev-parse", "HEAD", folder=work).stdout.strip()
    assert site.get("/v1/algorithms/local/Real")["version_info"]["git_hash"] == commit
    git("fsck", "--strict", folder=work)
    git("reset", "--hard", "HEAD~1", folder=work)
    git("commit", "--allow-empty", "-m", "rewritten", folder=work)
    refused = git("push", "--force", "origin", "master", folder=work, code=1)
    assert "! [remote rejected] master -> master (non-fast-forward)" in refused.stderr
    git("push", "origin", "HEAD:refs/heads/feature", folder=work)
    git("push", "origin", "--delete", "feature", folder=work)
    git("push", "origin", "--delete", "master", folder=work, code=1)
    site.build_of("Real", commit)
    assert len(site.get("/v1/algorithms/local/Real/builds")["results"]) == 1


@pytest.mark.needs("git")
def test_shallow_clones_can_push(site: Emulator, git: Git, tmp_path: Path) -> None:
    site.create("Shallow")
    site.push("Shallow", {"file": "1"})
    git("clone", "--depth=1", f"{site.address}/git/local/Shallow.git", "shallow")
    work = tmp_path / "shallow"
    assert git("rev-list", "--count", "HEAD", folder=work).stdout == "1\n"
    (work / "file").write_text("2")
    git("commit", "-am", "two", folder=work)
    git("push", "origin", "master", folder=work)
    commit = git("rev-parse", "HEAD", folder=work).stdout.strip()
    assert site.fetch("Shallow")[1] == commit.encode()
    git("fetch", "--unshallow", folder=work)
    assert git("rev-list", "--count", "HEAD", folder=work).stdout == "3\n"
    assert site.build_of("Shallow", commit)["status"] in ("succeeded", "failed")


@pytest.mark.needs("git")
def test_wrong_credentials(site: Emulator, git: Git, tmp_path: Path) -> None:
    site.create("Secret")
    (tmp_path / "credentials").write_text(f"http://{site.user}:wrong@{site.host}\n")
    denied = git("ls-remote", f"{site.address}/git/local/Secret.git", code=128)
    assert "Authentication failed" in denied.stderr


def random_bytes(count: int) -> bytes:
    import random

    return random.Random(2).randbytes(count)
