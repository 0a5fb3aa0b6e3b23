"""Spare workers: processes that have imported the official client before it is known which algorithm they will run.

This import takes most of the time of starting a worker. A spare is started like any other worker and then loads one algorithm,
once. Some algorithms could notice the difference and therefore get no spare: those with secrets, which have to be variables of the
process from its start, and those whose source hides modules that a spare has already imported.
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
"""Most spares at once, one for each environment. The most recently prepared environments keep theirs."""


class Spares:
    """The spare workers of a cluster. Call all methods on the event loop's thread."""

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._spares: dict[Path, Worker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def prepare(self, python: Path) -> None:
        """Start a spare for the Python of an environment, unless it has one."""
        if python in self._spares or self._closed:
            return
        spare = self._spares[python] = Worker(self._context)
        spare.idle_since = time.monotonic()
        self._spawn(self._start(python, spare))
        for excess in list(self._spares)[:-MAX_SPARES]:
            self._drop(excess)

    def take(self, python: Path, target: Target, source: Path) -> Worker | None:
        """Remove and return a spare that can run this algorithm, if there is one."""
        spare = self._spares.get(python)
        if spare is None or not spare.started or target.secrets or _hides_modules(source, python):
            return None
        del self._spares[python]
        if spare.ended:
            self._spawn(spare.close())
            return None
        return spare

    def reap(self, oldest: float) -> None:
        """End spares that were started before `oldest`, a time of the monotonic clock."""
        for python, spare in list(self._spares.items()):
            if spare.idle_since < oldest:
                self._drop(python)

    async def close(self) -> None:
        """End all spares. No more are started afterwards."""
        self._closed = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*[spare.close() for spare in self._spares.values()])
        self._spares.clear()

    async def _start(self, python: Path, spare: Worker) -> None:
        # A call that finds no spare starts a worker, and reports the error.
        with contextlib.suppress(OSError):
            await spare.start(python, "ahead")
        if not spare.started:
            self._spares.pop(python, None)
        if self._spares.get(python) is not spare:
            await spare.close()

    def _drop(self, python: Path) -> None:
        spare = self._spares.pop(python)
        # `_start` closes a spare that is still being started.
        if spare.started:
            self._spawn(spare.close())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _hides_modules(source: Path, python: Path) -> bool:
    """Whether a module at the top of this source has the name of one that a spare may have imported."""
    installed = (python.parents[1] / "lib").glob("python*/site-packages/*")
    taken = {path.name.partition(".")[0] for path in installed} | _standard_library(python)
    return any(path.stem in taken for path in source.iterdir() if path.suffix == ".py" or path.is_dir())


@lru_cache(maxsize=64)
def _standard_library(python: Path) -> frozenset[str]:
    """Names of the standard modules of an environment's Python. Its version may differ from this server's, and so may the names."""
    base = base_of(python)
    folders = [
        folder for version in python.parents[1].glob("lib/python*") for folder in base.glob(f"lib*/{glob.escape(version.name)}")
    ]
    files = [path for folder in folders for path in (*folder.iterdir(), *folder.glob("lib-dynload/*"))]
    return sys.stdlib_module_names | {path.name.partition(".")[0] for path in files}
