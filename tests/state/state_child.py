"""Processes that work on a state and can be killed. They are forked from a single-threaded server, which takes milliseconds."""

from __future__ import annotations

import multiprocessing
import os
import resource
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from state_samples import HELLO, NAME, WEIGHTS, a_record

from algosync.core.address import Address
from algosync.core.error import LockHeld, StateError
from algosync.core.test_result import TestResult
from algosync.state import Patience, TestResults, open_session, parse_address
from algosync.state.remote.s3 import S3Backend

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["state_child"])


def start(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """The process and the pipe for its reports. The first argument of the target is the other end of the pipe."""
    ours, theirs = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=_run, args=(dict(os.environ), target, theirs, *arguments))
    process.start()
    theirs.close()
    return process, ours


def _run(environ: dict[str, str], target: Callable[..., None], *arguments: Any) -> None:
    os.environ.update(environ)  # the server was started with an older one
    if "TEST_LEASE" in environ:  # seconds of a lease on S3
        S3Backend.__init__.__defaults__ = ("algosync", float(environ["TEST_LEASE"]))
    target(*arguments)


def reports(process: BaseProcess, pipe: Connection) -> list[Any]:
    """The remaining reports of a process, until it ends."""
    found = []
    while True:
        try:
            found.append(pipe.recv())
        except EOFError:
            process.join()
            return found


def apply_two(_: Connection, folder: Path, environment: dict[str, str]) -> None:
    """Does what an apply does: two remote writes for one resource, and one for another. A second run changes nothing."""
    os.environ.update(environment)
    with open_session(str(folder), NAME, exclusive=True) as session:
        if HELLO not in session.records:
            with session.writing(HELLO, "create"):
                pass
            with session.writing(HELLO, "update"):
                pass
            session.commit(a_record(HELLO, 1))
        if session.records.get(WEIGHTS) != a_record(WEIGHTS, 2):
            with session.writing(WEIGHTS, "upload"):
                pass
            session.commit(a_record(WEIGHTS, 2))


def commit_forever(pipe: Connection, folder: Path, threads: int) -> None:
    """Each thread increments the number of its own record, and reports it when it is acknowledged."""
    session = open_session(str(folder), NAME, exclusive=True)
    session.fold_every = 7

    def work(address: Address) -> None:
        known = session.records.get(address)
        number = 0 if known is None or known.size is None else known.size
        while True:
            number += 1
            with session.writing(address, "upload"):
                pass
            session.commit(a_record(address, number))
            pipe_lock.acquire()
            pipe.send((address, number))
            pipe_lock.release()

    pipe_lock = threading.Lock()
    for n in range(threads):
        threading.Thread(target=work, args=(Address("data", "Hello", f"file {n}"),)).start()


def count_up(pipe: Connection, address: str, sessions: int, commits: int) -> None:
    """Increments a number that all processes share, and adds a record for each of its own commits."""
    for n in range(sessions):
        with open_session(address, NAME, exclusive=True, wait=Patience(300)) as session:
            for m in range(commits):
                known = session.records.get(HELLO)
                session.commit(a_record(HELLO, 1 if known is None else (known.size or 0) + 1))
                session.commit(a_record(Address("data", "Hello", f"{os.getpid()} {n} {m}")))
    pipe.send("done")


def count_on(pipe: Connection, address: str, journals: Path) -> None:
    """Increments a number, saves now and then, and reports each number when it is acknowledged."""
    while True:
        with open_session(address, NAME, exclusive=True, wait=Patience(300), journals=journals) as session:
            for _ in range(5):
                known = session.records.get(HELLO)
                number = 1 if known is None else (known.size or 0) + 1
                session.commit(a_record(HELLO, number))
                pipe.send(number)


def record_results(pipe: Connection, address: str, own: list[Address], tests: list[Address]) -> None:
    """Records a result for each of its own tests, in a write of its own, and reports the warnings."""
    results = TestResults(lambda name: parse_address(address)(name, "algosync test"), NAME)
    for test in own:
        pipe.send(results.record({test: TestResult(test, passed=False, at="1", since="1", reason="no")}, tests))


def hold(pipe: Connection, address: str) -> None:
    """Holds the lock until it is killed."""
    with open_session(address, NAME, exclusive=True, command="algosync apply"):
        pipe.send("locked")
        threading.Event().wait()


def run_out_of_space(pipe: Connection, folder: Path) -> None:
    """Commits while files may not grow, reports the errors, and goes on when they may grow again."""
    with open_session(str(folder), NAME, exclusive=True) as session:
        session.commit(a_record(HELLO, 1))
        size = (folder / f"{NAME}.journal").stat().st_size
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for number, limit in ((2, size + 30), (3, 30)):  # half a line fits; nothing fits
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            try:
                session.commit(a_record(WEIGHTS, number))
            except StateError as error:
                pipe.send((error.message, error.hint))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        session.commit(a_record(WEIGHTS, 4))
        pipe.send((session.serial, dict(session.records)))


def write_without_umask(pipe: Connection, folder: Path) -> None:
    os.umask(0)
    session = open_session(str(folder), NAME, exclusive=True)
    session.fold_every = 3
    for number in range(5):
        session.commit(a_record(HELLO, number))
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.parent.parent.rglob("*")}
    session.close()
    pipe.send(modes | {path.name: path.stat().st_mode & 0o777 for path in folder.parent.parent.rglob("*")})


def read_as_nobody(pipe: Connection, folder: Path) -> None:
    os.setgid(65534)
    os.setuid(65534)
    with open_session(str(folder), NAME, exclusive=False) as session:
        pipe.send(session.serial)
    try:
        open_session(str(folder), NAME, exclusive=True)
    except StateError as error:
        pipe.send((type(error) is LockHeld, error.message))
