"""Virtual environments, one for every set of requirements, shared by all clusters of a machine.

An environment is never changed once it is marked as ready, and never moved, as it holds its own path. Code of packages writes
into it while it is made: what says that it is ready is beside it, and of what is in it nothing is believed.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import venv
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO

from algosync.emulator.processes import untrusted_file
from algosync.emulator.processes.jail import NO_JAIL, Jail
from algosync.emulator.processes.removal import discard, remove
from algosync.emulator.python import installer
from algosync.emulator.python.interpreters import OWN, Interpreter
from algosync.emulator.python.requirements import MAX_BYTES, Requirements, RequirementsError, parse, satisfied
from algosync.emulator.threads import finished

READY = ".ready"
"""Ends the name of the file written last: an environment without it was never finished."""

MAX_MARKER = 8 * MAX_BYTES
"""Of a list of requirements, as JSON."""

LOCK_POLL_SECONDS = 0.1


class Venvs:
    """A folder of environments. Several processes may use it at once."""

    def __init__(self, folder: Path, jail: Jail = NO_JAIL) -> None:
        self._folder = folder
        self._jail = jail

    def ready(self, requirements: Requirements, source: Path, interpreter: Interpreter) -> Path | None:
        """The Python that can run the source, where its environment has been made."""
        return self._ready(_key(interpreter, requirements, source))

    @property
    def told(self) -> str:
        """What people should know who have this machine run code."""
        return self._jail.notice

    def sweep(self) -> None:
        """Remove environments that were never finished, unless somebody is at work on them now."""
        for path in (found for kind in ("env", "venv") for found in self._folder.glob(f"{kind}-*")):
            if path.is_dir() and not _marker(path).exists() and not (path / installer.READY).exists():
                with contextlib.suppress(BlockingIOError), _locked(self._folder / f"{path.name.removesuffix('.tmp')}.lock"):
                    discard(path)

    async def provide(self, requirements: Requirements, source: Path, interpreter: Interpreter, log: IO[bytes]) -> Path:
        """The Python that can run the source: that of an environment which has what its `requirements.txt` asks for.

        That list is given, as it was before any code of a build could change it. Makes the environment with this interpreter
        where there is none. Raises `installer.InstallError`; says what it does in `log`.
        """
        key = _key(interpreter, requirements, source)
        if python := self._ready(key):
            _say(log, f"Requirements already satisfied by environment {key}: nothing to install")
            return python
        self._folder.mkdir(parents=True, exist_ok=True)
        async with self._lock(key):
            if python := self._ready(key) or await finished(partial(self._share, key, interpreter, requirements)):
                _say(log, f"Requirements already satisfied by environment {python.parents[1].name}: nothing to install")
                return python
            await self._make(self._folder / key, interpreter, requirements, source, log)
            _write(_marker(self._folder / key), json.dumps({"requirements": requirements.lines}))
            return self._folder / key / "bin" / "python"

    def _ready(self, key: str) -> Path | None:
        """The Python of a finished environment, which may be another's under this key."""
        names = [key]
        with contextlib.suppress(OSError, ValueError):
            names.append(untrusted_file.read(self._folder / f"{key}.same", 256).decode())
        for path in map(self._folder.joinpath, names):
            python = path / "bin" / "python"
            # Its lines are not understood here: that takes a second for long lists, and the event loop waits.
            if python.exists() and _marked(path) is not None:
                return python
        return None

    def _share(self, key: str, interpreter: Interpreter, requirements: Requirements) -> Path | None:
        """Find an environment made for the same packages, of versions that suit these requirements as well.

        One that merely contains them is not enough: what is missing from the requirements has to be missing there.
        """
        if not requirements.named:
            return None
        markers = interpreter.markers
        for marker in sorted(self._folder.glob(f"{_prefix(interpreter)}*{READY}")):
            path = marker.with_suffix("")
            made_for = _made_for(path)
            if made_for is None or not made_for.plain or made_for.packages(markers) != requirements.packages(markers):
                continue
            packages = path / "lib" / f"python{interpreter.language}" / "site-packages"
            if satisfied(requirements, packages, markers) and self._ready(path.name):
                _write(self._folder / f"{key}.same", path.name)
                return path / "bin" / "python"
        return None

    async def _make(self, path: Path, interpreter: Interpreter, requirements: Requirements, source: Path, log: IO[bytes]) -> None:
        """An environment of this Python, with what the requirements of this source ask for.

        Where that Python is not this server's, its own pip installs: others may be too new for it. When this is cancelled, nothing
        writes there any more once it has ended: the lock is another's then.
        """
        _marker(path).unlink(missing_ok=True)
        await finished(partial(remove, path))
        _say(log, f"New environment {path.name}")
        python = pip = path / "bin" / "python"
        if interpreter == OWN:
            await finished(partial(_OwnBuilder(symlinks=True, with_pip=False).create, path))
        else:
            options = [] if requirements.lines else ["--without-pip"]
            await installer.make_environment(interpreter.executable, path, options, log)
        if not requirements.lines:
            return
        if interpreter == OWN:
            tools = f"{_prefix(OWN)}tools"
            async with self._lock(tools):
                pip = await installer.interpreter(self._folder / tools, log)
        program = os.path.realpath(python)
        listed = _listed(path, requirements, source)
        guarded = not requirements.local and interpreter.language != "3.7"
        await installer.install(installer.Installation(listed, python, pip, self._jail), log, guarded=guarded)
        if os.path.realpath(python) != program:
            # Where it leads to is what workers are shown.
            raise installer.InstallError("A package has replaced the Python of the environment")

    @asynccontextmanager
    async def _lock(self, key: str) -> AsyncIterator[None]:
        """Exclusive use of a key, across processes. Polled: a thread waiting in `flock` could not be stopped."""
        with contextlib.ExitStack() as held:
            while True:
                try:
                    held.enter_context(_locked(self._folder / f"{key}.lock"))
                    break
                except BlockingIOError:
                    await asyncio.sleep(LOCK_POLL_SECONDS)
            yield


