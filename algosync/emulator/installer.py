"""Installs requirements into a virtual environment that has no installer of its own."""

import asyncio
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from algosync.emulator import processes

DEADLINE_SECONDS = 1800
"""How long an installation may take before it counts as failed."""

MODULE = "import runpy, sys; del sys.path[0], sys.argv[0]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
"""Like `-m`, but nothing is imported from the folder it runs in: that is the source of an algorithm."""

KEPT = frozenset({"HOME", "NETRC", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"})

# What would send packages elsewhere than into the environment.
DROPPED = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV")


READY = "ok"
"""Written last into the environment of the installer itself."""


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


async def install(pip: Path, python: Path, requirements: Path, log: IO[bytes]) -> None:
    """Install with the pip of one interpreter into the environment of another, everything it says going to `log`.

    The user's pip configuration and proxies count. Without `.pyc` files: first imports make those that are used.
    """
    command: list[str | Path] = [pip, "-c", MODULE, "pip", "--python", python, "install", "--no-compile", "-r", requirements]
    await _run(command, requirements.parent, python.parents[1] / "tmp", log)


async def _run(command: Sequence[str | Path], folder: Path, temporary: Path, log: IO[bytes]) -> None:
    """Run a program to its end; its temporary folder goes with it."""
    environment = processes.inherited(KEPT, ("PIP_",))
    for name in DROPPED:
        environment.pop(name, None)
    environment |= {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"}
    environment["TMPDIR"] = str(temporary)
    temporary.mkdir(exist_ok=True)
    process = await processes.start(command, environment, folder, log)
    try:
        await asyncio.wait_for(processes.ended(process), DEADLINE_SECONDS)
    except asyncio.TimeoutError:
        raise InstallError(f"The installer was stopped after {DEADLINE_SECONDS} s") from None
    finally:
        await processes.kill(process)
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    if process.returncode:
        raise InstallError(f"The installer ended with exit code {process.returncode}")
