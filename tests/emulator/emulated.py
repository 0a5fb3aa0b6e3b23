"""A cluster process, and the ways in which tests talk to it: raw HTTP, the official client, dulwich."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from dulwich.client import HttpGitClient, SendPackResult
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.protocol import CAPABILITY_SIDE_BAND_64K
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo

from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import new_key
from algosync.emulator.records.rights import EVERYTHING, Rights

DEADLINE = 300
MASTER = Ref(b"refs/heads/master")
SETTINGS = {
    "source_visibility": "closed",
    "license": "apl",
    "network_access": "full",
    "pipeline_enabled": True,
}
WITHOUT_JAIL = Path(__file__).with_name("without_jail")
"""A folder whose `bwrap` does not work, for the first place in a PATH."""
ADK = "algorithmia>=1.0.0,<2.0\nsix\n"
"""The requirements of the template, installed once for all tests."""


_Kind = TypeVar("_Kind", bound=ShaFile)


@dataclass(frozen=True)
class Reply:
    """A reply: status, headers with names in lower case, complete body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Emulator:
    """A running cluster, used from outside."""

    root: Path
    process: subprocess.Popen[str]
    address: str
    user: str
    key: str
    ca_cert: str | None = None
    admin_key: str = ""
    owner: str = ""
    """The owner of the algorithms. By default it is the user."""

    def __post_init__(self) -> None:
        self.owner = self.owner or self.user

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    def connection(self) -> http.client.HTTPConnection:
        if self.ca_cert is None:
            return http.client.HTTPConnection(self.host, timeout=DEADLINE)
        context = ssl.create_default_context(cafile=self.ca_cert)
        return http.client.HTTPSConnection(self.host, timeout=DEADLINE, context=context)

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, key: str | None = None
    ) -> Reply:
        """Send one request with the user's key. An object as `body` is sent as JSON, an iterator in chunks."""
        sent = {"Authorization": f"Simple {self.key if key is None else key}", **(headers or {})}
        if isinstance(body, dict | list):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        connection = self.connection()
        with contextlib.closing(connection):
            connection.request(method, path, body, {name: text for name, text in sent.items() if text})
            response = connection.getresponse()
            content = response.read()
        return Reply(response.status, {name.lower(): text for name, text in response.getheaders()}, content)

    def get(self, path: str) -> Any:
        """The JSON of a reply, which must have status 200."""
        reply = self.request("GET", path)
        assert reply.status == 200, reply
        return reply.json

    def client(self, key: str | None = None) -> Any:
        """The official client."""
        import Algorithmia

        return Algorithmia.client(key or self.key, self.address, self.ca_cert)

    def environment(self, name: str = "Python 3.7") -> str:
        """The id of an environment by its display name."""
        language = "python2" if name == "Python 2.7" else "python3"
        found = self.get(f"/v1/algorithm-environments/edge/languages/{language}/environments")["environments"]
        return str(next(each["id"] for each in found if each["display_name"] == name))

    def create(self, name: str, environment: str = "Python 3.7", **settings: object) -> Any:
        """Create an algorithm."""
        chosen = {**SETTINGS, "algorithm_environment": self.environment(environment), **settings}
        reply = self.request("POST", f"/v1/algorithms/{self.owner}", {"name": name, "details": {"label": name}, "settings": chosen})
        assert reply.status == 200, reply
        return reply.json

    def git(self) -> HttpGitClient:
        pool = urllib3.PoolManager(ca_certs=self.ca_cert) if self.ca_cert else None
        client = HttpGitClient(self.address, username=self.user, password=self.key, pool_manager=pool)
        # With a side-band a push would last as long as the build that it starts.
        client._send_capabilities.discard(CAPABILITY_SIDE_BAND_64K)
        return client

    def fetch(self, name: str) -> tuple[MemoryRepo, ObjectID]:
        """The repository of an algorithm, and its head."""
        repository = MemoryRepo()
        refs = self.git().fetch(f"/git/{self.owner}/{name}.git", repository).refs
        head = refs[MASTER]
        assert head is not None
        return repository, head

    def files(self, name: str) -> dict[str, bytes]:
        """The files at the head of an algorithm."""
        repository, head = self.fetch(name)
        return dict(_contents(repository, git_object(repository, Commit, head).tree))

    def push(self, name: str, files: Mapping[str, str | bytes | None], message: str = "change") -> str:
        """Push one commit on top of the head that changes these files. None removes a file. Returns the commit's id."""
        repository, head = self.fetch(name)
        contents = dict(_contents(repository, git_object(repository, Commit, head).tree))
        for path, content in files.items():
            if content is None:
                contents.pop(path, None)
            else:
                contents[path] = content.encode() if isinstance(content, str) else content
        commit = add_commit(repository, store(repository, contents), [head], message)
        result = self.send(name, repository, head, commit)
        assert result.ref_status is None or result.ref_status.get(MASTER) is None, result.ref_status
        return commit.decode()

    def send(self, name: str, repository: MemoryRepo, old: bytes, new: ObjectID, ref: Ref = MASTER) -> SendPackResult:
        """Push a commit of an in-memory repository to a ref whose current value is `old`."""

        def update(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            return {ref: new}

        return self.git().send_pack(f"/git/{self.owner}/{name}.git", update, repository.object_store.generate_pack_data)

    def build_of(self, name: str, commit: str) -> Any:
        """The build of a commit, after it has finished."""

        def finished() -> Any:
            builds = self.get(f"/v1/algorithms/{self.owner}/{name}/builds")["results"]
            return next((b for b in builds if b["commit_sha"] == commit and b["status"] != "in-progress"), None)

        return until(finished)

    def logs(self, name: str, build: Any) -> str:
        return str(self.get(f"/v1/algorithms/{self.owner}/{name}/builds/{build['build_id']}/logs")["logs"])

    def deploy(
        self,
        name: str,
        source: str,
        requirements: str = "",
        environment: str = "Python 3.7",
        *,
        adk: bool = False,
        **settings: object,
    ) -> str:
        """Create an algorithm with this source and build it. Returns the path that calls its commit."""
        self.create(name, environment, **settings)
        files: dict[str, str | bytes | None] = {f"src/{name}.py": source, "requirements.txt": requirements}
        commit = self.push(name, files if adk else {**files, ".adk": None})
        build = self.build_of(name, commit)
        assert build["status"] == "succeeded", self.logs(name, build)
        return f"{self.owner}/{name}/{commit}"

    def publish(self, name: str, **body: object) -> Reply:
        return self.request("POST", f"/v1/algorithms/{self.owner}/{name}/versions", body)

    def call(self, reference: str, value: object, query: str = "", key: str | None = None) -> Any:
        """Call with a JSON value. Returns the whole reply."""
        headers = {"Content-Type": "application/json"}
        return self.request("POST", f"/v1/algo/{reference}{query}", json.dumps(value), headers, key).json

    def key_of(self, user: str, rights: Rights = EVERYTHING, expires_in: float | None = None) -> str:
        """Create a key of a user, who is created if missing."""
        with contextlib.closing(Database(self.root / "cluster.sqlite")) as database:
            accounts, key = Accounts(database), new_key()
            accounts.add_user(user)
            accounts.add_key(user, key, rights, None if expires_in is None else time.time() + expires_in)
        return key

    def acting(self, user: str, key: str, owner: str = "") -> Emulator:
        """The same cluster, as another user, for the algorithms of that user or of `owner`."""
        return dataclasses.replace(self, user=user, key=key, owner=owner or user)

    def join(self, user: str, organization: str) -> None:
        """Make a user a member of an organization. Both are created if missing."""
        with contextlib.closing(Database(self.root / "cluster.sqlite")) as database:
            Accounts(database).add_user(user)
            Accounts(database).join(user, organization)

    def log(self) -> list[Any]:
        return [json.loads(line) for line in (self.root / "requests.jsonl").read_text().splitlines()]

    def children(self) -> list[int]:
        """Running processes that this cluster has started."""
        return [pid for pid in _processes() if parent(pid) == self.process.pid]

    def descendants(self) -> set[int]:
        """Running processes that this cluster has started, and their descendants."""
        found, parents = {self.process.pid}, {pid: parent(pid) for pid in _processes()}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal. Returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


def start(
    root: Path, environments: Path, *options: str, environ: Mapping[str, str] | None = None, jailed: bool = False
) -> Emulator:
    """Start a server and wait until it serves. Unless `jailed`, algorithms can access the files of the test."""
    command = [sys.executable, "-m", "algosync.emulator", str(root), "--environments", str(environments), *options]
    path = {} if jailed else {"PATH": f"{WITHOUT_JAIL}:{os.environ['PATH']}"}
    with errors(root).open("ab") as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, **path, **(environ or {})}
        )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], DEADLINE)[0], "the server prints nothing"
    line = process.stdout.readline()
    document = json.loads((root / "cluster.json").read_text())
    assert line == f"Serving {document['address']}\n"
    return Emulator(
        root, process, document["address"], document["user"], document["key"], document["ca_cert"], document["admin_key"]
    )


