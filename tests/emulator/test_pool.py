"""Lifetime of workers, tested in this process because a test cannot wait five minutes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from algosync.emulator.git.repositories import Repositories
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import SUCCEEDED, BuildRecord
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.database import Database
from algosync.emulator.running import pool
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.calls import Call, Target
from algosync.emulator.running.pool import Pool
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.turns import Turns
from algosync.emulator.running.worker import WorkerContext

ROOT = partial(Call, "local", "tree", 0)
Start = Callable[[Target], Awaitable[int]]


def target(folder: Path, name: str) -> Target:
    """An algorithm that returns its process id, with a build."""
    source = folder / "builds" / name / "src"
    (source / "src").mkdir(parents=True)
    (source / "algorithmia.conf").write_text(json.dumps({"algoname": name}))
    (source / "src" / f"{name}.py").write_text("import os\ndef apply(input):\n    return os.getpid()\n")
    algorithm = Algorithm(name, "local", name, {}, {}, "")
    return Target(algorithm, BuildRecord(1, name, name, "commit", "", SUCCEEDED, "", None), may_call=True)


def with_pool(folder: Path, environments: Path, scenario: Callable[[Pool, Start], Awaitable[None]]) -> None:
    """Run a scenario with a pool and a function that calls a target in it."""

    async def run() -> None:
        database = Database(folder / "database")
        venvs = Venvs(environments)
        host = WorkerContext(folder / "run", "http://127.0.0.1:9", Accounts(database))
        spares = Spares(host)
        builder = Builder(folder / "builds", Catalog.of(database), Repositories(folder / "git"), venvs, spares)
        workers = Pool(host, builder, venvs, spares)

        async def start(wanted: Target) -> int:
            outcome = await workers.call(wanted, ROOT(), {"content_type": "json", "data": None}, 60)
            assert outcome.error is None, outcome
            return int(str(outcome.document["result"]))

        try:
            await scenario(workers, start)
        finally:
            await workers.close()
        assert list((folder / "run").iterdir()) == []
        database.close()

    asyncio.run(run())


def running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_idle_workers_are_reaped(tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(workers: Pool, start: Start) -> None:
        one = target(tmp_path, "One")
        first = await start(one)
        await workers.reap()
        assert await start(one) == first
        monkeypatch.setattr(pool, "IDLE_SECONDS", -1)
        await workers.reap()
        assert not running(first)
        assert await start(one) != first

    with_pool(tmp_path, environments, scenario)


def test_recently_used_workers_are_kept(tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_IDLE", 2)

    async def scenario(workers: Pool, start: Start) -> None:
        one, two, three = (target(tmp_path, name) for name in ("One", "Two", "Three"))
        first, second = await start(one), await start(two)
        assert await start(one) == first
        third = await start(three)
        await asyncio.gather(*workers._ending)
        assert [running(pid) for pid in (first, second, third)] == [True, False, True]
        await workers.retire("One")
        assert [running(pid) for pid in (first, third)] == [False, True]

    with_pool(tmp_path, environments, scenario)


def test_imports_are_limited(tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six simultaneous calls of an algorithm that counts how many of its imports overlap."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    source = f"""
import os, time
mine = {str(meeting)!r} + "/" + str(os.getpid())
open(mine, "w").close()
time.sleep(0.4)
overlapping = len(os.listdir({str(meeting)!r}))
os.remove(mine)
def apply(input):
    time.sleep(0.5)
    return overlapping
"""

    async def scenario(workers: Pool, start: Start) -> None:
        one = target(tmp_path, "One")
        (tmp_path / "builds" / "One" / "src" / "src" / "One.py").write_text(source)
        monkeypatch.setattr(workers, "_imports", Turns(2))
        overlaps = await asyncio.gather(*[start(one) for _ in range(6)])
        assert max(overlaps) <= 2

    with_pool(tmp_path, environments, scenario)
