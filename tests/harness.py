"""Base of the scenarios: a real cluster process, and algosync run as users run it, in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from documents import check_document, check_states
from forking import ForkedProcess, shared

from algosync.cluster.address import parse
from algosync.cluster.connection import Cluster as Connection
from algosync.cluster.connection import connect
from algosync.core.credential import credential
from algosync.core.tree import Blob
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import KeyFormat, new_key
from algosync.emulator.records.rights import Rights
from algosync.emulator.server.tls import authority
from algosync.git import Repository
from algosync.net import Net

__all__ = ["Cluster", "Workspace", "Writes", "certificate", "cluster_process", "lasting_port"]


@dataclass(frozen=True, slots=True)
class Writes:
    """The requests that changed something, as `METHOD path`. Calls of algorithms do not count."""

    lines: tuple[str, ...]

    def count(self, *parts: str) -> int:
        return sum(1 for line in self.lines if all(part in line for part in parts))


@dataclass
class Cluster:
    """A cluster that keeps running whatever its users do. `ca_cert` is set if it serves TLS."""

    root: Path
    url: str
    user: str
    key: str
    process: subprocess.Popen[bytes] | subprocess.Popen[str] | ForkedProcess
    ca_cert: Path | None = None

    def environ(self, side: str = "DESTINATION") -> dict[str, str]:
        named = {f"{side}_API_ADDRESS": self.url, f"{side}_API_KEY": self.key}
        return {**named, f"{side}_CA_CERT": str(self.ca_cert)} if self.ca_cert else named

    def api(self) -> Connection:
        """Our own client, to inspect the cluster and to change it without algosync's knowledge."""
        return connect(
            parse(self.url, "test"),
            credential(self.key, "test"),
            Net(),
            ca_cert=str(self.ca_cert) if self.ca_cert else None,
        )

    def add_key(
        self,
        user: str | None = None,
        *,
        read_only: bool = False,
        management: bool = True,
        call: bool = True,
        expires_in: float | None = None,
        form: str = "plain",
    ) -> str:
        """Add a key for a user, who is created if missing. `expires_in` seconds may be negative."""
        with closing(Database(self.root / "cluster.sqlite")) as database:
            accounts, user = Accounts(database), user or self.user
            accounts.add_user(user)
            key = new_key(KeyFormat(form), user)
            expires_at = None if expires_in is None else time.time() + expires_in
            accounts.add_key(user, key, Rights(write=not read_only, call=call, management=management), expires_at)
        return key

    def join(self, organization: str, user: str | None = None) -> None:
        """Make a user a member of an organization; both are created if missing."""
        with closing(Database(self.root / "cluster.sqlite")) as database:
            accounts, user = Accounts(database), user or self.user
            accounts.add_user(user)
            accounts.join(user, organization)

    def repository(self, algorithm: str) -> Repository:
        api = self.api()
        return Repository(f"{self.url}/git/{self.user}/{algorithm}.git", self.user, api.wire.credential, api.wire.host)

    def push_behind(self, algorithm: str, path: str, data: bytes) -> str:
        repository = self.repository(algorithm)
        head = repository.head()
        assert head is not None
        files = {**repository.tree(head), path: Blob(data)}
        return repository.push(head, files, author="Somebody <else@localhost>", message="behind your back")

    def requests(self) -> list[Mapping[str, object]]:
        lines = (self.root / "requests.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @contextmanager
    def writes(self) -> Iterator[Writes]:
        """Collect the writes while the body runs; `lines` is complete when the body ends."""
        before = len(self.requests())
        seen = Writes(())
        yield seen
        object.__setattr__(seen, "lines", tuple(_writes(self.requests()[before:])))


def _writes(requests: list[Mapping[str, object]]) -> Iterator[str]:
    for request in requests:
        method, path = str(request["method"]), str(request["path"])
        reading = method in ("GET", "HEAD") and "git-receive-pack" not in path
        harmless = method == "POST" and (path.startswith("/v1/algo/") or "git-upload-pack" in path)
        if not reading and not harmless:
            yield f"{method} {path}"


def certificate(path: Path, root: Path, names: Sequence[str] = ("localhost", "127.0.0.1"), days: float = 1) -> Path:
    """Create a certificate of the authority of the cluster in `root`, which may not have run yet; expired if `days` is negative."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return authority(root / "tls", names).issue(path, names, days)


def lasting_port() -> int:
    """A free port below those that the system gives to sockets that ask for any. So nobody else gets it, before a server starts or
    between two starts.
    """
    any_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    lowest = 10_000 if any_from > 20_000 else 1025
    while True:
        port = lowest + secrets.randbelow(any_from - lowest)  # `random` may have the same seed in all processes of a run
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def cluster_process(root: Path, user: str = "local", **options: object) -> Iterator[Cluster]:
    """Start a cluster, as a fork. Options become those of `python -m algosync.emulator`: `tls=True`, `certificate=PATH`, `port=N`,
    `faults=PATH`.
    """
    arguments = [str(root), "--user", user]
    for name, value in options.items():
        if value is not None and value is not False:
            arguments += [f"--{name.replace('_', '-')}"] if value is True else [f"--{name.replace('_', '-')}", str(value)]
    process, out = shared().start_cluster(arguments)
    try:
        while not out.exists() or not (line := out.read_text()).endswith("\n"):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
                raise AssertionError("the cluster has ended")
        assert line.startswith("Serving "), line
        document = json.loads((root / "cluster.json").read_text())
        ca_cert = document["ca_cert"] and Path(document["ca_cert"])
        if "certificate" in options:
            ca_cert = root / "tls" / "ca.pem"  # the authority that signs what `certificate` creates
        yield Cluster(root, document["address"], document["user"], document["key"], process, ca_cert)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.close()


PLAIN = "def apply(input):\n    return {'got': input, 'version': 1}\n"


@dataclass
class Workspace:
    """A user's folder: a workflow, its sources, its data and its state.

    Commands run in forks of one process that has imported algosync. `interpreter`: each command starts its own interpreter, as
    users' commands do.
    """

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    interpreter: bool = False

    def algorithm(self, name: str, code: str = PLAIN, requirements: str = "") -> None:
        """Write one algorithm's source into the folder beside the workflow, in the plain `apply` layout."""
        source = self.folder / "algorithms" / name / "src"
        source.mkdir(parents=True, exist_ok=True)
        (source / "__init__.py").write_text("")
        (source / f"{name}.py").write_text(code)
        (source.parent / "requirements.txt").write_text(requirements)

    def data(self, collection: str, name: str, content: bytes) -> str:
        """Write a file of the `file://` source beside the workflow. Return its URI."""
        folder = self.folder / "source" / "quality" / collection
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return f"data://.my/{collection}/{name}"

    def settle_source(self) -> None:
        """Wait until the stamps of the source's files are trusted."""
        time.sleep(2.1)  # the change time of a file cannot be set

    def write(self, algorithms: list[dict[str, object]], **more: object) -> None:
        document = {"source_info": {"cluster_address": "file://source"}, **more, "algorithms": algorithms}
        (self.folder / "workflow.json").write_text(json.dumps(document, indent=2))

    def run(
        self, *arguments: str, environ: Mapping[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        whole = self.environment(environ)
        done = None if self.interpreter else shared().run_if_possible(self.folder, whole, *arguments, timeout=timeout)
        if done is not None:
            return subprocess.CompletedProcess(arguments, done.code, done.out, done.err)
        return subprocess.run(
            [sys.executable, "-m", "algosync", *arguments],
            cwd=self.folder,
            env=whole,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The machine's environment without variables that affect algosync, plus the workspace's own."""
        own = ("DESTINATION_", "SOURCE_", "ALGOSYNC_", "GITHUB_", "WORKFLOW_NAME")
        machine = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        package = str(Path(__file__).resolve().parent.parent)
        return {
            **machine,
            "PYTHONPATH": package,
            "COLUMNS": "200",
            "ALGOSYNC_KEEP_DIR": str(self.folder / "kept"),
            **self.environ,
            **(more or {}),
        }

    def started(self, until: str) -> subprocess.Popen[str]:
        """Start an apply and return when it prints a line that starts with `until`. It is killed after five minutes."""
        process = subprocess.Popen(
            [sys.executable, "-m", "algosync", "apply", "--auto-approve"],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        timer = threading.Timer(300, process.kill)
        timer.start()
        assert process.stderr is not None
        shown = []
        for line in process.stderr:
            shown.append(line)
            if line.startswith(until):
                timer.cancel()
                return process
        timer.cancel()
        raise AssertionError("".join(shown))

    def waiting_algorithm(self, name: str) -> Callable[[], None]:
        """Write an algorithm that does not reply until the returned function is called.

        It waits at a port, because a jail hides the files of the test.
        """
        door = socket.create_server(("127.0.0.1", 0))
        wait = f"socket.create_connection({door.getsockname()}).recv(1)"
        code = (
            f"import socket\n\n\ndef apply(input):\n    try:\n        {wait}\n    except OSError:\n        pass\n    return input\n"
        )
        self.algorithm(name, code)
        return door.close

    def apply(self, *arguments: str, code: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Run an apply that must end with that exit code. Return both streams."""
        done = self.run("apply", "--auto-approve", *arguments, environ=environ)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        if code == 0:
            check_states(self.folder / "state")
        return done.stdout + done.stderr

    def plan(self, *arguments: str) -> dict[str, object]:
        done = self.run("plan", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        document: dict[str, object] = json.loads(done.stdout)
        check_document("plan", document)
        return document

    def actions(self, *arguments: str) -> dict[str, str]:
        """Return the planned actions by address, without resources that need none."""
        changes = self.plan(*arguments)["resource_changes"]
        assert isinstance(changes, list)
        found = {change["address"]: change["change"]["actions"][0] for change in changes}
        return {address: action for address, action in found.items() if action != "no-op"}
