"""The life of a local cluster that is kept: start, stop, reset."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.embedded import KEPT, LocalCluster, folder, is_there, joining, launch, locked, named, standing
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.text import printable
from algosync.emulator.processes.removal import remove
from algosync.emulator.server import server_lock
from algosync.emulator.server.listening import NAMES, last_port
from algosync.emulator.variants import NO_LIMIT, USUAL

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal

__all__ = ["Wanted", "command", "option_texts", "reset", "settings", "size_limit", "start", "stop"]

_STOP_WITHIN = 15.0  # seconds; then it is killed
_UNUSED_WITHIN = 2.0  # seconds; commands that have just ended need a quarter of one
_LET_GO_WITHIN = 0.1  # seconds; who has just let go of one lock is about to let go of the other
_LOOK_EVERY = 0.02  # seconds
_SIZE_DIGITS = 19  # the largest numbers that everybody can keep
_DATABASE = ("cluster.sqlite", "cluster.sqlite-wal", "cluster.sqlite-shm")
"""Without its log the database would be an older one, where removed keys are still known; a log without its database is nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a cluster is started with. Port 0 takes the last one, or any; what else is not said is as at the last start.

    But for faults: those are of one start. `stances` are the fields of the cluster's own that are said, by name.
    """

    port: int
    tls: bool | None
    faults: Path | None
    stances: Mapping[str, int | bool | None]

    def options(self) -> list[str]:
        """As the server's own command line has them."""
        switches = {"tls": self.tls} if self.tls is not None else {}
        faults = ["--faults", str(self.faults.resolve())] if self.faults else []
        said = [text for name, value in {**switches, **self.stances}.items() for text in _option(name, value)]
        return ["--port", str(self.port), *faults, *said]


def size_limit(text: str) -> int | None:
    """Bytes; None for `none`. UsageError: neither."""
    if text == NO_LIMIT:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < _SIZE_DIGITS):
        raise UsageError(f"--largest-file {printable(text, 80)} is no number of bytes, nor {NO_LIMIT}")
    return int(text)


def start(state: Path, name: str, wanted: Wanted, terminal: Terminal) -> None:
    """The address on stdout. AlgosyncError: it runs with other options. Unreachable: it does not start, or not answer."""
    if wanted.faults is not None and not wanted.faults.is_file():
        raise UsageError(f"--faults {printable(str(wanted.faults))} is no file")
    root = folder(state, name)
    with joining(root), locked(root / "start.lock"):
        last = last_port(root / "cluster.json")
        cluster = standing(root)
        if cluster is not None:
            _check(cluster, wanted, name)
            (root / KEPT).touch(mode=0o600)
            terminal.tell(f"The local cluster {name} is running already.")
        else:
            (root / KEPT).touch(mode=0o600)
            try:
                cluster = launch(root, wanted.options())
            except BaseException:
                (root / KEPT).unlink(missing_ok=True)
                raise
            terminal.tell(f"The local cluster {name} is running. It stays until `{command('stop', name)}`.")
            _tell_of_names(cluster, 0 if wanted.port else last, terminal)
    terminal.result(cluster.url)
    terminal.tell(f"{printable(cluster.told, 300)}. It runs as you: give it none that you would not run yourself.")
    terminal.tell(f'For other clients and shells: eval "$({command("env", name)})"')


def _tell_of_names(cluster: LocalCluster, last: int, terminal: Terminal) -> None:
    """That it is not where it was, or that this machine does not know its names."""
    if last and last != cluster.port:
        terminal.tell(
            f"Port {last}, where it was last time, is taken by another program; now it is at {cluster.url}, and stays there."
        )
    if cluster.url.startswith("https:") and (unknown := _unknown_names()):
        names = " ".join(unknown)
        terminal.tell(f"Python does not know {names} here; the hosts file needs the line: 127.0.0.1 {names}")


def _unknown_names() -> list[str]:
    """Which names below `localhost` lead nowhere on this machine, for programs that ask the system."""
    unknown = []
    for name in (each for each in NAMES if each.endswith(".localhost")):
        try:
            socket.getaddrinfo(name, None)
        except OSError:
            unknown.append(name)
    return unknown


def stop(state: Path, name: str, terminal: Terminal) -> None:
    """Returns when its server is gone, and with it all that it has started."""
    root = folder(state, name)
    ended = used = False
    if root.is_dir():
        with _unused(root) as unused:
            used, ended = not unused, _ended(root)
    if ended:
        terminal.tell(f"The local cluster {name} has ended{', while commands were using it' if used else ''}.")
    elif is_there(root):
        terminal.tell(f"The local cluster {named(root)} is not running.")
    else:
        terminal.tell(f"There is no local cluster {named(root)}.")


