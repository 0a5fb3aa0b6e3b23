"""Spare workers: processes that have imported the official client before anybody knows which algorithm they will be.

That import is most of what starting a worker takes. A spare is a worker like every other, started by the same command on
a leash of its own, and becomes one algorithm, once. What could tell it from one that was started for that algorithm
goes without: who has secrets, which are variables of a process from its start, and source that would hide modules
which are imported already.
"""

import asyncio
import contextlib
import glob
import sys
import time
from collections.abc import Coroutine
from functools import lru_cache
from pathlib import Path

from algosync.emulator.python.interpreters import base_of
from algosync.emulator.running.calls import Target
from algosync.emulator.running.worker import Worker, WorkerContext

MAX_SPARES = 2
"""One for each environment, for those expected last."""


class Spares:
    """The spare workers of a cluster. All methods belong to the event loop's thread."""

    def __init__(self, host: WorkerContext) -> None:
        self._host = host
        self._spares: dict[Path, Worker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def prepare(self, python: Path) -> None:
        """See to it that there will be one that runs this interpreter."""
        if python in self._spares or self._closed:
            return
        spare = self._spares[python] = Worker(self._host)
        spare.idle_since = time.monotonic()
        self._spawn(self._start(python, spare))
        for excess in list(self._spares)[:-MAX_SPARES]:
            self._drop(excess)

    def take(self, python: Path, target: Target, source: Path) -> Worker | None:
        """One that can become this algorithm, if there is one."""
        spare = self._spares.get(python)
        if spare is None or not spare.started or target.secrets or _hides_modules(source, python):
            return None
        del self._spares[python]
        if spare.ended:
            self._spawn(spare.close())
            return None
        return spare

    def reap(self, oldest: float) -> None:
        """End those that have waited since before `oldest`, on the monotonic clock."""
        for python, spare in list(self._spares.items()):
            if spare.idle_since < oldest:
                self._drop(python)

    async def close(self) -> None:
        """End all of them, for good."""
        self._closed = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*[spare.close() for spare in self._spares.values()])
        self._spares.clear()

    async def _start(self, python: Path, spare: Worker) -> None:
        # Whoever needs a worker and finds no spare starts one then, and is told what is wrong.
        with contextlib.suppress(OSError):
            await spare.start(python, "ahead")
        if not spare.started:
            self._spares.pop(python, None)
        if self._spares.get(python) is not spare:
            await spare.close()

    def _drop(self, python: Path) -> None:
        spare = self._spares.pop(python)
        # One that is being started is closed where it is.
        if spare.started:
            self._spawn(spare.close())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _hides_modules(source: Path, python: Path) -> bool:
    """Whether modules at the top of this source could have names of others that a spare has imported by now."""
    installed = (python.parents[1] / "lib").glob("python*/site-packages/*")
    taken = {path.name.partition(".")[0] for path in installed} | _standard_library(python)
    return any(path.stem in taken for path in source.iterdir() if path.suffix == ".py" or path.is_dir())


@lru_cache(maxsize=64)
def _standard_library(python: Path) -> frozenset[str]:
    """Names of the modules of an environment's Python, which need not be of this version: names come, and names go."""
    base = base_of(python)
    folders = [
        folder for version in python.parents[1].glob("lib/python*") for folder in base.glob(f"lib*/{glob.escape(version.name)}")
    ]
    files = [path for folder in folders for path in (*folder.iterdir(), *folder.glob("lib-dynload/*"))]
    return sys.stdlib_module_names | {path.name.partition(".")[0] for path in files}
