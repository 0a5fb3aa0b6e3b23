"""The workers of a Dask cluster. Tasks go through its futures; keys go to each worker sealed, beside the tasks."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import count
from typing import cast

from distributed import Client, Future, KilledWorker

from algosync.cluster.transfer import Advance
from algosync.core.error import Interrupted, Unreachable, UsageError
from algosync.core.text import printable
from algosync.executors import worker
from algosync.executors.access import Access
from algosync.executors.answer import MISSING_KEYS, WorkerAnswer
from algosync.executors.introduction import VERSION_CALL, public_keys, require_same_versions
from algosync.executors.sealed import seal
from algosync.executors.task import TOPIC, Task

__all__ = ["DaskWorkers", "dask_workers"]

_LOOK_EVERY = 0.2  # seconds
_RENEW_EVERY = 15.0  # seconds
_GONE_FOR = 4  # renewals that found no worker
_STOP_WITHIN = 0.8  # seconds; after a signal the process ends within two
_END_WITHIN = 5.0  # seconds
_CONNECT_WITHIN = 10.0  # seconds
_CLOSE_WITHIN = 1.0  # seconds
_LOSSES = 2  # how often one task may be lost
_UNSEALED = 5  # how often one task may come to a worker that does not hold the keys


class _Lost(Exception):
    """A task has no answer, because its worker or the connection to the scheduler was lost."""


class DaskWorkers:
    """Implements `Workers` for one run of algosync. `access`: what the workers need to reach the clusters."""

    def __init__(self, client: Client, address: str, access: Access) -> None:
        self._client = client
        self._address = address
        self._message = access.message
        self._run = secrets.token_hex(8)
        self._numbers = count(1)
        self._progress: dict[int, int] = {}
        self._stopped = threading.Event()
        self._without_workers = 0
        self._seen: set[str] = set()
        self._sealing = threading.Lock()

    def open(self) -> int:
        """Gives the keys to all workers. Returns how many there are. UsageError: a worker cannot carry out our tasks."""
        self._client.subscribe_topic(TOPIC, self._take_progress)
        holders = self._seal()
        threading.Thread(target=self._renew, name="dask-renewal", daemon=True).start()
        return holders

    def close(self, within: float = _END_WITHIN) -> None:
        """Ends what is under way, and lets the workers forget the keys. Waits at most so many seconds for that."""
        if self._stopped.is_set():
            return
        ending = threading.Thread(target=self._end, name="dask-end", daemon=True)
        ending.start()
        ending.join(within)
        self._stopped.set()

    def stop(self) -> None:
        """After a signal: ends the transfers on the workers first, and then the waiting for them here."""
        self.close(_STOP_WITHIN)

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
                return {**answer, "repeated": True} if "error" in answer and (lost or self._has_lost_workers()) else answer
            unsealed += 1
            if unsealed == _UNSEALED:
                raise Unreachable("the Dask cluster's workers do not keep the keys", hint="look at the workers' logs")
            self._seal()

    def _answer(self, task: Task, advance: Advance) -> WorkerAnswer:
        self._check()
        number = next(self._numbers)
        done = threading.Event()
        self._progress[number] = 0
        future: Future[WorkerAnswer] = self._client.submit(
            worker.carry_out, self._run, number, task, key=f"algosync-{self._run}-{number}", pure=False
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
                self._check()
                raise _Lost("its worker ended it")  # the worker heard nothing of this run for too long
            return answer
        finally:
            future.release()
            self._progress.pop(number, None)

    def _result(self, future: Future[WorkerAnswer]) -> WorkerAnswer:
        try:
            return future.result(timeout=60)
        except KilledWorker:
            raise _Lost("the workers that had it died") from None
        except CancelledError:
            raise _Lost("the connection to the scheduler was lost") from None
        except (OSError, TimeoutError) as error:
            raise _Lost(type(error).__name__) from None
        except Exception as error:  # noqa: BLE001  # the exception of a worker that could not even start the task
            hint = "is algosync installed there, in this version?"
            raise Unreachable(f"a Dask worker cannot carry out a transfer: {printable(str(error), 300)}", hint=hint) from None

    def _check(self) -> None:
        """Interrupted: the run was stopped. Unreachable: there are no workers any more."""
        if self._stopped.is_set():
            raise Interrupted("interrupted")
        if self._without_workers >= _GONE_FOR or self._client.status == "closed":
            what = "scheduler does not answer" if self._client.status == "closed" else "cluster has had no worker for a minute"
            raise Unreachable(f"the Dask {what}", hint=f"look at {self._address}; run the same command again")

    def _seal(self) -> int:
        """Gives the keys to all workers that do not hold them. Returns how many workers hold them now."""
        with self._sealing:
            self._check()
            introductions = _everywhere(self._client, worker.introduce)
            self._seen.update(introductions)
            sealed = {public: seal(self._message(), public) for public in public_keys(introductions)}
            held = _everywhere(self._client, worker.accept, self._run, sealed)
            return sum(holds is True for holds in held.values())

    def _has_lost_workers(self) -> bool:
        """Whether a worker that had the keys is gone, or may be."""
        try:
            return not self._seen <= set(self._client.nthreads())
        except (OSError, TimeoutError, CancelledError):
            return True

    def _renew(self) -> None:
        while not self._stopped.wait(_RENEW_EVERY):
            try:
                held = _everywhere(self._client, worker.renew, self._run)
            except Unreachable:
                held = {}
            self._without_workers = 0 if held else self._without_workers + 1

    def _end(self) -> None:
        try:
            self._client.unsubscribe_topic(TOPIC)
            self._client.run(worker.end, self._run, on_error="ignore")
        except Exception:  # noqa: BLE001  # the workers end the run by themselves when it is not renewed
            return

    def _take_progress(self, event: tuple[float, object]) -> None:
        """Called by Dask's thread for each event of the topic, also for those of other runs."""
        match event[1]:
            case {"run": self._run, "done": tuple() | list() as pairs}:  # Dask makes tuples of lists
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
    _set_logging(debug)
    client = _connected(address)
    try:
        require_same_versions(_everywhere(client, *VERSION_CALL))
        workers = DaskWorkers(client, address, access)
        try:
            workers.open()
            yield workers
        finally:
            workers.close()
    finally:
        client.close(timeout=_CLOSE_WITHIN)


