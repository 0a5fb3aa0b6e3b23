"""Attempts of algorithms to tamper with their worker. None of them affects the next caller."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from emulated import alive

from algosync.emulator.git.repositories import Repositories
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.records.accounts import Accounts, Caller
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import SUCCEEDED, BuildRecord
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.database import Database
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.calls import Call, CallResult, Target
from algosync.emulator.running.pool import Pool
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.worker import Worker, WorkerContext

TIMEOUT = 10
TARGET = Target(
    Algorithm("One", "local", "One", {}, {}, ""), BuildRecord(1, "One", "One", "commit", "", SUCCEEDED, "", None), may_call=True
)

FORKS = """
import os
def apply(input):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return [input, child != 0]
"""

FORKS_AT_IMPORT = """
import os
child = os.fork()
if child:
    os.waitpid(child, 0)
def apply(input):
    return [input, child != 0]
"""

FORGES = """
import os, stat
def apply(input):
    for descriptor in range(3, 16):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, input.encode())
        except OSError:
            pass
    return input
"""

LEAVES_A_CHILD = """
import os, signal
def apply(input):
    reading, writing = os.pipe()
    if os.fork() == 0:
        if input["session"]:
            os.setsid()
        open(input["file"], "w").write(str(os.getpid()))
        os.write(writing, b"!")
        signal.pause()
    os.read(reading, 1)
    os._exit(4)
"""

PID = """
import os
def apply(input):
    return os.getpid()
"""

Run = Callable[[object], Awaitable[CallResult]]


def with_algorithm(folder: Path, environments: Path, code: str, scenario: Callable[[Run, Pool], Awaitable[None]]) -> None:
    """Run a scenario with a function that calls an algorithm with this source in a pool."""
    source = folder / "builds" / "One" / "src"
    (source / "src").mkdir(parents=True)
    (source / "algorithmia.conf").write_text('{"algoname": "One"}')
    (source / "src" / "One.py").write_text(code)

    async def run() -> None:
        database = Database(folder / "database")
        venvs = Venvs(environments)
        host = WorkerContext(folder / "run", "http://127.0.0.1:9", Accounts(database))
        spares = Spares(host)
        builder = Builder(folder / "builds", Catalog.of(database), Repositories(folder / "git"), venvs, spares)
        pool = Pool(host, builder, venvs, spares)

        async def call(value: object) -> CallResult:
            root_call = Call("local", "tree", 0)
            return await pool.call(TARGET, root_call, {"content_type": "json", "data": value}, TIMEOUT)

        try:
            await scenario(call, pool)
        finally:
            await pool.close()
            database.close()

    asyncio.run(run())


@pytest.mark.parametrize("code", [FORKS, FORKS_AT_IMPORT])
def test_only_the_worker_itself_can_answer(tmp_path: Path, environments: Path, code: str) -> None:
    async def scenario(call: Run, pool: Pool) -> None:
        for value in ("first", "second"):
            outcome = await call(value)
            assert outcome.document.get("result") == [value, True], outcome

    with_algorithm(tmp_path, environments, code, scenario)


@pytest.mark.parametrize("line", ['{"result": "forged"}\n', '0 {"result": "forged"}\n', '2 {"result": "forged"}\n'])
def test_an_answer_has_the_number_of_its_request(tmp_path: Path, environments: Path, line: str) -> None:
    async def scenario(call: Run, pool: Pool) -> None:
        outcome = await call(line)
        assert outcome.error is not None
        assert outcome.error["message"] == "The algorithm's answer could not be read"
        assert (await call("")).document["result"] == ""

    with_algorithm(tmp_path, environments, FORGES, scenario)


@pytest.mark.parametrize("session", [False, True])
def test_the_end_of_a_worker_is_noticed_if_a_child_holds_stdout(tmp_path: Path, environments: Path, session: bool) -> None:
    async def scenario(call: Run, pool: Pool) -> None:
        outcome = await call({"session": session, "file": str(tmp_path / "child")})
        assert outcome.error is not None
        assert outcome.error["message"] == "The algorithm's process ended with exit code 4"
        assert outcome.duration < TIMEOUT / 2

    with_algorithm(tmp_path, environments, LEAVES_A_CHILD, scenario)
    assert not alive(int((tmp_path / "child").read_text())), "the child survives in its own session"


def test_a_worker_that_died_while_idle_is_not_used(tmp_path: Path, environments: Path) -> None:
    async def scenario(call: Run, pool: Pool) -> None:
        first = int(str((await call(None)).document["result"]))
        os.kill(first, signal.SIGKILL)
        while not all(worker.ended for worker in pool._idle):
            await asyncio.sleep(0.01)
        outcome = await call(None)
        assert outcome.error is None, outcome
        assert outcome.document["result"] != first
        assert len(list((tmp_path / "run").iterdir())) == 1

    with_algorithm(tmp_path, environments, PID, scenario)


def test_a_worker_that_cannot_start_leaves_no_token(tmp_path: Path) -> None:
    class Counted(Accounts):
        admitted = 0

        def admit(self, worker: Callable[[], Caller | None]) -> str:
            self.admitted += 1
            return super().admit(worker)

    database = Database(tmp_path / "database")
    accounts = Counted(database)
    (tmp_path / "run").write_text(json.dumps("no folder"))
    with pytest.raises(OSError, match="run"):
        Worker(WorkerContext(tmp_path / "run", "http://127.0.0.1:9", accounts))
    assert accounts.admitted == 0
    database.close()
