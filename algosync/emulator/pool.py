"""Workers, kept warm: every call gets one for itself, and imports take turns.

Calls are never limited in number, as a call may wait for the calls it makes. Imports are, as many at once only slow
each other down; but a call from inside an import, however deep, does not wait for a turn that this import holds.
"""

import asyncio
import os
import time
from pathlib import Path

from algosync.emulator.builder import Builder
from algosync.emulator.installer import InstallError
from algosync.emulator.requirements import RequirementsError
from algosync.emulator.venvs import Venvs
from algosync.emulator.worker import Call, Document, Host, Outcome, Target, Worker, failed

IDLE_SECONDS = 300
MAX_IDLE = 32
"""Idle workers that are kept: those used last."""


class Pool:
    """The workers of a cluster. All methods belong to the event loop's thread."""

    def __init__(self, host: Host, builder: Builder, venvs: Venvs) -> None:
        self._host = host
        self._builder = builder
        self._venvs = venvs
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._importing = 0
        self._import_limit = max(2, os.cpu_count() or 1)
        self._changed = asyncio.Condition()

    async def call(self, target: Target, call: Call, request: Document, timeout: float) -> Outcome:
        """Run one call; failures of the algorithm and of its environment are outcomes, too."""
        worker = await self._idle_worker(target, call) or await self._started(target, call)
        if isinstance(worker, Outcome):
            return worker
        try:
            return await worker.run(call, request, timeout)
        finally:
            await asyncio.shield(self._release(worker))

    async def retire(self, algorithm_id: str) -> None:
        """End all workers of a deleted algorithm."""
        doomed = [worker for worker in self._workers if worker.target.algorithm.id == algorithm_id]
        await asyncio.gather(*map(self._end, doomed))

    async def reap(self) -> None:
        """End workers that have been idle for too long."""
        oldest = time.monotonic() - IDLE_SECONDS
        await asyncio.gather(*[self._end(worker) for worker in self._idle if worker.idle_since < oldest])

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(*map(self._end, list(self._workers)))

    async def _idle_worker(self, target: Target, call: Call) -> Worker | None:
        """A worker that is or becomes idle; None is a turn to import another one, and has been counted."""
        async with self._changed:
            while True:
                await asyncio.gather(*[self._end(worker) for worker in self._idle if worker.ended])
                for worker in reversed(self._idle):
                    if worker.target.build.id == target.build.id and worker.target.secrets == target.secrets:
                        self._idle.remove(worker)
                        worker.target = target
                        return worker
                if call.starting or self._importing < self._import_limit:
                    self._importing += 1
                    return None
                await self._changed.wait()

    async def _started(self, target: Target, call: Call) -> Worker | Outcome:
        """A new worker, or why there is none; then the turn is over."""
        try:
            return await self._start(target, call)
        finally:
            self._importing -= 1
            await self._tell()

    async def _start(self, target: Target, call: Call) -> Worker | Outcome:
        source = self._builder.source(target.build)
        try:
            python = self._venvs.ready(source) or await self._provide(target)
        except (RequirementsError, InstallError, OSError) as error:
            return failed(f"The algorithm's environment cannot be provided: {error}", "InitializationError")
        worker = Worker(target, self._host)
        self._workers.add(worker)
        outcome = None
        try:
            outcome = await worker.load(python, source, call)
        finally:
            if outcome is None or outcome.error:
                await asyncio.shield(self._end(worker))
        return outcome if outcome.error else worker

    async def _provide(self, target: Target) -> Path:
        """Make an environment again that was there at the build: somebody has emptied the cache since."""
        with self._builder.log(target.build) as log:
            return await self._venvs.provide(self._builder.source(target.build), log)

    async def _release(self, worker: Worker) -> None:
        """Back to the idle ones, or to its end."""
        if not worker.usable:
            await self._end(worker)
        elif worker in self._workers:
            worker.idle_since = time.monotonic()
            self._idle.append(worker)
            if len(self._idle) > MAX_IDLE:
                await self._end(self._idle[0])
        await self._tell()

    async def _end(self, worker: Worker) -> None:
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        await worker.close()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
