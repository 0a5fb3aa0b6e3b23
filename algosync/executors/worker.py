"""What runs on a Dask worker. Its keys are in its memory only, for as long as the run renews them, at most a minute longer.

Dask calls all functions but `carry_out` in the thread that serves the worker, so they return at once.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from algosync import __version__
from algosync.cluster.data import DataClient
from algosync.cluster.transfer import Advance, File
from algosync.cluster.transfers import LocalTransfers
from algosync.core.error import AlgosyncError, Interrupted
from algosync.executors.access import Access
from algosync.executors.answer import MISSING_KEYS, WorkerAnswer, failed
from algosync.executors.sealed import KeyPair
from algosync.executors.task import TOPIC, Place, Task
from algosync.net import Net, Proxies, Retry, Watch

__all__ = ["LEASE", "accept", "carry_out", "end", "forget", "introduce", "renew"]

LEASE = 60.0  # seconds without a renewal after which a worker ends a run and forgets its keys
_REPORT_EVERY = 0.2  # seconds


class EventLog(Protocol):
    """A Dask worker, which sends events to the scheduler. Safe to use from several threads."""

    def log_event(self, topic: str, msg: object, /) -> None: ...


class _HeldRun:
    """One run: connections with its keys, and the transfers that are under way."""

    def __init__(self, run: str, access: Access, log: EventLog) -> None:
        self._run = run
        self._log = log
        self._watch = Watch()
        self._ended = threading.Event()
        self._reported: dict[int, int] = {}
        self._until = time.monotonic() + LEASE
        net = Net(Proxies.read(os.environ), Retry(access.tries, access.budget, self._pause), self._watch, access.timeout)
        self._retry = net.retry
        self._stores: Mapping[Place, DataClient] = {p: c.connect(net).data for p, c in access.clusters.items()}
        threading.Thread(target=self._serve, name="algosync-run", daemon=True).start()

    def renew(self) -> None:
        self._until = time.monotonic() + LEASE

    def end(self) -> None:
        """Ends all transfers. They raise Interrupted."""
        self._ended.set()
        self._watch.stop()

    def carry_out(self, number: int, task: Task) -> tuple[object, ...]:
        local, file = LocalTransfers(), File(self._stores[task.place], task.name, task.size, task.digest)
        advance = self._advance(number)
        match task.verb:
            case "relay":
                if task.target is None:
                    raise ValueError("a relay needs a target")
                return local.relay(file, self._stores["destination"], task.target, advance, self._retry)
            case "digest":
                return local.digest(file, advance, self._retry)
            case "fingerprint":
                return local.fingerprint(file, self._retry)

    def _advance(self, number: int) -> Advance:
        def advance(done: int) -> None:
            self._reported[number] = done

        return advance

    def _pause(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise Interrupted("interrupted")

    def _serve(self) -> None:
        """Reports transferred bytes, and ends the run when its lease has run out."""
        while not self._ended.wait(_REPORT_EVERY):
            reported, self._reported = self._reported, {}
            pairs = list(reported.items())  # at once: a transfer may still add to it
            if pairs:
                with suppress(Exception):  # a report that cannot be sent must not keep the keys
                    self._log.log_event(TOPIC, {"run": self._run, "done": [list(pair) for pair in pairs]})
            if time.monotonic() > self._until:
                forget(self._run)


_guard = threading.Lock()
_key_pair: KeyPair | None = None
_runs: dict[str, _HeldRun] = {}
_ended: deque[str] = deque(maxlen=1000)  # their keys may still be on the way


def introduce() -> dict[str, object]:
    """The version of algosync here, and the public key of this process."""
    return {"version": __version__, "public": _keys().public}


def accept(run: str, sealed: Mapping[bytes, bytes], dask_worker: EventLog) -> bool:
    """Takes the keys of a run from the message that is sealed for this process. Returns whether it holds the keys now.

    Those of a run that has ended are not taken any more.
    """
    keys = _keys()
    with _guard:
        if run not in _runs and run not in _ended and keys.public in sealed:
            _runs[run] = _HeldRun(run, Access.of_message(keys.open(sealed[keys.public])), dask_worker)
        return run in _runs


def renew(run: str) -> bool:
    """Keeps a run alive. Returns whether this process holds its keys."""
    with _guard:
        held = _runs.get(run)
    if held is not None:
        held.renew()
    return held is not None


def end(run: str) -> None:
    """Ends the transfers of a run, and forgets its keys for good."""
    with _guard:
        _ended.append(run)
    forget(run)


def forget(run: str) -> None:
    """Ends the transfers of a run, and forgets its keys until they are given again."""
    with _guard:
        held = _runs.pop(run, None)
    if held is not None:
        held.end()


def carry_out(run: str, number: int, task: Task) -> WorkerAnswer:
    """Carries out one task of a run. Raises nothing: Dask would log the error with what it was called with."""
    with _guard:
        held = _runs.get(run)
    if held is None:
        return {MISSING_KEYS: _address()}
    try:
        return {"values": held.carry_out(number, task)}
    except AlgosyncError as error:
        return failed(error)
    except Exception as error:  # noqa: BLE001  # the message of a bug may contain anything, so only its place is told
        place = traceback.extract_tb(error.__traceback__)[-1]
        return {"bug": f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"}


def _address() -> str:
    """Of the Dask worker that runs this task. Empty: it runs elsewhere, as in a test."""
    from distributed import get_worker

    try:
        return str(get_worker().address)
    except ValueError:
        return ""


def _keys() -> KeyPair:
    global _key_pair  # noqa: PLW0603  # one for each process: workers in one process share their memory anyway
    with _guard:
        if _key_pair is None:
            _key_pair = KeyPair()
        return _key_pair
