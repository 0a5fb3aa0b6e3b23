"""Builds: check a commit out and provide its requirements, so that it can be called."""

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
import traceback
from collections import defaultdict
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import IO

from algosync.emulator.git.repositories import Repositories
from algosync.emulator.processes import removal, untrusted_file
from algosync.emulator.python import interpreters, requirements
from algosync.emulator.python.installer import InstallError
from algosync.emulator.python.interpreters import Interpreter
from algosync.emulator.python.requirements import Requirements
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import FAILED, SUCCEEDED, BuildRecord
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.running.checkout import CheckoutError, checkout
from algosync.emulator.running.source_advice import advice
from algosync.emulator.running.spares import Spares
from algosync.emulator.threads import finished

RETRY_SECONDS = 1.0
"""Time between attempts to record a build, or its end, on a full disk."""


class Builder:
    """Runs builds. Those of one algorithm run one after the other. The work on sources is limited to one build per core at once.

    Call all methods on the event loop's thread.
    """

    def __init__(self, folder: Path, catalog: Catalog, repositories: Repositories, venvs: Venvs, spares: Spares) -> None:
        self._folder = folder
        self._catalog = catalog
        self._repositories = repositories
        self._venvs = venvs
        self._spares = spares
        self._cores = asyncio.Semaphore(os.cpu_count() or 1)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: dict[str, asyncio.Task[None]] = {}
        folder.mkdir(exist_ok=True)

    def start(self, algorithm: Algorithm, commit: str) -> BuildRecord:
        """Record a build of this commit as in progress and start it."""
        build = self._catalog.builds.start(algorithm.id, commit)
        self._launch(build.id, self._run(algorithm, build))
        return build

    def start_pushed(self, algorithm: Algorithm, commit: str) -> BuildRecord:
        """Start the build of a pushed commit. If this raises `sqlite3.OperationalError` (disk full), the build is started later."""
        try:
            return self.start(algorithm, commit)
        except sqlite3.OperationalError:
            self._launch(f"{algorithm.id} {commit}", self._start_late(algorithm, commit))
            raise

    async def wait(self, build: BuildRecord) -> None:
        """Return when this build has ended, whether it succeeded or failed."""
        if task := self._running.get(build.id):
            await asyncio.wait([task])

    async def ends(self, build: BuildRecord, within: float) -> bool:
        """Whether this build ends within so many seconds, whether it succeeds or fails."""
        if task := self._running.get(build.id):
            return bool((await asyncio.wait([task], timeout=within))[0])
        return True

    def recover(self) -> None:
        """Run unfinished builds of the previous server again, and build pushed heads for which it recorded no build."""
        self._venvs.sweep()
        known = self._catalog.builds.ids()
        for entry in self._folder.iterdir():
            if entry.name not in known:
                removal.discard(entry)
        algorithms = {algorithm.id: algorithm for algorithm in self._catalog.algorithms.all()}
        for build in self._catalog.builds.unfinished():
            self._launch(build.id, self._run(algorithms[build.algorithm_id], build))
        for algorithm in algorithms.values():
            head = self._repositories.head(algorithm.id)
            if head is None:
                # Its folder was removed by hand. Go on with the other algorithms.
                logging.error("The repository of %s/%s is gone or damaged", algorithm.owner, algorithm.name)
                continue
            if head != algorithm.initial_commit and not self._catalog.builds.of_commit(algorithm.id, head):
                self.start(algorithm, head)

    async def close(self) -> None:
        """Stop all builds. They stay recorded as in progress, and the next server runs them again."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def source(self, build: BuildRecord) -> Path:
        """The folder with the source of a build."""
        return self._folder / build.id / "src"

    def log(self, build: BuildRecord) -> IO[bytes]:
        """The log of a build, open for reading and appending."""
        return self.log_file(build).open("ab+", buffering=0)

    def log_file(self, build: BuildRecord) -> Path:
        """The path of a build's log. The file exists once the build has begun."""
        return self._folder / build.id / "build.log"

    async def interpreter(self, algorithm: Algorithm, build: BuildRecord) -> Interpreter:
        """The Python that runs a build: the one it was made with, or a newly chosen one if that has gone."""
        if found := await asyncio.to_thread(interpreters.kept, self._interpreter_file(build)):
            return found
        with self.log(build) as log:
            return await self._choose(algorithm, build, log)

    async def requirements(self, build: BuildRecord) -> Requirements:
        """The requirements of a build as they were pushed. Code of packages may have changed the list in the source since."""
        kept = self._requirements_file(build)
        # Builds made by earlier versions have no copy.
        return await asyncio.to_thread(requirements.read, kept if kept.exists() else self.source(build) / kept.name)

    async def discard(self, builds: list[BuildRecord]) -> None:
        """Stop the builds of a deleted algorithm, then remove their files."""
        tasks = [task for build in builds if (task := self._running.get(build.id))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for build in builds:
            await asyncio.to_thread(removal.discard, self._folder / build.id)

    async def _start_late(self, algorithm: Algorithm, commit: str) -> None:
        """Try to start the build of a pushed commit until it has one, or the algorithm is deleted."""
        while self._catalog.algorithms.get(algorithm.id) and not self._catalog.builds.of_commit(algorithm.id, commit):
            await asyncio.sleep(RETRY_SECONDS)
            with contextlib.suppress(sqlite3.OperationalError):
                self.start(algorithm, commit)

    def _launch(self, key: str, work: Coroutine[None, None, None]) -> None:
        """Run the work of a build, or of starting one late, until `close`. The key of a build is its id."""
        task = self._running[key] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _run(self, algorithm: Algorithm, build: BuildRecord) -> None:
        async with self._turns[algorithm.id]:
            try:
                with await self._new_log(build) as log:
                    status = await self._build(algorithm, build, log)
            except OSError:
                # The disk has no room for a log: only the status can tell of the failure.
                status = FAILED
            await self._finish(build, status)

    async def _finish(self, build: BuildRecord, status: str) -> None:
        """Record the end of a build. While that fails, for example because the disk is full, try again."""
        warned = False
        while True:
            try:
                self._catalog.builds.finish(build, status)
            except sqlite3.OperationalError as error:
                if not warned:
                    logging.warning("The end of build %s cannot be recorded yet: %s", build.id, error)
                warned = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _build(self, algorithm: Algorithm, build: BuildRecord, log: IO[bytes]) -> str:
        log.write(f"Building {algorithm.owner}/{algorithm.name} at {build.commit}\n".encode())
        try:
            interpreter = await self._choose(algorithm, build, log)
            log.write(f"{self._venvs.notice}\n".encode())
            async with self._cores:
                await self._check_out(build)
            wanted = await self.requirements(build)
            python = await self._venvs.provide(wanted, self.source(build), interpreter, log)
            async with self._cores:
                told = await advice(self.source(build), algorithm.settings, interpreter.executable)
            log.write("".join(f"{line}\n" for line in told).encode())
            if not wanted.local:
                # Usually a build is called soon after.
                self._spares.prepare(python)
        except (CheckoutError, InstallError, OSError) as error:
            log.write(f"{error}\nBuild failed\n".encode("utf-8", "backslashreplace"))
            return FAILED
        except Exception:  # noqa: BLE001 - any failure must end the build and be in its log
            log.write(traceback.format_exc().encode("utf-8", "backslashreplace"))
            return FAILED
        log.write(b"Build succeeded\n")
        return SUCCEEDED

    async def _choose(self, algorithm: Algorithm, build: BuildRecord, log: IO[bytes]) -> Interpreter:
        environment = self._catalog.environments.by_id(algorithm.settings["algorithm_environment"])
        wanted = environment.kind.display_name if environment else "an environment of another cluster"
        found, told = await asyncio.to_thread(interpreters.choose, wanted)
        log.write(f"Environment: {told}\n".encode())
        interpreters.keep(found, self._interpreter_file(build))
        return found

    def _interpreter_file(self, build: BuildRecord) -> Path:
        return self._folder / build.id / "interpreter"

    def _requirements_file(self, build: BuildRecord) -> Path:
        """Beside the source, where code in a jail cannot write."""
        return self._folder / build.id / "requirements.txt"

    async def _new_log(self, build: BuildRecord) -> IO[bytes]:
        """Make an empty folder for the build, and open the log in it."""
        await finished(partial(removal.remove, self._folder / build.id))
        (self._folder / build.id).mkdir()
        return self.log(build)

    async def _check_out(self, build: BuildRecord) -> None:
        """Write the source. If the build is cancelled, the writing thread is stopped, and this ends after it."""
        stopped = threading.Event()
        await finished(partial(self._write_source, build, stopped), stopped)

    def _write_source(self, build: BuildRecord, stopped: threading.Event) -> None:
        with self._repositories.open(build.algorithm_id) as repository:
            checkout(repository, build.commit, self.source(build), stopped)
        kept = self._requirements_file(build)
        try:
            kept.write_bytes(untrusted_file.read(self.source(build) / kept.name, requirements.MAX_BYTES))
        except FileNotFoundError:
            kept.touch()
