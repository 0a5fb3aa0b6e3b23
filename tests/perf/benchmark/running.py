"""Processes that are measured, and stubs that they talk to."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "Stub", "program", "run", "stub"]

PERF = Path(__file__).resolve().parents[1]
ROOT = PERF.parents[1]
# Also not that no compiled modules are kept: then each run would compile what has changed.
_OWN = ("DESTINATION_", "SOURCE_", "ALGOSYNC_", "GITHUB_", "WORKFLOW_NAME", "RCLONE_", "PYTHONDONTWRITEBYTECODE")
KEY = "sim" + "B" * 25
PORT = 8765
"""Of stubs with an address of their own."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a whole process took. `wall` and `cpu` in seconds, `memory` in MiB at its peak."""

    wall: float
    cpu: float
    memory: float


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None, log: str = "log") -> Cost:
    """Run a program to its end and measure it. Raises RuntimeError if it fails. Its output goes into the file `log` in `folder`."""
    machine = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    whole = {**machine, "RCLONE_CONFIG": os.devnull, "COLUMNS": "200", "PYTHONPATH": f"{ROOT}{os.pathsep}{PERF}", **(environ or {})}
    with (folder / log).open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=whole, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}\n{(folder / log).read_text(errors='replace')[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def program(name: str, folders: Sequence[Path] = ()) -> str | None:
    """The path of a peer: beside this Python, in the folders of `--peers`, or on the PATH."""
    places = [Path(sys.executable).parent, *folders]
    return shutil.which(name, path=os.pathsep.join(map(str, places)))


@dataclass(frozen=True, slots=True)
class Stub:
    """A running stub."""

    address: str

    def environ(self, side: str = "DESTINATION") -> dict[str, str]:
        return {f"{side}_API_ADDRESS": self.address, f"{side}_API_KEY": KEY}

    def ask(self, what: str, body: bytes | None = None) -> object:
        """Ask the stub about itself: `count`, `record`, `recorded`, `uploads`, `save`, `empty` (`stub/__main__.py`)."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.address}/-/{what}", body), timeout=120) as answer:
            return json.load(answer)

    def count(self) -> int:
        """The number of requests so far."""
        number = self.ask("count")
        assert isinstance(number, int)
        return number

    def upload_time(self) -> float:
        """Seconds from the head of the first upload to the end of the last one since this was asked last."""
        seconds = self.ask("uploads")
        assert isinstance(seconds, (int, float))
        return seconds


@contextlib.contextmanager
def stub(
    folder: Path, *, delay: float = 0, load: Path | None = None, fixed: bool = False, files: Path | None = None
) -> Iterator[Stub]:
    """Run a stub while the body runs. `fixed`: with the same address each time for the same folder, as states need it.

    `files`: a folder in which another server writes the data files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmark.stub", str(folder), "--delay", str(delay)]
    command += ["--load", str(load)] if load else []
    command += ["--files", str(files)] if files else []
    command += ["--host", _loopback(folder), "--port", str(PORT)] if fixed else []
    process = subprocess.Popen(command, cwd=PERF, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address, "the stub has not started"
        yield Stub(address)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _loopback(folder: Path) -> str:
    """An address of this machine that hardly any other folder has."""
    digest = hashlib.sha256(str(folder.resolve()).encode()).digest()
    return f"127.{digest[0] % 250 + 1}.{digest[1] % 250 + 1}.{digest[2] % 250 + 1}"
