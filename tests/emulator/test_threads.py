"""Cancelled work: whoever has started its thread outlives it."""

import asyncio
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
from algosync.emulator.records.catalog import Records
from algosync.emulator.records.database import Database
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.worker import WorkerContext
from algosync.emulator.threads import finished

DEADLINE = 30


class Held:
    """What a thread does when it is told to go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.done = False

    def __call__(self, *_: object) -> None:
        self.begun.set()
        assert self.go_on.wait(DEADLINE)
        self.done = True

    async def cancelled(self, work: Awaitable[object], times: int = 1) -> bool:
        """Whether a task that is cancelled during this has waited for it."""
        task = asyncio.ensure_future(work)
        assert await asyncio.to_thread(self.begun.wait, DEADLINE)
        for _ in range(times):
            task.cancel()
            # It takes note of it, and ends, if it does not wait for the thread.
            await asyncio.wait([task], timeout=0.05)
        waits = not task.done()
        self.go_on.set()
        await asyncio.wait([task], timeout=DEADLINE)
        return waits and self.done and task.cancelled()


def test_a_cancelled_task_ends_after_its_thread() -> None:
    held, stopped = Held(), threading.Event()
    assert asyncio.run(held.cancelled(finished(held, stopped), times=3))
    assert stopped.is_set()


def test_what_a_thread_returns_and_raises() -> None:
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


def test_a_cancelled_installer_is_not_tidied_up_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    monkeypatch.setattr(installer, "discard", held)
    with (tmp_path / "log").open("ab") as log:
        run = partial(installer._run, [sys.executable, "-c", ""], tmp_path, tmp_path / "tmp", log, {})

        async def ran() -> bool:
            return await held.cancelled(run())

        assert asyncio.run(ran())


def test_a_deleted_build_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has just its turn, and makes its folder anew."""
    held, remove = Held(), removal.remove

    def remove_when_told(path: Path) -> None:
        held()
        remove(path)

    async def delete() -> None:
        database = Database(tmp_path / "database")
        spares = Spares(WorkerContext(tmp_path / "run", "http://127.0.0.1:9", Accounts(database)))
        environments = venvs.Venvs(tmp_path / "environments")
        records, algorithm = Records.of(database), Algorithm("any", "local", "Any", {}, {}, "")
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
