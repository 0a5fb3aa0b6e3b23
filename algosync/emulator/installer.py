"""Installs requirements into a virtual environment that has no installer of its own."""

import asyncio
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from algosync.emulator import processes

DEADLINE_SECONDS = 1800
"""How long an installation may take before it counts as failed."""

LEASH = Path(__file__).with_name("leash.py")

KEPT = frozenset({"HOME", "TMPDIR", "NETRC", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"})

# What would send packages elsewhere than into the environment.
DROPPED = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV")


class InstallError(Exception):
    """The installation failed; its output is in the log."""


async def interpreter(tools: Path, log: IO[bytes]) -> Path:
    """A Python that has pip: this one, or where it has none, one in `tools`, with the pip bundled with Python."""
    if importlib.util.find_spec("pip"):
        return Path(sys.executable)
    if not (tools / "ok").exists():
        await _run([sys.executable, LEASH, "venv", "--clear", tools], tools.parent, log)
        (tools / "ok").touch()
    return tools / "bin" / "python"


async def install(pip: Path, python: Path, requirements: Path, log: IO[bytes]) -> None:
    """Install with the pip of one interpreter into the environment of another, everything it says going to `log`.

    The user's pip configuration and proxies count. Without `.pyc` files: first imports make those that are used.
    """
    command: list[str | Path] = [pip, LEASH, "pip", "--python", python, "install", "--no-compile", "-r", requirements]
    await _run(command, requirements.parent, log)


async def _run(command: Sequence[str | Path], folder: Path, log: IO[bytes]) -> None:
    environment = processes.inherited(KEPT, ("PIP_",))
    for name in DROPPED:
        environment.pop(name, None)
    environment |= {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off"}
    process = await processes.start(command, environment, folder, log)
    try:
        code = await asyncio.wait_for(process.wait(), DEADLINE_SECONDS)
    except asyncio.TimeoutError:
        raise InstallError(f"The installer was stopped after {DEADLINE_SECONDS} s") from None
    finally:
        await processes.kill(process)
    if code:
        raise InstallError(f"The installer ended with exit code {code}")
