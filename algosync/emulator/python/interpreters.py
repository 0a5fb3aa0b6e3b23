"""Which Python of this machine stands for an environment of the platform.

`Python 3.7` is run with the `python3.7` on the PATH, where there is one with which environments can be made. For all that have none
stands the Python that runs this server. A build keeps its Python: what it was tested with it goes on with.
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
"""What `runner` can be run with."""

PROBE_SECONDS = 10

PROBE = """
import ctypes, ensurepip, json, os, platform, ssl, sys, sysconfig, venv
ensurepip.version()
if platform.python_implementation() != "CPython":
    sys.exit(platform.python_implementation() + " is not CPython")
executable, base = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
print(json.dumps([executable, platform.python_version(), sysconfig.get_platform(), base]))
"""
"""What environments and algorithms need, then what it is. Debian, for one, has Pythons without `ensurepip`."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that environments can be made with: its program and version, for which platform, where it is installed."""

    executable: Path
    version: str
    platform: str
    base_prefix: str

    @property
    def language(self) -> str:
        """The version of the language, as in `3.8`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def markers(self) -> dict[str, str]:
        """What markers of requirements say of it that they would not of the Python of this server."""
        return {
            "python_version": self.language,
            "python_full_version": self.version,
            "implementation_version": self.version,
        }


OWN = Interpreter(Path(sys.executable), platform.python_version(), sysconfig.get_platform(), sys.base_prefix)
"""The one that runs this server."""


class NotWorking(Exception):
    """No environments can be made with this Python, and why."""


def choose(environment: str) -> tuple[Interpreter, str]:
    """What runs an environment of this display name, and the words for it. Runs programs: up to `PROBE_SECONDS` for each."""
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
    """Write down which one has been chosen, unless it is this server's own, whatever that will be."""
    if interpreter == OWN:
        file.unlink(missing_ok=True)
    else:
        file.write_text(f"{interpreter.language} {interpreter.executable}", encoding="utf-8")


def kept(file: Path) -> Interpreter | None:
    """The one that was chosen; none where it is there no more."""
    try:
        language, _, path = file.read_text(encoding="utf-8").partition(" ")
        return probe(Path(path), language)
    except FileNotFoundError:
        return OWN
    except (NotWorking, ValueError):
        return None


def base_of(python: Path) -> Path:
    """Where the Python is installed that an environment's is a link to."""
    program = python.resolve()
    return Path(OWN.base_prefix) if program == OWN.executable.resolve() else program.parents[1]


def probe(path: Path, language: str) -> Interpreter:
    """Learn what a program is by running it, once in the life of this server. Raises `NotWorking`."""
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
    """What it is, or why it is nothing."""
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
    """Why an installation cannot be shown in a jail, where it has to be whole, and nothing else with it."""
    if executable.parent != base / "bin":
        return f"{executable} is not in {base / 'bin'}"
    if Path(os.path.expanduser("~")).is_relative_to(base):
        return f"it is installed in {base}, with everything of its user's"
    return ""


def _reason(errors: str, code: int) -> str:
    """One line of what a program has complained of: the end of a Python's traceback, or what a script says first."""
    lines = errors.strip().splitlines() or [f"exit code {code}"]
    return lines[-1 if lines[0].startswith("Traceback") else 0]


def _on_path(name: str) -> Iterator[Path]:
    """All programs of this name: the first may be a version switcher's, which has it switched off."""
    for folder in os.get_exec_path():
        path = Path(folder, name)
        if path.is_absolute() and os.access(path, os.X_OK) and path.is_file():
            yield path
