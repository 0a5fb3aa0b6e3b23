"""Clients that are not dependencies of algosync: found, or installed once into a cache folder by their own installers."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["Missing", "node_modules", "old_python"]

OLD = "algorithmia==1.7.10"
NODE = "algorithmia@0.3.10"
DEADLINE = 300


class Missing(Exception):
    """The client is missing and cannot be installed; the text gives the reason."""


def old_python() -> str:
    """Return an interpreter with the Python client 1.7.10: `ALGOSYNC_OLD_CLIENT`, or one made from this interpreter."""
    if found := os.environ.get("ALGOSYNC_OLD_CLIENT"):
        return found

    def install(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", OLD)

    return str(_once("python-client-1.7.10", install) / "bin" / "python")


def node_modules() -> Path:
    """Return the folder with the node client 0.3.10."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"there is no {program} on this machine")

    def install(folder: Path) -> None:
        folder.mkdir()
        _run("npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), NODE)

    return _once("node-client-0.3.10", install) / "node_modules"


def _once(name: str, install: Callable[[Path], None]) -> Path:
    """Return the folder that `install` has filled completely. If several processes ask, one installs and the others wait."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "algosync" / "clients"
    cache.mkdir(parents=True, exist_ok=True)
    folder, mark = cache / name, cache / f"{name}.complete"
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            mark.touch()
    return folder


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[0]}: {error}") from None
    if done.returncode:
        raise Missing(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stderr[-300:]}")
