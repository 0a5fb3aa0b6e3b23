"""Local clusters: child processes, each with a folder. One lives as long as commands use it, or until it is stopped.

Every command holds a shared lock on one file while it works; the cluster waits for the exclusive one, gets it when nobody is left
(killed commands included), and ends. A second command joins the one that runs. `emulator start` leaves a mark in the folder, and
with that mark a cluster stays. Who starts or stops one holds another lock meanwhile, so that there is never more than one of them.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from algosync.core.error import Unreachable, UsageError
from algosync.core.names import LOCAL_CLUSTER_NAME
from algosync.core.secret import Secret
from algosync.core.text import printable, printable_lines
from algosync.emulator.server import server_lock

__all__ = [
    "KEPT",
    "LocalCluster",
    "folder",
    "is_local",
    "is_there",
    "joining",
    "launch",
    "locked",
    "named",
    "present",
    "running",
    "standing",
]

KEPT = "kept.json"
"""The mark of a cluster that stays."""

# Like `-m algosync.emulator`, but nothing is imported from the folder that the user happens to stand in.
_MAIN = "import sys; sys.path.append(sys.argv.pop(1)); from algosync.emulator.__main__ import main; sys.exit(main())"
_OURS = ("SOURCE_", "DESTINATION_", "ALGOSYNC_")  # other clusters' keys and variables: nothing for algorithms that run there to see
_START_WITHIN = 30.0  # seconds
_ANSWER_WITHIN = 30.0  # seconds
_LOOK_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A cluster that answers. Over TLS, `ca_cert` is the file of its authority, `ca_bundle` has those of the machine, too.

    `faults` is the file of what goes wrong there, `stances` are its answers where the evidence about real clusters is split,
    `told` is what it has to say about running code.
    """

    url: str
    key: Secret
    admin_key: Secret
    user: str
    pid: int
    started_at: str
    ca_cert: str | None
    ca_bundle: str | None
    faults: str | None
    stances: Mapping[str, object]
    told: str

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self.url.rpartition(":")[2])


def is_local(address: str) -> bool:
    """`local` or `local:NAME`. UsageError: the name cannot be one."""
    if address == "local":
        return True
    if not address.startswith("local:"):
        return False
    _check_name(address.removeprefix("local:"), address)
    return True


def folder(state: Path, name: str) -> Path:
    """Where a cluster of this name is kept. UsageError: the name cannot be one."""
    _check_name(name, name)
    return state.resolve() / "local" / name


def is_there(root: Path) -> bool:
    """Whether there is more than the locks that a reset leaves, and the log that a first start leaves when it fails."""
    return (root / "cluster.sqlite").exists() or (root.is_dir() and server_lock.taken(root))


def named(root: Path) -> str:
    """How a cluster is called where it was not found: by its name and where that was looked for."""
    return f"{root.name} in {printable(str(root.parent.parent))}"


@contextmanager
def running(address: str, state: Path) -> Iterator[LocalCluster]:
    """Joins the cluster, or starts it.

    Unreachable: it does not start, or not answer. UsageError: the extra `local` is not installed.
    """
    root = folder(state, address.partition(":")[2] or "default")
    with joining(root):
        with locked(root / "start.lock"):
            cluster = standing(root)
            if cluster is None:
                # Of a cluster that was to stay, but was killed: this one belongs to the commands that use it.
                (root / KEPT).unlink(missing_ok=True)
                cluster = launch(root, ["--until-unlocked", str(root / "users.lock")])
        yield cluster


