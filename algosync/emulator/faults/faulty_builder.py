"""Applies `cluster_faults.BuildFault` to builds."""

import asyncio
import contextlib
import uuid

from algosync.emulator.clock import now_text
from algosync.emulator.faults.cluster_faults import ACTIVE_BUILD_FAULT, FAIL, NEVER_ENDS, NEVER_LISTED, SLOW, BuildFault
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import FAILED, IN_PROGRESS, BuildRecord
from algosync.emulator.running.builder import Builder


class FaultyBuilder(Builder):
    """A builder that applies the fault of the request that starts a build. Builds that are resumed at a restart have no faults."""

    def start(self, algorithm: Algorithm, commit: str) -> BuildRecord:
        """As in `Builder`. A build that is never listed is not recorded and not started."""
        if _active(NEVER_LISTED):
            return BuildRecord(0, str(uuid.uuid4()), algorithm.id, commit, str(uuid.uuid4()), IN_PROGRESS, now_text(), None)
        return super().start(algorithm, commit)

    async def wait(self, build: BuildRecord) -> None:
        """As in `Builder`, but ends when the client leaves, since the build may never end."""
        if active := ACTIVE_BUILD_FAULT.get():
            await active.connection.wait(super().wait(build))
        else:
            await super().wait(build)

    async def _run(self, algorithm: Algorithm, build: BuildRecord) -> None:
        # The task of a build inherits the context of the request that started it.
        if _active(NEVER_ENDS):
            await asyncio.Event().wait()
        if fault := _active(SLOW):
            await asyncio.sleep(fault.seconds or 0)
        if fault := _active(FAIL):
            # As with other builds, a log that cannot be written is omitted.
            with contextlib.suppress(OSError), await self._new_log(build) as log:
                log.write(f"{fault.log}\nBuild failed\n".encode())
            self._catalog.builds.finish(build, FAILED)
        else:
            await super()._run(algorithm, build)


def _active(build: str) -> BuildFault | None:
    """The build fault of the current request, if it is of this sort."""
    active = ACTIVE_BUILD_FAULT.get()
    return active.fault if active and active.fault.build == build else None
