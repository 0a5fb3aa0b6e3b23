"""Child processes: each on a leash of its own, with an environment that was chosen, not inherited."""

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

CA_BUNDLES = ca_files.BUNDLES
"""Which authorities to trust, as programs are told."""

NETWORK = frozenset({"SSL_CERT_DIR", "PATH", "LANG", "LANGUAGE", "TZ"})
"""What a program needs to find other programs, its language, and the network, from behind proxies too."""

LEASH = Path(__file__).with_name("leash.py")

EXIT_POLL_SECONDS = 0.01

GRACE_SECONDS = 2
"""How long a leash has to end by itself, which takes it milliseconds: what runs on it may have stopped it."""

_watched: dict[int, tuple[socket.socket, "asyncio.Task[None]"]] = {}
"""The lifeline of every child, and who watches it. By process id; all belong to the one thread of the event loop."""

_kept_open: set[int] = set()
"""What every leash keeps open, but no program on one."""

_unwatched: set[socket.socket] = set()
"""The lifelines of children that are being started."""


def inherited(names: frozenset[str] = frozenset(), prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """The variables a child may see: locale, path, proxies, CA files that are there, and those named. Never the caller's keys."""

    def allowed(name: str) -> bool:
        return name in NETWORK | names or name.startswith(("LC_", *prefixes)) or name.lower().endswith("_proxy")

    return {name: value for name, value in os.environ.items() if allowed(name)} | ca_files.named()


def keep_open(descriptor: int) -> None:
    """From now on, a lock that this descriptor has lasts until all children are gone too, however this process ends."""
    _kept_open.add(descriptor)


async def start(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, output: IO[bytes], *, limit: int = 0
) -> Process:
    """Start a program on a leash, so that nothing that it starts outlives it, nor it this process; stderr goes to `output`.

    With a `limit` its stdin and stdout are piped, for lines of at most that many bytes; without, it has no stdin, and stdout goes
    to `output` too. Ending like the program, the leash stands for it, but for the environment: that is the program's alone.
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
    """Wait until a child has ended, and all that it started."""
    if watched := _watched.get(process.pid):
        await asyncio.wait((watched[1],))


async def kill(process: Process) -> None:
    """End a child and everything that it has started, its leash included if need be."""
    if watched := _watched.get(process.pid):
        with contextlib.suppress(OSError):
            watched[0].shutdown(socket.SHUT_WR)
        await asyncio.wait((watched[1],), timeout=GRACE_SECONDS)
        if process.pid in _watched and process.returncode is None:
            process.kill()
    await ended(process)


async def _watch(process: Process, lifeline: socket.socket) -> None:
    """Wait until nobody holds the other end. `Process.wait` of some Pythons waits for all others that hold its pipes as well."""
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
        # It may be the leash that was killed, and not what it held: that is a child of this process now, like its leashes.
        while _unwatched:
            await asyncio.sleep(EXIT_POLL_SECONDS)
        leash.kill_children(but=_watched)


@contextlib.contextmanager
def _starting(lifeline: socket.socket) -> Iterator[None]:
    """While a child is there, but nobody knows its process id yet."""
    _unwatched.add(lifeline)
    try:
        yield
    except BaseException:
        lifeline.close()
        raise
    finally:
        _unwatched.discard(lifeline)
