"""Starts and kills child processes. Each runs below a supervisor of its own (`leash`), with an explicit environment."""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from algosync.emulator.processes import ca_files, leash

NETWORK = frozenset({"SSL_CERT_DIR", "PATH", "LANG", "LANGUAGE", "TZ"})
"""Variables that programs need for the network, for their language and to find other programs."""

LEASH = Path(__file__).with_name("leash.py")

EXIT_POLL_SECONDS = 0.01

GRACE_SECONDS = 2
"""How long a leash may take to end, usually milliseconds. The program below it may have stopped it with a signal."""

_watched: dict[int, tuple[socket.socket, "asyncio.Task[None]"]] = {}
"""Lifeline and watching task of every child, by process id. Used by the thread of the event loop only."""

_kept_open: set[int] = set()
"""Descriptors that every leash holds open, but no program below it."""

_unwatched: set[socket.socket] = set()
"""Lifelines of children whose start is not complete."""


def inherited(names: frozenset[str] = frozenset(), prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """The variables of this process that a child may see: locale, path, proxies, existing CA files, and the given ones.

    No others, since they may hold keys.
    """

    def allowed(name: str) -> bool:
        return name in NETWORK | names or name.startswith(("LC_", *prefixes)) or name.lower().endswith("_proxy")

    return {name: value for name, value in os.environ.items() if allowed(name)} | ca_files.named()


def keep_open(descriptor: int) -> None:
    """Hold the lock of a descriptor until all children that are started from now on have ended, even if this process dies."""
    _kept_open.add(descriptor)


async def start(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, output: IO[bytes], *, limit: int = 0
) -> Process:
    """Start a program below a leash: its descendants end with it, and it ends with this process. stderr goes to `output`.

    With a `limit`, stdin and stdout are pipes for lines of at most that many bytes. Without, stdin is empty and stdout also goes to
    `output`. The returned process is the leash, which exits as the program does. Only the program gets `environment`.
    """
    lifeline, other_end = socket.socketpair()
    with other_end, _starting(lifeline), tempfile.TemporaryFile() as settings:
        settings.write("".join(leash.option(name, value) for name, value in environment.items()).encode("utf-8", "surrogateescape"))
        settings.seek(0)
        descriptors = [settings.fileno(), other_end.fileno(), *_kept_open]
        process = await asyncio.create_subprocess_exec(
            *map(str, [sys.executable, "-I", "-S", LEASH, ",".join(map(str, descriptors)), *command]),
            env={},
            cwd=folder,
            stdin=asyncio.subprocess.PIPE if limit else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if limit else output,
            stderr=output,
            start_new_session=True,
            pass_fds=descriptors,
            limit=limit or 2**16,
        )
        _watched[process.pid] = lifeline, asyncio.create_task(_watch(process, lifeline))
    return process


async def ended(process: Process) -> None:
    """Wait until a child and all its descendants have ended."""
    if watched := _watched.get(process.pid):
        await asyncio.wait((watched[1],))


async def kill(process: Process) -> None:
    """Kill a child and all its descendants; also its leash, if that does not end within `GRACE_SECONDS`."""
    if watched := _watched.get(process.pid):
        with contextlib.suppress(OSError):
            watched[0].shutdown(socket.SHUT_WR)
        await asyncio.wait((watched[1],), timeout=GRACE_SECONDS)
        if process.pid in _watched and process.returncode is None:
            process.kill()
    await ended(process)


async def _watch(process: Process, lifeline: socket.socket) -> None:
    """Wait until the leash has closed its end of the lifeline.

    `Process.wait` of some Python versions also waits for all other processes that hold the child's pipes.
    """
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(lifeline, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(lifeline)
        lifeline.close()
    while process.returncode is None:
        await asyncio.sleep(EXIT_POLL_SECONDS)
    del _watched[process.pid]
    if process.returncode < 0 and leash.adopts_orphans():
        # If the leash itself was killed, its descendants are now children of this process, beside the other leashes.
        while _unwatched:
            await asyncio.sleep(EXIT_POLL_SECONDS)
        leash.kill_children(but=_watched)


@contextlib.contextmanager
def _starting(lifeline: socket.socket) -> Iterator[None]:
    """Mark a lifeline as unwatched while its child is being started, and its process id is not known yet."""
    _unwatched.add(lifeline)
    try:
        yield
    except BaseException:
        lifeline.close()
        raise
    finally:
        _unwatched.discard(lifeline)
