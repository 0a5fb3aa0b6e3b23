"""Chooses the Python of this machine that runs an environment of the platform.

`Python 3.7` runs with a working `python3.7` on the PATH. All other environments run with the Python that runs this server. A build
keeps the Python that it was made with.
"""

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

OLDEST = (3, 7)
"""Oldest version that can execute `runner`."""

PROBE_SECONDS = 10

PROBE = """
import ctypes, json, os, platform, ssl, sys, sysconfig
if platform.python_implementation() != "CPython":
    sys.exit(platform.python_implementation() + " is not CPython")
executable, base = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
print(json.dumps([executable, platform.python_version(), sysconfig.get_platform(), base]))
"""
"""Imports the modules that algorithms need and that some installations lack, then prints facts about the interpreter."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine: its program, full version and platform, and where it is installed."""

    executable: Path
    version: str
    platform: str
    base_prefix: str

    @property
    def language(self) -> str:
        """The version of the language, as in `3.8`."""
        return ".".join(self.version.split(".")[:2])


OWN = Interpreter(Path(sys.executable), platform.python_version(), sysconfig.get_platform(), sys.base_prefix)
"""The Python that runs this server."""


class NotWorking(Exception):
    """A Python cannot be used. The message says why."""


def choose(environment: str) -> tuple[Interpreter, str]:
    """The Python that runs an environment of this display name, and a description for the build log.

    Runs every candidate once, for up to `PROBE_SECONDS`.
    """
    own = f"run with {platform.python_implementation()} {OWN.version}, which runs this local cluster"
    named = re.search(r"\bPython (\d+)\.(\d+)\b", environment)
    if named is None or named[0] == f"Python {OWN.language}":
        return OWN, f"{environment}, {own}"
    if (int(named[1]), int(named[2])) < OLDEST:
        return OWN, f"{environment}, which is too old for this local cluster: {own}"
    language, reasons = f"{named[1]}.{named[2]}", ""
    for path in _on_path(f"python{language}"):
        try:
            found = probe(path, language)
        except NotWorking as error:
            reasons = reasons or f" ({path} does not work: {error})"
        else:
            return found, f"{environment}, run with CPython {found.version} of this machine"
    return OWN, f"{environment}, which this machine has not{reasons}: {own}"


def keep(interpreter: Interpreter, file: Path) -> None:
    """Record the chosen Python in a file. The server's own is not recorded, as it may change with the server."""
    if interpreter == OWN:
        file.unlink(missing_ok=True)
    else:
        file.write_text(f"{interpreter.language} {interpreter.executable}", encoding="utf-8")


def kept(file: Path) -> Interpreter | None:
    """The recorded Python; None if it does not work any more."""
    try:
        language, _, path = file.read_text(encoding="utf-8").partition(" ")
        return probe(Path(path), language)
    except FileNotFoundError:
        return OWN
    except (NotWorking, ValueError):
        return None


def base_of(python: Path) -> Path:
    """Where the Python behind the link of a virtual environment is installed."""
    program = python.resolve()
    return Path(OWN.base_prefix) if program == OWN.executable.resolve() else program.parents[1]


def probe(path: Path, language: str) -> Interpreter:
    """Learn about a Python by running it. Results are cached until the program changes. Raises `NotWorking`."""
    try:
        found = _probed(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise NotWorking(error.strerror or str(error)) from None
    if isinstance(found, str):
        raise NotWorking(found)
    if found.language != language:
        raise NotWorking(f"it is Python {found.version}")
    return found


@lru_cache(maxsize=64)
def _probed(path: Path, _modified: int) -> Interpreter | str:
    """The interpreter, or the reason why it cannot be used."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own PATH says what Python is
            [path, "-I", "-c", PROBE], stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return _reason(done.stderr.decode("utf-8", "replace"), done.returncode)
    try:
        executable, version, machine, base = map(str, json.loads(done.stdout))
    except (ValueError, TypeError):
        return "it does not answer as Python does"
    return _unfit(Path(executable), Path(base)) or Interpreter(Path(executable), version, machine, base)


def _unfit(executable: Path, base: Path) -> str:
    """Why a jail cannot show this installation completely and nothing else with it; empty if it can."""
    if executable.parent != base / "bin":
        return f"{executable} is not in {base / 'bin'}"
    if Path(os.path.expanduser("~")).is_relative_to(base):
        return f"it is installed in {base}, with everything of its user's"
    return ""


def _reason(errors: str, code: int) -> str:
    """The line that explains a failure: the last one of a traceback, otherwise the first one."""
    lines = errors.strip().splitlines() or [f"exit code {code}"]
    return lines[-1 if lines[0].startswith("Traceback") else 0]


def _on_path(name: str) -> Iterator[Path]:
    """All programs of this name on the PATH. The first may belong to a version switcher that has this version disabled."""
    for folder in os.get_exec_path():
        path = Path(folder, name)
        if path.is_absolute() and os.access(path, os.X_OK) and path.is_file():
            yield path