def reset(state: Path, name: str, terminal: Terminal, *, auto_approve: bool, no_input: bool) -> None:
    """The folder stays, with its locks alone. AlgosyncError: nobody approved, commands use it, or a file cannot be removed.

    What a first start has left that failed, or a reset that was cut, is removed too.
    """
    root = folder(state, name)
    if not is_there(root) and not _leftovers(root):
        terminal.tell(f"There is no local cluster {named(root)}.")
        return
    if not auto_approve:
        _ask(name, root, terminal, no_input=no_input or bool(os.environ.get("CI")))
    with _unused(root) as unused:
        if not unused:
            raise AlgosyncError(
                f"commands are using the local cluster {name}; nothing was changed", hint="try again when they are done"
            )
        there = is_there(root)
        _ended(root)
        try:
            _remove(root)
        except OSError as error:
            raise AlgosyncError(f"the local cluster {name} is not removed yet: {error.filename}: {error.strerror}") from None
    terminal.tell(f"The local cluster {name} has no data any more." if there else f"There is no local cluster {named(root)}.")


def _leftovers(root: Path) -> bool:
    return root.is_dir() and any(path.suffix != ".lock" for path in root.iterdir())


def _ended(root: Path) -> bool:
    """Ends the server, if there is one, with all that it has started. Whether there was one. AlgosyncError: it does not end."""
    found = server_lock.taken(root)
    if found:
        _end(root)
    (root / KEPT).unlink(missing_ok=True)
    return found


def _end(root: Path) -> None:
    """Tell it to stop and wait; kill it where that takes too long. What a killed one has started ends by itself."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = server_lock.owner(root)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + _STOP_WITHIN
        while time.monotonic() < deadline:
            if not server_lock.taken(root):
                return
            time.sleep(_LOOK_EVERY)
    pid = server_lock.owner(root)
    raise AlgosyncError(f"the local cluster {root.name} does not end: {f'pid {pid}' if pid else 'another process has its folder'}")


@contextlib.contextmanager
def _unused(root: Path) -> Iterator[bool]:
    """Whether no command uses the cluster, or only one that ends in a moment: then none does in the body either.

    None starts or removes it there, in any case. Commands take the two locks in this order, too: while one of them is waited for,
    another can start the cluster.
    """
    users = os.open(root / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        unused = _locked_within(users, _UNUSED_WITHIN)
        with locked(root / "start.lock"):
            yield unused or _locked_within(users, _LET_GO_WITHIN)
    finally:
        os.close(users)


def _locked_within(file: int, seconds: float) -> bool:
    """The server of commands that have ended holds what they held until it has ended too."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_EVERY)


def _remove(root: Path) -> None:
    """Everything but the locks, which others may be waiting for. The database first: without it the rest is nobody's."""
    for name in _DATABASE:
        (root / name).unlink(missing_ok=True)
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink():
            remove(path)
        elif path.suffix != ".lock":
            path.unlink()


def _check(cluster: LocalCluster, wanted: Wanted, name: str) -> None:
    """AlgosyncError: the cluster that runs is not the one that is wanted."""
    faults = str(wanted.faults.resolve()) if wanted.faults else None
    different = [
        option
        for option, differs in (
            ("--port", wanted.port not in (0, cluster.port)),
            ("--tls", wanted.tls not in (None, cluster.url.startswith("https:"))),
            ("--faults", faults != cluster.faults),
            *((_flag(each), value != cluster.stances.get(each)) for each, value in wanted.stances.items()),
        )
        if differs
    ]
    if different:
        raise AlgosyncError(
            f"the local cluster {name} is running already at {cluster.url}, with another {', '.join(different)}",
            hint=f"it runs with {_as_it_runs(cluster, different)}: start it so, or end it first: {command('stop', name)}",
        )


def _as_it_runs(cluster: LocalCluster, options: Sequence[str]) -> str:
    """What the running cluster has of these options."""
    faults = ["--faults", printable(cluster.faults)] if cluster.faults else ["no --faults"]
    tls = _option("tls", cluster.url.startswith("https:"))
    known = {"--port": ["--port", str(cluster.port)], "--tls": tls, "--faults": faults}
    known |= {_flag(name): _option(name, value) for name, value in settings(cluster).items()}
    return " ".join(text for each in options for text in known.get(each, []))


def settings(cluster: LocalCluster) -> dict[str, int | bool | None]:
    """Its stances, as far as its file tells of what can be one."""
    return {name: value for name, value in cluster.stances.items() if isinstance(value, int | None)}


def option_texts(cluster: LocalCluster) -> list[str]:
    """How it was started otherwise than a cluster usually is: its stances, and its faults."""
    usual = asdict(USUAL)
    said = [text for name, value in settings(cluster).items() if value != usual.get(name) for text in _option(name, value)]
    return [*said, *(["--faults", cluster.faults] if cluster.faults else [])]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _option(name: str, value: int | bool | None) -> list[str]:
    """One setting on the server's command line."""
    if isinstance(value, bool):
        return [_flag(name) if value else f"--no-{name.replace('_', '-')}"]
    return [_flag(name), NO_LIMIT if value is None else str(value)]


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
