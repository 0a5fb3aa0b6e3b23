"""Builds with faults: what `fault_cluster.BuildFault` asks for, done to the builder."""

import asyncio
import contextlib
import uuid

from algosync.emulator.clock import now_text
from algosync.emulator.faults.cluster_faults import FAIL, NEVER_ENDS, NEVER_LISTED, SABOTAGE, SLOW, BuildFault
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import FAILED, IN_PROGRESS, BuildRecord
from algosync.emulator.running.builder import Builder


class FaultyBuilder(Builder):
    """A builder that heeds the faults of the requests that start its builds. A restart runs builds without them."""

    def start(self, algorithm: Algorithm, commit: str) -> BuildRecord:
        """As the builder's; a build that shall never be seen is not even begun."""
        if _wanted(NEVER_LISTED):
            return BuildRecord(0, str(uuid.uuid4()), algorithm.id, commit, str(uuid.uuid4()), IN_PROGRESS, now_text(), None)
        return super().start(algorithm, commit)

    async def wait(self, build: BuildRecord) -> None:
        """As the builder's, but not for ever: who waits for a build that never ends is waited for in turn."""
        if sabotage := SABOTAGE.get():
            await sabotage.connection.wait(super().wait(build))
        else:
            await super().wait(build)

    async def _run(self, algorithm: Algorithm, build: BuildRecord) -> None:
        # A task begins in the context of who starts it: the request's.
        if _wanted(NEVER_ENDS):
            await asyncio.Event().wait()
        if fault := _wanted(SLOW):
            await asyncio.sleep(fault.seconds or 0)
        if fault := _wanted(FAIL):
            # Without room for a log, that it failed is all that can be said: as of other builds.
            with contextlib.suppress(OSError), await self._new_log(build) as log:
                log.write(f"{fault.log}\nBuild failed\n".encode())
            self._records.builds.finish(build, FAILED)
        else:
            await super()._run(algorithm, build)


def _wanted(build: str) -> BuildFault | None:
    """The fault that strikes here, if it is of this sort."""
    sabotage = SABOTAGE.get()
    return sabotage.fault if sabotage and sabotage.fault.build == build else None