@contextmanager
def joining(root: Path) -> Iterator[None]:
    """The cluster of this folder, where there is one, does not end by itself in the body. UsageError: the folder cannot be used."""
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise UsageError("the local cluster is not installed", hint="pip install 'algosync[local]'")
    try:
        for each in (root.parent.parent, root.parent, root):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        users = _opened(root / "users.lock")
    except OSError as error:
        raise UsageError(f"the local cluster cannot be kept in {printable(str(root))}: {error.strerror}") from None
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield
    finally:
        os.close(users)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else holds this lock file in the body."""
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def standing(root: Path) -> LocalCluster | None:
    """The cluster that has this folder; None: nobody has. Unreachable: somebody has who does not answer in time.

    One that is only slow keeps all that is its own: its mark, its log, its place.
    """
    deadline = time.monotonic() + _ANSWER_WITHIN
    while server_lock.taken(root):
        cluster = present(root, max(1.0, deadline - time.monotonic()))
        if cluster is not None:
            return cluster
        if time.monotonic() > deadline:
            pid = server_lock.owner(root)
            raise Unreachable(
                f"the local cluster {root.name} does not answer ({f'pid {pid}' if pid else 'another process has its folder'})",
                hint=f"its log is {printable(str(root / 'server.log'))}",
            )
        time.sleep(_LOOK_EVERY)
    return None


def present(root: Path, within: float = 5.0, *, pid: int | None = None) -> LocalCluster | None:
    """The cluster that runs on this folder, if it is the one that wrote the file, and answers within so many seconds.

    With a `pid` only that one: nobody is asked where another one was last, as that may be a stranger who does not answer.
    """
    import http.client

    if not server_lock.taken(root):
        return None
    try:
        document = json.loads((root / "cluster.json").read_text())
        if pid not in (None, document["pid"]):
            return None
        trusted = document.get("ca_cert") or document.get("ca_bundle")
        if not _proven(str(document["address"]), trusted, str(document["token"]), within):
            return None
        return LocalCluster(
            url=str(document["address"]),
            key=Secret(str(document["key"])),
            admin_key=Secret(str(document["admin_key"])),
            user=str(document["user"]),
            pid=int(document["pid"]),
            started_at=str(document["started_at"]),
            ca_cert=document.get("ca_cert"),
            ca_bundle=document.get("ca_bundle"),
            faults=document.get("faults"),
            stances=dict(document["stances"]),
            told=str(document["told"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException):
        return None


def launch(root: Path, options: Sequence[str]) -> LocalCluster:
    """Starts a cluster, where none is, in a session of its own and waits until it answers. Unreachable: it does not."""
    log = root / "server.log"
    package = str(Path(__file__).resolve().parents[2])
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        if not server_lock.taken(root):
            output.truncate(0)
        child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-c", _MAIN, package, str(root), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=root,
            env={name: value for name, value in os.environ.items() if not name.startswith(_OURS)},
        )
    try:
        cluster = _awaited(root, child)
    except BaseException:
        child.kill()  # nobody else knows of it
        raise
    if cluster is not None:
        return cluster
    child.kill()
    tail = " / ".join(printable_lines(log.read_text(errors="replace"), last=5))
    raise Unreachable(f"the local cluster did not start: {tail}", hint=f"its log is {printable(str(log))}")


def _awaited(root: Path, child: subprocess.Popen[bytes]) -> LocalCluster | None:
    """None: it has ended, or takes too long."""
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline and child.poll() is None:
        cluster = present(root, pid=child.pid)
        if cluster is not None:
            return cluster
        time.sleep(_LOOK_EVERY)
    return None


def _check_name(name: str, shown: str) -> None:
    if not LOCAL_CLUSTER_NAME.fullmatch(name):
        raise UsageError(f"{printable(shown, 100)!r} does not name a local cluster", hint="letters, digits, - and _")


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _proven(url: str, trusted: str | None, token: str, within: float) -> bool:
    """Whether who answers there has the token, which is not sent: after the cluster's end, its port may be a stranger's.

    No proxy is asked: it is on this machine.
    """
    import hmac
    import http.client
    import secrets
    import ssl
    from urllib.parse import urlsplit

    place = urlsplit(url).netloc
    if trusted is None:
        connection = http.client.HTTPConnection(place, timeout=within)
    else:
        context = ssl.create_default_context(cafile=trusted)
        # A certificate that was given to the cluster is among them itself, if not who signed it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        connection = http.client.HTTPSConnection(place, timeout=within, context=context)
    try:
        nonce = secrets.token_urlsafe(24)
        connection.request("GET", f"/health?nonce={nonce}")
        answer = json.loads(connection.getresponse().read(10_000))
        expected = hmac.new(token.encode(), nonce.encode(), "sha256").hexdigest()
        return isinstance(answer, dict) and hmac.compare_digest(str(answer.get("proof")).encode(), expected.encode())
    finally:
        connection.close()
