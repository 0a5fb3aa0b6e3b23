"""Installs requirements into a virtual environment that has no installer of its own."""

import asyncio
import importlib.util
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO

from algosync.emulator.processes import children
from algosync.emulator.processes.jail import NO_JAIL, Jail
from algosync.emulator.processes.removal import discard
from algosync.emulator.python import guarded_pip
from algosync.emulator.python.interpreters import base_of
from algosync.emulator.threads import finished

DEADLINE_SECONDS = 1800
"""How long an installation may take before it counts as failed."""

MODULE = "import runpy, sys; del sys.path[0], sys.argv[0]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
"""Like `-m`, but nothing is imported from the folder it runs in: that is the source of an algorithm."""

LOG_SECONDS = 0.5
MAX_LOG = 16 * 1024 * 1024
"""How much an installer may say. What it says in the last half second may be more, and is cut."""

CACHE = "pip-downloads"
"""Where pip keeps what it has downloaded, beside the environments, and never the user's own: no package's code can write there.

The name is not that of earlier versions, which let packages do so.
"""

GUARDED = Path(guarded_pip.__file__)

KEPT = frozenset({"HOME", "NETRC", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"})

# What would send packages elsewhere than into the environment, or shows the user's own.
DROPPED = ("PIP_CACHE_DIR", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV")


READY = "ok"
"""Written last into the environment of the installer itself."""


NOTHING: Mapping[str, str] = MappingProxyType({})


class InstallError(Exception):
    """The installation failed; its output is in the log."""


async def interpreter(tools: Path, log: IO[bytes]) -> Path:
    """A Python that has pip: this one, or where it has none, one in `tools`, with the pip bundled with Python."""
    if importlib.util.find_spec("pip"):
        return Path(sys.executable)
    if not (tools / READY).exists():
        command: list[str | Path] = [sys.executable, "-c", MODULE, "venv", "--clear", tools]
        _demand(await _run(command, tools.parent, tools.with_name(f"{tools.name}.tmp"), log))
        (tools / READY).touch()
    return tools / "bin" / "python"


async def make_environment(python: Path, path: Path, options: Sequence[str], log: IO[bytes]) -> None:
    """Have another Python make a virtual environment of its own, by the options of its `venv`."""
    command: list[str | Path] = [python, "-I", "-m", "venv", *options, path]
    _demand(await _run(command, path.parent, path.with_name(f"{path.name}.tmp"), log))


@dataclass(frozen=True, slots=True)
class Installation:
    """A list of requirements, the Python whose environment gets them, and another's pip, or that Python's own, that installs."""

    requirements: Path
    python: Path
    pip: Path
    jail: Jail = NO_JAIL

    @property
    def environment(self) -> Path:
        """The folder that is installed into."""
        return self.python.parents[1]


async def install(wanted: Installation, log: IO[bytes], *, guarded: bool = False) -> None:
    """Install, everything that pip says going to `log`. The user's pip configuration and proxies count.

    Where it is `guarded`, what is downloaded is kept for all installations, as long as no code of a package has to run. Where it
    has to, it finds a cache that nobody uses after it. Raises `InstallError`.
    """
    if guarded:
        cache = wanted.environment.with_name(CACHE)
        cache.mkdir(exist_ok=True)
        code = await _pip(wanted, [wanted.python, "-I", GUARDED, _own_pip(wanted)], [cache], log)
        if code != guarded_pip.NEEDS_CODE:
            _demand(code)
            return
        log.write(b"Packages have to be built here, which runs code of theirs: once more, with a cache of their own\n")
        log.flush()
    # A pip that comes with an old Python knows no such option, and needs none.
    target: list[str | Path] = [] if wanted.pip == wanted.python else ["--python", wanted.python]
    _demand(await _pip(wanted, [wanted.pip, "-c", MODULE, "pip", *target], [], log))


async def _pip(wanted: Installation, pip: Sequence[str | Path], caches: Sequence[Path], log: IO[bytes]) -> int:
    """Have a pip install; its exit code. Without a jail `.pyc` files are not made here: first imports make those that are used.
    From inside one, workers cannot."""
    path, temporary = wanted.environment, wanted.environment / "tmp"
    options = [] if wanted.jail.program else ["--no-compile"]
    read = [Path(sys.prefix), wanted.pip.parents[1], base_of(wanted.python), GUARDED, *_settings()]
    command = [*pip, "install", *options, "-r", wanted.requirements]
    jailed = wanted.jail.command(command, temporary, read, [wanted.requirements.parent, path, *caches])
    cache = str(next(iter(caches), temporary / "cache"))
    return await _run(jailed, wanted.requirements.parent, temporary, log, {"PIP_CACHE_DIR": cache})


def _own_pip(wanted: Installation) -> str | Path:
    """What to run as the pip of an installation in the environment's own Python: a module of its own, or another's program."""
    if wanted.pip == wanted.python:
        return "pip"
    found = importlib.util.find_spec("pip") if wanted.pip == Path(sys.executable) else None
    [folder] = (
        [Path(found.origin).parent] if found and found.origin else wanted.pip.parents[1].glob("lib/python*/site-packages/pip")
    )
    return folder / "__pip-runner__.py"


def _demand(code: int) -> None:
    if code:
        raise InstallError(f"The installer ended with exit code {code}")


def _environment() -> dict[str, str]:
    environment = children.inherited(KEPT, ("PIP_",))
    for name in DROPPED:
        environment.pop(name, None)
    return environment | {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"}


def _settings() -> list[Path]:
    """The user's files that pip is shown in a jail: its configuration and what its variables name. The packages that it builds
    see them as well, so no passwords of other programs are among them: `.netrc` counts without a jail only."""
    environment = _environment()
    base = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    named = [text for name, text in environment.items() if name.startswith("PIP_") or name in children.CA_BUNDLES]
    words = [word for text in named for word in text.split() if os.path.isabs(word)]
    return [Path("/etc/pip.conf"), Path("/etc/xdg/pip"), Path(base, "pip"), Path(os.path.expanduser("~/.pip")), *map(Path, words)]


async def _run(
    command: Sequence[str | Path], folder: Path, temporary: Path, log: IO[bytes], variables: Mapping[str, str] = NOTHING
) -> int:
    """Run a program to its end; its temporary folder goes with it. Its exit code."""
    temporary.mkdir(exist_ok=True)
    process = await children.start(command, {**_environment(), **variables, "TMPDIR": str(temporary)}, folder, log)
    try:
        await asyncio.wait_for(_end(process, log), DEADLINE_SECONDS)
    except asyncio.TimeoutError:
        raise InstallError(f"The installer was stopped after {DEADLINE_SECONDS} s") from None
    finally:
        await children.kill(process)
        if _says_too_much(log):
            os.ftruncate(log.fileno(), MAX_LOG)
        await finished(partial(discard, temporary))
    return process.returncode or 0


async def _end(process: Process, log: IO[bytes]) -> None:
    """Wait until a program has ended, looking after its log meanwhile: who never stops must not fill the disk."""
    end = asyncio.ensure_future(children.ended(process))
    try:
        while not end.done():
            await asyncio.wait([end], timeout=LOG_SECONDS)
            if _says_too_much(log):
                raise InstallError(f"The installer was stopped as it said more than {MAX_LOG} bytes")
    finally:
        end.cancel()


def _says_too_much(log: IO[bytes]) -> bool:
    return os.fstat(log.fileno()).st_size > MAX_LOG
