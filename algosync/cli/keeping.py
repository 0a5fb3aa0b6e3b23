"""The life of a local cluster that is kept: start, stop, reset."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.embedded import KEPT, LocalCluster, folder, joining, launch, locked, present
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.views.terminal import Terminal

__all__ = ["Wanted", "command", "reset", "server", "start", "stop"]

_STOP_WITHIN = 15.0  # seconds; then it is killed
_LOOK_EVERY = 0.02  # seconds
_DATABASE = ("cluster.sqlite-wal", "cluster.sqlite-shm", "cluster.sqlite")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a cluster is started with. Port 0 takes the last one, or any."""

    port: int
    tls: bool
    faults: Path | None

    def options(self) -> list[str]:
        """As the server's own command line has them."""
        tls = ["--tls"] if self.tls else []
        return ["--port", str(self.port), *tls, *(["--faults", str(self.faults.resolve())] if self.faults else [])]


def start(state: Path, name: str, wanted: Wanted, terminal: Terminal) -> None:
    """The address on stdout. AlgosyncError: it runs with other options. Unreachable: it does not start."""
    if wanted.faults is not None and not wanted.faults.is_file():
        raise UsageError(f"--faults {printable(str(wanted.faults))} is no file")
    root = folder(state, name)
    with joining(root), locked(root / "start.lock"):
        cluster = present(root)
        if cluster is not None:
            _check(cluster, wanted, root, name)
            _mark(root, wanted)
            terminal.tell(f"The local cluster {name} is running already.")
        else:
            _mark(root, wanted)
            try:
                cluster = launch(root, wanted.options())
            except BaseException:
                (root / KEPT).unlink(missing_ok=True)
                raise
            terminal.tell(f"The local cluster {name} is running. It stays until `{command('stop', name)}`.")
    terminal.result(cluster.url)
    terminal.tell(f'For other clients and shells: eval "$({command("env", name)})"')


def stop(state: Path, name: str, terminal: Terminal) -> None:
    """Returns when its server is gone, and with it all that it has started."""
    root = folder(state, name)
    ended = root.is_dir() and _ended(root)
    terminal.tell(f"The local cluster {name} {'has ended' if ended else 'is not running'}.")


def reset(state: Path, name: str, terminal: Terminal, *, auto_approve: bool, no_input: bool) -> None:
    """The folder stays, with its locks alone. AlgosyncError: nobody approved."""
    root = folder(state, name)
    if not root.is_dir():
        terminal.tell(f"There is no local cluster {name}.")
        return
    if not auto_approve:
        _ask(name, root, terminal, no_input=no_input or bool(os.environ.get("CI")))
    _ended(root, lambda: _remove(root))
    terminal.tell(f"The local cluster {name} has no data any more.")


def server(root: Path) -> int | None:
    """The process that serves this folder now. Not by the address file, which outlives it: by its lock, which does not."""
    try:
        descriptor = os.open(root / "server.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0) or 0) or None
    finally:
        os.close(descriptor)
    return None


def _ended(root: Path, then: Callable[[], None] = lambda: None) -> bool:
    """Ends the server, if there is one, and does something before another one can start. Whether there was one."""
    with locked(root / "start.lock"):
        (root / KEPT).unlink(missing_ok=True)
        pid = server(root)
        if pid is not None:
            _end(root, pid)
        then()
    return pid is not None


def _end(root: Path, pid: int) -> None:
    """Tell it to stop and wait; kill it where that takes too long."""
    for number, seconds in ((signal.SIGTERM, _STOP_WITHIN), (signal.SIGKILL, _STOP_WITHIN)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if server(root) != pid:
                return
            time.sleep(_LOOK_EVERY)
    raise AlgosyncError(f"the local cluster's process {pid} does not end")


def _remove(root: Path) -> None:
    """Everything but the locks, which others may be waiting for. The database first: without it the rest is nobody's."""
    for name in _DATABASE:
        (root / name).unlink(missing_ok=True)
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.suffix != ".lock":
            path.unlink()


def _mark(root: Path, wanted: Wanted) -> None:
    """From here on it stays."""
    document = {"tls": wanted.tls, "faults": str(wanted.faults.resolve()) if wanted.faults else None}
    temporary = root / f"{KEPT}.new"
    temporary.write_text(json.dumps(document))
    temporary.replace(root / KEPT)


def _check(cluster: LocalCluster, wanted: Wanted, root: Path, name: str) -> None:
    """AlgosyncError: the cluster that runs is not the one that is wanted."""
    faults = str(wanted.faults.resolve()) if wanted.faults else None
    different = [
        option
        for option, differs in (
            ("--port", wanted.port not in (0, int(cluster.url.rpartition(":")[2]))),
            ("--tls", wanted.tls != (cluster.ca_cert is not None)),
            ("--faults", faults != _faults_of(root)),
        )
        if differs
    ]
    if different:
        raise AlgosyncError(
            f"the local cluster {name} is running already at {cluster.url}, with another {', '.join(different)}",
            hint=f"start it with the options it runs with, or end it first: {command('stop', name)}",
        )


def _faults_of(root: Path) -> str | None:
    """The faults of the cluster that runs. One that commands have started for themselves has none."""
    try:
        found = json.loads((root / KEPT).read_text())["faults"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _ask(name: str, root: Path, terminal: Terminal, *, no_input: bool) -> None:
    if no_input or not sys.stdin.isatty() or not terminal.err.isatty():
        raise AlgosyncError("nobody is there to approve", hint="use --auto-approve, or run it on a terminal")
    terminal.tell(f"All data, users and keys of the local cluster {name} will be removed: {root}")
    terminal.tell("  Only 'yes' will be accepted to approve.")
    terminal.err.write("  Enter a value: ")
    terminal.err.flush()
    if sys.stdin.readline().strip() != "yes":
        raise AlgosyncError("reset was not approved; nothing was changed")


def command(verb: str, name: str) -> str:
    return f"algosync emulator {verb}" + ("" if name == "default" else f" --name {name}")
