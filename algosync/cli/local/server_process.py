"""The server process of a local cluster: its start and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from algosync.cli.local.running import KEPT, LocalCluster, answering_cluster
from algosync.core.error import AlgosyncError, Unreachable
from algosync.core.text import printable, printable_lines
from algosync.emulator.server import server_lock

__all__ = ["end_server", "launch"]

# Like `-m algosync.emulator`, but without importing anything from the current folder.
_MAIN = "import sys; sys.path.append(sys.argv.pop(1)); from algosync.emulator.__main__ import main; sys.exit(main())"
_WITHHELD = ("SOURCE_", "DESTINATION_", "ALGOSYNC_")  # prefixes of variables that algorithms on the cluster must not see
_START_WITHIN = 30.0  # seconds
_STOP_WITHIN = 15.0  # seconds; after that it is killed
_POLL_EVERY = 0.02  # seconds


def launch(root: Path, arguments: Sequence[str]) -> LocalCluster:
    """Start a cluster in a new process session, and wait until it answers. Unreachable: it does not start."""
    log = root / "server.log"
    package = str(Path(__file__).resolve().parents[3])
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        if not server_lock.taken(root):
            output.truncate(0)
        child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-c", _MAIN, package, str(root), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=root,
            env={name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)},
        )
    try:
        cluster = _wait_for_answer(root, child)
    except BaseException:
        child.kill()  # no other process would end it
        raise
    if cluster is not None:
        return cluster
    child.kill()
    tail = " / ".join(printable_lines(log.read_text(errors="replace"), last=5))
    raise Unreachable(f"the local cluster did not start: {tail}", hint=f"its log is {printable(str(log))}")


def _wait_for_answer(root: Path, child: subprocess.Popen[bytes]) -> LocalCluster | None:
    """None: the process has ended, or does not answer in time."""
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline and child.poll() is None:
        cluster = answering_cluster(root, pid=child.pid)
        if cluster is not None:
            return cluster
        time.sleep(_POLL_EVERY)
    return None


def end_server(root: Path) -> bool:
    """End the server and everything that it has started. False: no server was running. AlgosyncError: it does not end.

    Afterwards, a command that starts the cluster again also ends it.
    """
    found = server_lock.taken(root)
    if found:
        _terminate(root)
    (root / KEPT).unlink(missing_ok=True)
    return found


def _terminate(root: Path) -> None:
    """Ask the server to stop, and kill it if that takes too long. Processes of a killed server end by themselves."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = server_lock.owner(root)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + _STOP_WITHIN
        while time.monotonic() < deadline:
            if not server_lock.taken(root):
                return
            time.sleep(_POLL_EVERY)
    pid = server_lock.owner(root)
    raise AlgosyncError(f"the local cluster {root.name} does not end: {f'pid {pid}' if pid else 'another process uses its folder'}")