class _OwnBuilder(venv.EnvBuilder):
    """Makes environments of the Python that this server's own is a link to, where it runs in an environment itself.

    Pythons before 3.11 would link to that, which a jail does not show.
    """

    def ensure_directories(self, env_dir: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> SimpleNamespace:
        context = super().ensure_directories(env_dir)
        context.executable = os.path.realpath(context.executable)
        context.python_dir = os.path.dirname(context.executable)
        return context


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Exclusive use of a lock file. Raises `BlockingIOError` where another has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def _made_for(path: Path) -> Requirements | None:
    """What an environment was made for; None where it is unfinished."""
    marked = _marked(path)
    try:
        return None if marked is None else parse("\n".join(marked))
    except (TypeError, RequirementsError):
        return None


def _marked(path: Path) -> list[str] | None:
    """The lines that an environment was made for; None where its marker is missing or damaged, that is, where it is unfinished."""
    try:
        lines = json.loads(untrusted_file.read(_marker(path), MAX_MARKER))["requirements"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return lines if isinstance(lines, list) else None


def _listed(path: Path, requirements: Requirements, source: Path) -> Path:
    """The list that pip reads: that of the source, where it refers to files there. Where it does not, one of what was understood:
    what the environment is known by, it has to be made of, and pip knows encodings in which comments are options."""
    name = "requirements.txt"
    if requirements.local:
        return source / name
    _write(path / name, requirements.text)
    return path / name


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, whatever ends this process or fills the disk in between."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    # A new file, through no link.
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _marker(path: Path) -> Path:
    return path.with_name(path.name + READY)


def _prefix(interpreter: Interpreter) -> str:
    # Others' are made anew, and versions of this program that use them know nothing of these: those named `python*` are marked
    # inside, and in those named `venv*` may be what a package had put into the cache that all shared.
    return f"env-{interpreter.language}-"


def _key(interpreter: Interpreter, requirements: Requirements, source: Path) -> str:
    """Same key, same packages: interpreter, platform, requirements, and the source where these refer to its files."""
    parts = [interpreter.version, interpreter.platform, interpreter.base_prefix, *requirements.lines]
    if requirements.local:
        parts.append(str(source))
    return _prefix(interpreter) + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _say(log: IO[bytes], text: str) -> None:
    log.write(text.encode() + b"\n")
    log.flush()
