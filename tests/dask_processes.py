"""A Dask cluster of real processes: a scheduler and workers, as users start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DaskProcesses", "dask_processes"]

_WITHIN = 300  # seconds; only a failing test waits this long


@dataclass
class DaskProcesses:
    """`address` as Dask writes it: `tcp://127.0.0.1:PORT`. `folder` has a log of each process."""

    folder: Path
    address: str = ""
    dashboard: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def executor(self) -> str:
        """As `--executor` names it."""
        return self.address.replace("tcp://", "dask://")

    def start_worker(self, name: str, environ: Mapping[str, str] | None = None) -> None:
        """Start a worker with two threads and without a nanny, and return when it has joined."""
        arguments = ["--nthreads", "2", "--no-nanny", "--dashboard-address", "127.0.0.1:0", "--name", name]
        self._start(name, "dask_worker", self.address, *arguments, "--local-directory", str(self.folder / "space"), environ=environ)
        self.wait_for(name, "Registered to:")

    def start_scheduler(self) -> None:
        file = self.folder / "scheduler.json"
        arguments = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
        self._start("scheduler", "dask_scheduler", *arguments)
        self.wait_for("scheduler", "dashboard at:")
        until = time.monotonic() + _WITHIN
        while not file.exists() or not file.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        document = json.loads(file.read_text())
        self.address = document["address"]
        self.dashboard = f"http://127.0.0.1:{document['services']['dashboard']}"

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def wait_for(self, name: str, text: str) -> None:
        """Wait until the log of a process contains the text."""
        until = time.monotonic() + _WITHIN
        while text not in self.log(name):
            assert time.monotonic() < until, self.log(name)
            assert self.processes[name].poll() is None, self.log(name)
            time.sleep(0.05)

    def page(self, path: str) -> bytes:
        with urllib.request.urlopen(self.dashboard + path, timeout=_WITHIN) as reply:
            content: bytes = reply.read()
            return content

    def _start(self, name: str, module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        whole = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent), **(environ or {})}
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, env=whole
            )


@contextmanager
def dask_processes(folder: Path, *workers: str) -> Iterator[DaskProcesses]:
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskProcesses(folder)
    try:
        cluster.start_scheduler()
        for name in workers:
            cluster.start_worker(name)
        yield cluster
    finally:
        for process in reversed(cluster.processes.values()):
            process.kill()
            process.wait()