@contextlib.contextmanager
def emulator(
    root: Path, environments: Path, *options: str, environ: Mapping[str, str] | None = None, jailed: bool = False
) -> Iterator[Emulator]:
    """Run a server while the body runs."""
    running = start(root, environments, *options, environ=environ, jailed=jailed)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
        if running.process.stdout:
            running.process.stdout.close()
    assert errors(root).read_text() == ""


def errors(root: Path) -> Path:
    """Stderr of the servers of a folder. It is empty unless they have a fault."""
    return root.with_name(root.name + ".stderr")


def until(found: Callable[[], Any]) -> Any:
    """The first true result of `found`, which is called repeatedly. The cluster has no other way to report builds and processes."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{found} did not come true within {DEADLINE} s")


def alive(pid: int) -> bool:
    return pid in _processes()


def command_line(pid: int) -> bytes:
    """The arguments of a process, each with a null byte behind it. Empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def within(root: Path) -> list[str]:
    """The processes that belong to a folder by their command, environment or working directory, workers and leashes included."""
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and str(root).encode() in _about(Path("/proc") / pid)]


def _about(process: Path) -> bytes:
    try:
        texts = [(process / name).read_bytes() for name in ("cmdline", "environ")]
        return b"\0".join([*texts, os.fsencode(os.readlink(process / "cwd"))])
    except OSError:
        return b""


