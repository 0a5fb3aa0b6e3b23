"""Builds with faults: what `fault_cluster.BuildFault` asks for, done to the builder."""

import asyncio
import uuid

from algosync.emulator.algorithms import Algorithm
from algosync.emulator.builder import Builder
from algosync.emulator.builds import FAILED, IN_PROGRESS, Build
from algosync.emulator.clock import now_text
from algosync.emulator.fault_cluster import FAIL, NEVER_ENDS, NEVER_LISTED, SABOTAGE


class SabotagedBuilder(Builder):
    """A builder that heeds the faults of the requests that start its builds. A restart runs builds without them."""

    def start(self, algorithm: Algorithm, commit: str) -> Build:
        """As the builder's; a build that shall never be seen is not even begun."""
        fault = SABOTAGE.get()
        if fault and fault.build == NEVER_LISTED:
            return Build(0, str(uuid.uuid4()), algorithm.id, commit, str(uuid.uuid4()), IN_PROGRESS, now_text(), None)
        return super().start(algorithm, commit)

    async def _run(self, algorithm: Algorithm, build: Build) -> None:
        # A task sees the context that it was started in: the request's.
        fault = SABOTAGE.get()
        if fault and fault.build == NEVER_ENDS:
            await asyncio.Event().wait()
        if fault and fault.log is not None and fault.build == FAIL:
            with await asyncio.to_thread(self._new_log, build) as log:
                log.write(f"{fault.log}\nBuild failed\n".encode())
            self._records.builds.finish(build, FAILED)
            return
        if fault and fault.seconds is not None:
            await asyncio.sleep(fault.seconds)
        await super()._run(algorithm, build)