def _everywhere(client: Client, function: Callable[..., object], *arguments: object) -> Mapping[str, object]:
    """What each worker returns, or the exception there, by the worker's address. Unreachable: the scheduler cannot be asked."""
    try:
        return cast("Mapping[str, object]", client.run(function, *arguments, on_error="return"))
    except (OSError, TimeoutError, CancelledError) as error:
        raise Unreachable(f"the Dask scheduler does not answer ({type(error).__name__})") from None


def _connected(address: str) -> Client:
    _require_listener(address)
    warnings.filterwarnings("ignore", module="distributed")  # about versions of libraries, which matter for other data than ours
    try:
        return Client(address, timeout=_CONNECT_WITHIN, set_as_default=False, name="algosync")
    except (OSError, TimeoutError):
        raise _no_answer(address) from None
    except (TypeError, ValueError, RuntimeError) as error:
        hint = "Dask's settings distributed.comm.tls name the certificates, see https://distributed.dask.org/en/stable/tls.html"
        raise UsageError(f"--executor {address} cannot be used: {printable(str(error), 300)}", hint=hint) from None


def _require_listener(address: str) -> None:
    """Unreachable: nothing listens at the address. Dask itself would try again and again before it says so."""
    host, _, port = address.partition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_WITHIN).close()
    except OSError:
        raise _no_answer(address) from None


def _no_answer(address: str) -> Unreachable:
    hint = "is it running, and is the scheme right? A scheduler with TLS is tls://HOST:PORT"
    return Unreachable(f"no Dask scheduler answers at {address}", hint=hint)


def _set_logging(debug: bool) -> None:
    """Dask writes to stderr by itself. Its messages repeat what our errors say, and reach the terminal with `--debug` only."""
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.NOTSET if debug else logging.CRITICAL + 1)
