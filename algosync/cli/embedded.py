"""The embedded cluster: a child process that lives as long as commands use it.

Every command holds a shared lock on one file while it works; the cluster waits for the exclusive one, gets it when nobody is left
(killed commands included), and ends. A second command joins the one that runs.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from algosync.core.error import Unreachable, UsageError
from algosync.core.secret import Secret
from algosync.core.text import printable, printable_lines

__all__ = ["LocalCluster", "is_local", "running"]

_NAME = re.compile(r"local(?::(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,62}))?")
# Like `-m algosync.emulator`, but nothing is imported from the folder that the user happens to stand in.
_MAIN = "import sys; sys.path.append(sys.argv.pop(1)); from algosync.emulator.__main__ import main; sys.exit(main())"
_START_WITHIN = 30.0  # seconds
_LOOK_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class LocalCluster:
    url: str
    key: Secret


def is_local(address: str) -> bool:
    """`local` or `local:NAME`. UsageError: the name cannot be one."""
    if not address.startswith("local"):
        return False
    if _NAME.fullmatch(address) is None:
        if address == "local" or address.startswith("local:"):
            raise UsageError(f"{printable(address, 100)!r} does not name a local cluster", hint="letters, digits, - and _")
        return False
    return True


@contextmanager
def running(address: str, state: Path) -> Iterator[LocalCluster]:
    """Joins the cluster, or starts it. Unreachable: it does not start. UsageError: the extra `local` is not installed."""
    match = _NAME.fullmatch(address)
    name = (match["name"] if match else None) or "default"
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise UsageError("the local cluster is not installed", hint="pip install 'algosync[local]'")
    root = state.resolve() / "local" / name
    with ExitStack() as held:
        try:
            for folder in (root.parent.parent, root.parent, root):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.enter_context(_locked(root / "users.lock", fcntl.LOCK_SH))
            with _locked(root / "start.lock", fcntl.LOCK_EX):
                cluster = _present(root) or _start(root)
        except OSError as error:
            raise UsageError(f"the local cluster cannot be kept in {printable(str(root))}: {error.strerror}") from None
        yield cluster


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _present(root: Path) -> LocalCluster | None:
    """The cluster that runs on this folder, if it is the one that wrote the file."""
    import http.client
    from urllib.parse import urlsplit

    try:
        document = json.loads((root / "cluster.json").read_text())
        url, key, token = str(document["address"]), str(document["key"]), document["token"]
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        try:
            connection.request("GET", "/health")
            answer = json.loads(connection.getresponse().read(10_000))
        finally:
            connection.close()
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return None
    return LocalCluster(url, Secret(key)) if isinstance(answer, dict) and answer.get("token") == token else None


def _start(root: Path) -> LocalCluster:
    log = root / "server.log"
    package = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", _MAIN, package, str(root), "--until-unlocked", str(root / "users.lock")]
    with open(log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=root,
        )
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        if cluster := _present(root):
            return cluster
        if child.poll() is not None:
            break
        time.sleep(_LOOK_EVERY)
    child.kill()
    tail = " / ".join(printable_lines(log.read_text(errors="replace"), last=5))
    raise Unreachable(f"the local cluster did not start: {tail}", hint=f"its log is {printable(str(log))}")
