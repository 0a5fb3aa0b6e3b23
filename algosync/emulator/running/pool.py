"""A pool of warm workers. Every call uses one worker exclusively.

The number of calls that run at once is limited, for each build and in all, and so is the number of imports: more would cost memory
and slow each other down. A call that waits for calls it has made itself does not count (see `turns`). Further calls wait in a
queue. The time in the queue does not count against an algorithm's timeout.
"""

import asyncio
import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from weakref import WeakValueDictionary

from algosync.emulator.disk_space import explains
from algosync.emulator.python.installer import InstallError
from algosync.emulator.python.interpreters import Interpreter
from algosync.emulator.python.requirements import Requirements
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.calls import Call, CallResult, Document, Target, failed
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.turns import Turn, Turns
from algosync.emulator.running.worker import Worker, WorkerContext

IDLE_SECONDS = 300
MAX_RUNNING = 8
"""Most calls of one build that run at once. Calls that wait for calls they have made do not count."""

MAX_RUNNING_IN_ALL = 32
"""The same limit for all builds together."""

MAX_IDLE = 32
"""Most idle workers that are kept. The most recently used ones stay."""


class Pool:
    """The workers of a cluster. Call all methods on the event loop's thread."""

    def __init__(self, context: WorkerContext, builder: Builder, venvs: Venvs, spares: Spares) -> None:
        self._context = context
        self._builder = builder
        self._venvs = venvs
        self._spares = spares
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._imports = Turns(max(2, os.cpu_count() or 1))
        self._all = Turns(MAX_RUNNING_IN_ALL)
        self._running: WeakValueDictionary[str, Turns] = WeakValueDictionary()
        self._turns: dict[str, Turn] = {}

    async def call(self, target: Target, call: Call, request: Document, timeout: float) -> CallResult:
        """Run one call. Failures of the algorithm and of its environment are results, not exceptions."""
        turn = self._turns[call.id] = Turn()
        running = self._running.setdefault(target.build.id, Turns(MAX_RUNNING))
        try:
            with self._lent(call.maker):
                async with turn.of(running), turn.of(self._all):
                    return await self._run(target, call, request, timeout)
        finally:
            del self._turns[call.id]

    def lacks_room(self, error: Document) -> bool:
        """Whether a call failed with this error because the disk of the cluster is full."""
        return explains(f"{error.get('message')} {error.get('stacktrace')}", self._context.folder.parent)

    async def retire(self, algorithm_id: str) -> None:
        """End all workers of a deleted algorithm."""
        doomed = [worker for worker in self._workers if worker.target and worker.target.algorithm.id == algorithm_id]
        await asyncio.gather(*map(self._end, doomed))

    async def reap(self) -> None:
        """End workers and spares that have been idle for `IDLE_SECONDS`."""
        oldest = time.monotonic() - IDLE_SECONDS
        await asyncio.gather(*map(self._end, [worker for worker in self._idle if worker.idle_since < oldest]))
        self._spares.reap(oldest)

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(self._spares.close(), *map(self._end, list(self._workers)), *self._ending)

    def _lent(self, maker: str) -> AbstractContextManager[None]:
        """During a call, lend out the turn of the call that made it, if that runs in this cluster."""
        turn = self._turns.get(maker)
        return turn.lent() if turn else nullcontext()

    async def _run(self, target: Target, call: Call, request: Document, timeout: float) -> CallResult:
        worker = await self._idle_worker(target) or await self._started(target, call)
        if isinstance(worker, CallResult):
            return worker
        try:
            return await worker.run(call, request, timeout)
        finally:
            self._release(worker)

    async def _idle_worker(self, target: Target) -> Worker | None:
        """The most recently used idle worker for this target, if there is one."""
        await asyncio.gather(*map(self._end, [worker for worker in self._idle if worker.ended]))
        for worker in reversed(self._idle):
            if worker.runs(target):
                self._idle.remove(worker)
                worker.target = target
                return worker
        return None

    async def _started(self, target: Target, call: Call) -> Worker | CallResult:
        """A new worker, or the failure to start one. If another worker becomes idle first, returns that one."""
        async with self._turns[call.id].of(self._imports):
            return await self._idle_worker(target) or await self._start(target, call)

    async def _start(self, target: Target, call: Call) -> Worker | CallResult:
        source = self._builder.source(target.build)
        try:
            interpreter = await self._builder.interpreter(target.algorithm, target.build)
            wanted = await self._builder.requirements(target.build)
            python = self._venvs.ready(wanted, source, interpreter) or await self._provide(target, wanted, interpreter)
        except (InstallError, OSError) as error:
            return failed(f"The algorithm's environment cannot be provided: {error}", "InitializationError")
        if not wanted.local and (spare := self._spares.take(python, target, source)):
            loaded = await self._loaded(spare, target, source, call)
            self._spares.prepare(python)
            if isinstance(loaded, Worker) or (loaded.error or {}).get("error_type") != "SystemExit":
                return loaded
            # The spare may have died earlier. Try a new worker: if the algorithm itself ends the process, it does so again.
        return await self._loaded(Worker(self._context), target, source, call, start=python)

    async def _loaded(
        self, worker: Worker, target: Target, source: Path, call: Call, start: Path | None = None
    ) -> Worker | CallResult:
        """Load the algorithm into a worker, and return the worker or the failure. With `start`, start it with this Python first."""
        self._workers.add(worker)
        result = None
        try:
            if start:
                await worker.start(start, variables=target.secrets, shown=[source])
            result = await worker.load(target, source, call)
        except OSError as error:
            # The disk is full, or a build has left special files in the source, which cannot be copied.
            return failed(f"The algorithm cannot be started: {error}", "InitializationError")
        finally:
            if result is None or result.error:
                self._end(worker)
        return result if result.error else worker

    async def _provide(self, target: Target, wanted: Requirements, interpreter: Interpreter) -> Path:
        """Make an environment again that was removed after the build."""
        with self._builder.log(target.build) as log:
            return await self._venvs.provide(wanted, self._builder.source(target.build), interpreter, log)

    def _release(self, worker: Worker) -> None:
        """Keep a worker as idle, or end it if it is not usable."""
        if not worker.usable:
            self._end(worker)
        elif worker in self._workers:
            worker.idle_since = time.monotonic()
            self._idle.append(worker)
            if len(self._idle) > MAX_IDLE:
                self._end(self._idle[0])

    def _end(self, worker: Worker) -> asyncio.Task[None]:
        """Remove a worker from the pool and end it in the background: that can take seconds, and no reply waits for it."""
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        ending = asyncio.get_running_loop().create_task(worker.close())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        return ending
