"""Installs requirements into a virtual environment that has no installer of its own."""

import asyncio
import importlib.util
import os
import shutil
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO

from algosync.emulator import processes
from algosync.emulator.interpreters import base_of
from algosync.emulator.jail import NO_JAIL, Jail

DEADLINE_SECONDS = 1800
"""How long an installation may take before it counts as failed."""

MODULE = "import runpy, sys; del sys.path[0], sys.argv[0]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
"""Like `-m`, but nothing is imported from the folder it runs in: that is the source of an algorithm."""

LOG_SECONDS = 0.5
MAX_LOG = 16 * 1024 * 1024
"""How much an installer may say. What it says in the last half second may be more, and is cut."""

CACHE = "pip-cache"
"""Where pip keeps what it has downloaded: beside the environments, and never the user's own, as packages can write into it."""

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
        await _run(
            [sys.executable, "-c", MODULE, "venv", "--clear", tools], tools.parent, tools.with_name(f"{tools.name}.tmp"), log
        )
        (tools / READY).touch()
    return tools / "bin" / "python"


async def make_environment(python: Path, path: Path, options: Sequence[str], log: IO[bytes]) -> None:
    """Have another Python make a virtual environment of its own, by the options of its `venv`."""
    command: list[str | Path] = [python, "-I", "-m", "venv", *options, path]
    await _run(command, path.parent, path.with_name(f"{path.name}.tmp"), log)


async def install(pip: Path, python: Path, requirements: Path, log: IO[bytes], jail: Jail = NO_JAIL) -> None:
    """Install with the pip of one interpreter into the environment of another, everything it says going to `log`.

    The user's pip configuration and proxies count. Without a jail `.pyc` files are not made here: first imports make those
    that are used. From inside one, workers cannot.
    """
    path = python.parents[1]
    options = [] if jail.program else ["--no-compile"]
    # A pip that comes with an old Python knows no such option, and needs none.
    target: list[str | Path] = [] if pip == python else ["--python", python]
    command: list[str | Path] = [pip, "-c", MODULE, "pip", *target, "install", *options, "-r", requirements]
    cache = path.with_name(CACHE)
    cache.mkdir(exist_ok=True)
    read = [Path(sys.prefix), pip.parents[1], base_of(python), *_settings()]
    jailed = jail.command(command, path / "tmp", read, [requirements.parent, path, cache])
    await _run(jailed, requirements.parent, path / "tmp", log, {"PIP_CACHE_DIR": str(cache)})


def _environment() -> dict[str, str]:
    environment = processes.inherited(KEPT, ("PIP_",))
    for name in DROPPED:
        environment.pop(name, None)
    return environment | {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"}


def _settings() -> list[Path]:
    """The user's files that pip is shown in a jail: its configuration and what its variables name. The packages that it builds
    see them as well, so no passwords of other programs are among them: `.netrc` counts without a jail only."""
    environment = _environment()
    base = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    named = [text for name, text in environment.items() if name.startswith("PIP_") or name in processes.CA_BUNDLES]
    words = [word for text in named for word in text.split() if os.path.isabs(word)]
    return [Path("/etc/pip.conf"), Path("/etc/xdg/pip"), Path(base, "pip"), Path(os.path.expanduser("~/.pip")), *map(Path, words)]


async def _run(
    command: Sequence[str | Path], folder: Path, temporary: Path, log: IO[bytes], variables: Mapping[str, str] = NOTHING
) -> None:
    """Run a program to its end; its temporary folder goes with it."""
    temporary.mkdir(exist_ok=True)
    process = await processes.start(command, {**_environment(), **variables, "TMPDIR": str(temporary)}, folder, log)
    try:
        await asyncio.wait_for(_end(process, log), DEADLINE_SECONDS)
    except asyncio.TimeoutError:
        raise InstallError(f"The installer was stopped after {DEADLINE_SECONDS} s") from None
    finally:
        await processes.kill(process)
        if _says_too_much(log):
            os.ftruncate(log.fileno(), MAX_LOG)
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    if process.returncode:
        raise InstallError(f"The installer ended with exit code {process.returncode}")


async def _end(process: Process, log: IO[bytes]) -> None:
    """Wait until a program has ended, looking after its log meanwhile: who never stops must not fill the disk."""
    end = asyncio.ensure_future(processes.ended(process))
    try:
        while not end.done():
            await asyncio.wait([end], timeout=LOG_SECONDS)
            if _says_too_much(log):
                raise InstallError(f"The installer was stopped as it said more than {MAX_LOG} bytes")
    finally:
        end.cancel()


def _says_too_much(log: IO[bytes]) -> bool:
    return os.fstat(log.fileno()).st_size > MAX_LOG
