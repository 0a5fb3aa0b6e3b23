"""The workers of a Dask cluster. Tasks go through its futures; keys go to each worker sealed, beside the tasks."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import count

from distributed import Client, Future, KilledWorker

from algosync.cluster.transfer import Advance
from algosync.core.error import Interrupted, Unreachable
from algosync.core.text import printable
from algosync.executors import worker
from algosync.executors.access import Access
from algosync.executors.answer import MISSING_KEYS, WorkerAnswer
from algosync.executors.dask_connection import LOSSES, connected, everywhere, set_logging
from algosync.executors.introduction import VERSION_CALL, require_same_versions
from algosync.executors.run_keys import RunKeys
from algosync.executors.task import TOPIC, Task

__all__ = ["DaskWorkers", "dask_workers"]

_LOOK_EVERY = 0.2  # seconds
_RESULT_WITHIN = 60.0  # seconds from the end of a task until its small result is here
_STOP_WITHIN, _CLOSE_STOPPED_WITHIN = 0.6, 0.2  # seconds; after a signal the process ends within two
_END_WITHIN, _CLOSE_WITHIN = 5.0, 1.0  # seconds
_LOSSES = 2  # how often one task may be lost
_UNSEALED = 5  # how often one task may come to a worker that does not hold the keys


class _Lost(Exception):
    """A task has no answer, because its worker or the connection to the scheduler was lost."""


class DaskWorkers:
    """Implements `Workers` for one run of algosync. `access`: what the workers need to reach the clusters."""

    def __init__(self, client: Client, address: str, access: Access) -> None:
        self._client = client
        self._address = address
        self._keys = RunKeys(client, secrets.token_hex(8), access)
        self._numbers = count(1)
        self._progress: dict[int, int] = {}
        self._stopped = threading.Event()

    def open(self) -> None:
        """Gives the keys to all workers. UsageError: a worker cannot carry out our tasks."""
        self._client.subscribe_topic(TOPIC, self._take_progress)
        self._keys.give()
        self._keys.keep()

    def close(self) -> None:
        """Lets the workers forget the keys, and closes the client."""
        stopped = self._stopped.is_set()
        if not stopped:
            self._keys.end(_END_WITHIN)
        self._stopped.set()
        with suppress(*LOSSES):  # what is not closed in time ends with the process
            self._client.close(timeout=_CLOSE_STOPPED_WITHIN if stopped else _CLOSE_WITHIN)

    def stop(self) -> None:
        """After a signal: ends the transfers on the workers first, and then the waiting for them here."""
        self._keys.end(_STOP_WITHIN)
        self._stopped.set()

    def carry_out(self, task: Task, advance: Advance) -> WorkerAnswer:
        """As of `Workers`. Dask itself gives a task to another worker if one dies. A task that it loses is sent once more."""
        lost = unsealed = 0
        while True:
            try:
                answer = self._answer(task, advance)
            except _Lost as loss:
                lost += 1
                if lost == _LOSSES:
                    hint = f"look at the scheduler {self._address} and at its workers' logs; run the same command again"
                    raise Unreachable(f"the Dask cluster lost a transfer {lost} times: {loss}", hint=hint) from None
                continue
            if not isinstance(answer, Mapping):
                return answer  # whoever asked refuses it
            if MISSING_KEYS not in answer:
                # A worker that died may have sent the file, although the one that took its place failed.
                doubt = "error" in answer and (lost > 0 or self._keys.has_lost_workers())
                return {**answer, "repeated": True} if doubt else answer
            unsealed += 1
            if unsealed == _UNSEALED:
                raise Unreachable("the Dask cluster's workers do not keep the keys", hint="look at the workers' logs")
            address = answer[MISSING_KEYS]
            self._keys.give([address] if isinstance(address, str) and address else None)

    def _answer(self, task: Task, advance: Advance) -> WorkerAnswer:
        self._keys.check()
        self._check()
        number = next(self._numbers)
        done = threading.Event()
        self._progress[number] = 0
        future: Future[WorkerAnswer] = self._client.submit(
            worker.carry_out, self._keys.run, number, task, key=f"algosync-{self._keys.run}-{number}", pure=False
        )
        future.add_done_callback(lambda _: done.set())
        try:
            while not done.wait(_LOOK_EVERY):
                self._check()
                if self._progress[number]:
                    advance(self._progress[number])
            self._check()
            answer = self._result(future)
            if isinstance(answer, Mapping) and answer.get("error") == Interrupted.__name__:
                self._keys.check()
                raise _Lost("its worker ended it")  # the worker heard nothing of this run for too long
            return answer
        finally:
            future.release()
            self._progress.pop(number, None)

    def _result(self, future: Future[WorkerAnswer]) -> WorkerAnswer:
        try:
            return future.result(timeout=_RESULT_WITHIN)
        except KilledWorker:
            raise _Lost("the workers that had it died") from None
        except CancelledError:
            raise _Lost("the connection to the scheduler was lost") from None
        except LOSSES as error:
            raise _Lost(type(error).__name__) from None
        except Exception as error:  # noqa: BLE001  # the exception of a worker that could not even start the task
            hint = "is algosync installed there, in this version?"
            raise Unreachable(f"a Dask worker cannot carry out a transfer: {printable(str(error), 300)}", hint=hint) from None

    def _check(self) -> None:
        """Interrupted: nobody waits for the task any more. Unreachable: nobody carries it out."""
        if self._stopped.is_set():
            raise Interrupted("interrupted")
        if self._client.status == "closed":
            raise Unreachable("the Dask scheduler does not answer", hint=f"look at {self._address}; run the same command again")
        self._keys.check_workers()

    def _take_progress(self, event: tuple[float, object]) -> None:
        """Called by Dask's thread for each event of the topic, also for those of other runs."""
        match event[1]:
            case {"run": self._keys.run, "done": tuple() | list() as pairs}:  # Dask makes tuples of lists
                for pair in pairs:
                    match pair:
                        case [int() as number, int() as done] if number in self._progress and done >= 0:
                            self._progress[number] = done
                        case _:
                            pass
            case _:
                pass


@contextmanager
def dask_workers(address: str, access: Access, *, debug: bool = False) -> Iterator[DaskWorkers]:
    """The workers of the cluster whose scheduler is at this address. They hold the keys while the body runs.

    Unreachable: the scheduler does not answer. UsageError: a worker has no algosync, or another version of it. `debug`: messages of
    Dask are logged.
    """
    set_logging(debug)
    client = connected(address)
    workers = DaskWorkers(client, address, access)
    try:
        require_same_versions(everywhere(client, *VERSION_CALL))
        workers.open()
        yield workers
    finally:
        workers.close()
