"""Cancelled tasks wait for the threads that they have started."""

import asyncio
import gc
import sys
import threading
from collections.abc import Awaitable
from functools import partial
from pathlib import Path

import pytest

from algosync.emulator.git.repositories import Repositories
from algosync.emulator.processes import removal
from algosync.emulator.python import installer, venvs
from algosync.emulator.python.interpreters import OWN
from algosync.emulator.python.requirements import parse
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.database import Database
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.worker import WorkerContext
from algosync.emulator.threads import finished

DEADLINE = 300


class Held:
    """Work for a thread that waits until `go_on` is set."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.done = False

    def __call__(self, *_: object) -> None:
        self.begun.set()
        assert self.go_on.wait(DEADLINE)
        self.done = True

    async def cancelled(self, work: Awaitable[object], times: int = 1) -> bool:
        """Cancel a task while it runs this work. Returns whether it waited for the work and was cancelled."""
        task = asyncio.ensure_future(work)
        assert await asyncio.to_thread(self.begun.wait, DEADLINE)
        for _ in range(times):
            task.cancel()
            # A task that does not wait for the thread ends here.
            await asyncio.wait([task], timeout=0.05)
        waits = not task.done()
        self.go_on.set()
        await asyncio.wait([task], timeout=DEADLINE)
        return waits and self.done and task.cancelled()


def test_a_cancelled_task_ends_after_its_thread() -> None:
    held, stopped = Held(), threading.Event()
    assert asyncio.run(held.cancelled(finished(held, stopped), times=3))
    assert stopped.is_set()


def test_the_result_or_exception_of_a_thread() -> None:
    assert asyncio.run(finished(lambda: 1)) == 1
    with pytest.raises(ZeroDivisionError):
        asyncio.run(finished(lambda: 1 // 0))


def test_a_cancelled_environment_is_not_written_to_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another build gets its lock as soon as this one has ended."""
    held = Held()
    monkeypatch.setattr(venvs, "remove", held)
    with (tmp_path / "log").open("ab") as log:
        provide = partial(venvs.Venvs(tmp_path / "environments").provide, parse(""), tmp_path, OWN, log)

        async def provided() -> bool:
            return await held.cancelled(provide())

        assert asyncio.run(provided())


def test_a_cancelled_installer_ends_after_its_cleanup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    monkeypatch.setattr(installer, "discard", held)
    with (tmp_path / "log").open("ab") as log:
        run = partial(installer._run, [sys.executable, "-c", ""], tmp_path, tmp_path / "tmp", log, {})

        async def ran() -> bool:
            return await held.cancelled(run())

        assert asyncio.run(ran())


def test_deleting_a_running_build_removes_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build has just started and is creating its folder."""
    held, remove = Held(), removal.remove

    def remove_when_told(path: Path) -> None:
        held()
        remove(path)

    async def delete() -> None:
        database = Database(tmp_path / "database")
        spares = Spares(WorkerContext(tmp_path / "run", "http://127.0.0.1:9", Accounts(database)))
        environments = venvs.Venvs(tmp_path / "environments")
        records, algorithm = Catalog.of(database), Algorithm("any", "local", "Any", {}, {}, "")
        records.algorithms.add(algorithm)
        builder = Builder(tmp_path / "builds", records, Repositories(tmp_path / "git"), environments, spares)
        build = builder.start(algorithm, "0" * 40)
        assert await asyncio.to_thread(held.begun.wait, DEADLINE)
        discarding = asyncio.create_task(builder.discard([build]))
        await asyncio.wait([discarding], timeout=0.05)
        waits = not discarding.done()
        held.go_on.set()
        await discarding
        database.close()
        assert waits

    monkeypatch.setattr(removal, "remove", remove_when_told)
    asyncio.run(delete())
    assert list((tmp_path / "builds").iterdir()) == []


def test_a_failure_of_a_cancelled_thread_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Such a thread usually fails because it was stopped."""

    async def cancel() -> None:
        stopped, begun = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            assert stopped.wait(DEADLINE)
            raise OSError("stopped")

        task = asyncio.ensure_future(finished(work, stopped))
        assert await asyncio.to_thread(begun.wait, DEADLINE)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancel())
    gc.collect()
    assert caplog.messages == []