def store(repository: MemoryRepo, files: Mapping[str, bytes]) -> ObjectID:
    """Put files into an in-memory repository. Returns the id of their tree."""
    tree = Tree()
    folders: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        folder, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(folder, {})[rest] = content
        else:
            blob = Blob.from_string(content)
            repository.object_store.add_object(blob)
            tree.add(path.encode(), 0o100644, blob.id)
    for folder, inside in folders.items():
        tree.add(folder.encode(), 0o040000, store(repository, inside))
    repository.object_store.add_object(tree)
    return tree.id


def add_commit(repository: MemoryRepo, tree: ObjectID, parents: list[ObjectID], message: str = "change") -> ObjectID:
    commit = Commit()
    commit.tree = tree
    commit.parents = parents
    commit.author = commit.committer = b"Test <test@localhost>"
    commit.author_time = commit.commit_time = int(time.time())
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.encode()
    repository.object_store.add_object(commit)
    return commit.id


def git_object(repository: MemoryRepo, kind: type[_Kind], sha: bytes) -> _Kind:
    """An object of a repository, which must be of this kind."""
    found = repository[sha]
    assert isinstance(found, kind)
    return found


def _contents(repository: MemoryRepo, tree: bytes, folder: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in git_object(repository, Tree, tree).iteritems():
        path = folder + entry.path.decode()
        if entry.mode == 0o040000:
            yield from _contents(repository, entry.sha, path + "/")
        else:
            yield path, git_object(repository, Blob, entry.sha).data


def _processes() -> list[int]:
    """Running processes, without zombies."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if _stat(pid)[:1] not in ([], ["Z"])]


def parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
