"""Virtual environments, one for each set of requirements, shared by all local clusters of a machine.

An environment never changes once it is marked as ready, and never moves, as it holds its own path. Code of packages may write into
it while it is made. Therefore its marker lies beside it, and nothing inside it is trusted.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from algosync.emulator.processes import untrusted_file
from algosync.emulator.processes.jail import NO_JAIL, Jail
from algosync.emulator.processes.removal import discard, remove
from algosync.emulator.python import installer
from algosync.emulator.python.interpreters import Interpreter
from algosync.emulator.python.requirements import Requirements, rewrite
from algosync.emulator.threads import finished

READY = ".ready"
"""Suffix of an environment's marker. The marker is written last: without it, the environment is unfinished."""

LOCK_POLL_SECONDS = 0.1


class Venvs:
    """A folder of environments. Several processes may use it at once."""

    def __init__(self, folder: Path, jail: Jail = NO_JAIL) -> None:
        self._folder = folder
        self._jail = jail
        self._cores = asyncio.Semaphore(os.cpu_count() or 1)

    @property
    def notice(self) -> str:
        """What users should know about how this machine runs their code."""
        return self._jail.notice

    def ready(self, requirements: Requirements, source: Path, interpreter: Interpreter) -> Path | None:
        """The Python of the environment for this source; None if the environment is not ready."""
        return self._ready(_key(interpreter, requirements, source))

    def sweep(self) -> None:
        """Remove unfinished environments that no process is working on."""
        for path in (found for kind in ("env", "venv") for found in self._folder.glob(f"{kind}-*")):
            if path.is_dir() and not _marker(path).exists():
                with contextlib.suppress(BlockingIOError), _locked(self._folder / f"{path.name.removesuffix('.tmp')}.lock"):
                    discard(path)

    async def provide(self, requirements: Requirements, source: Path, interpreter: Interpreter, log: IO[bytes]) -> Path:
        """The Python of the environment for this source, which is made if it is not ready. Progress goes to `log`.

        `requirements` are those of the source before code of a build could change them. Raises `installer.InstallError`.
        """
        key = _key(interpreter, requirements, source)
        self._folder.mkdir(parents=True, exist_ok=True)
        python = self._ready(key)
        if python is None:
            async with self._lock(key):
                python = self._ready(key)
                if python is None:
                    # At most one per core is made at once. Those that wait for a lock do not count.
                    async with self._cores:
                        return await self._make(self._folder / key, interpreter, requirements, source, log)
        _say(log, f"Requirements already satisfied by environment {key}: nothing to install")
        return python

    def _ready(self, key: str) -> Path | None:
        python = self._folder / key / "bin" / "python"
        with contextlib.suppress(OSError):
            # A full disk may have left an empty marker.
            if _marker(self._folder / key).stat().st_size and python.exists():
                return python
        return None

    async def _make(self, path: Path, interpreter: Interpreter, requirements: Requirements, source: Path, log: IO[bytes]) -> Path:
        """Make an environment and mark it as ready. Returns its Python.

        When this is cancelled, it ends only after nothing writes there any more: another build gets the lock then.
        """
        _marker(path).unlink(missing_ok=True)
        await finished(partial(remove, path))
        _say(log, f"New environment {path.name}")
        await installer.make_environment(interpreter.executable, path, log)
        python = path / "bin" / "python"
        if requirements.lines:
            await self._fill(python, requirements, source, log)
        untrusted_file.write(_marker(path), "\n".join(["# Packages of this environment:", *requirements.lines, ""]).encode())
        return python

    async def _fill(self, python: Path, requirements: Requirements, source: Path, log: IO[bytes]) -> None:
        """Install requirements into a new environment."""
        listed = source / "requirements.txt" if requirements.local else python.parents[1] / "requirements.txt"
        if requirements.local:
            await asyncio.to_thread(rewrite, listed, source)
        else:
            # The options are passed separately: uv does not know all of them in lists.
            untrusted_file.write(listed, requirements.packages.encode())
        builds = requirements.local or requirements.names_repositories
        wanted = installer.Installation(listed, python, requirements.options, builds, self._jail)
        program = os.path.realpath(python)
        await installer.install(wanted, log)
        if os.path.realpath(python) != program:
            # Jails of algorithms show the folder that this link leads to.
            raise installer.InstallError("A package has replaced the Python of the environment")
        await installer.compile_modules(wanted, log)

    @asynccontextmanager
    async def _lock(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of an environment, across processes. Polls, as a thread that waits in `flock` could not be stopped."""
        with contextlib.ExitStack() as held:
            while True:
                try:
                    held.enter_context(_locked(self._folder / f"{key}.lock"))
                    break
                except BlockingIOError:
                    await asyncio.sleep(LOCK_POLL_SECONDS)
            yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file exclusively. Raises `BlockingIOError` if another holder has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def _marker(path: Path) -> Path:
    return path.with_name(path.name + READY)


def _key(interpreter: Interpreter, requirements: Requirements, source: Path) -> str:
    """Name of an environment, the same for the same interpreter, platform, requirements, and files that these refer to."""
    parts = [interpreter.version, interpreter.platform, interpreter.base_prefix, *requirements.lines]
    if requirements.local:
        parts.append(str(source))
    # Older versions used other prefixes. Their environments are not trusted, as code of packages could write to their cache.
    return f"env-{interpreter.language}-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _say(log: IO[bytes], text: str) -> None:
    log.write(text.encode() + b"\n")
    log.flush()
