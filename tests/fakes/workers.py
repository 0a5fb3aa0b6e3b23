"""A worker in this process. It takes sealed keys and carries out tasks, and passes `contracts/test_transfers.py`."""

from __future__ import annotations

import secrets
from itertools import count

from algosync.cluster.transfer import Advance
from algosync.executors import worker
from algosync.executors.access import Access
from algosync.executors.answer import MISSING_KEYS, WorkerAnswer
from algosync.executors.introduction import public_keys
from algosync.executors.sealed import seal
from algosync.executors.task import Task

__all__ = ["FakeLog", "FakeWorkers"]


class FakeLog:
    """The events that a worker sends."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def log_event(self, topic: str, msg: object, /) -> None:
        self.events.append((topic, msg))


class FakeWorkers:
    """`log` has the events of the worker, `run` is the name of its run."""

    def __init__(self, access: Access) -> None:
        self.run = secrets.token_hex(8)
        self.log = FakeLog()
        self._access = access
        self._numbers = count(1)

    def carry_out(self, task: Task, advance: Advance) -> WorkerAnswer:
        answer = worker.carry_out(self.run, next(self._numbers), task)
        if MISSING_KEYS not in answer:
            return answer
        sealed = {public: seal(self._access.message(), public) for public in public_keys({"here": worker.introduce()})}
        assert worker.accept(self.run, sealed, self.log)
        return self.carry_out(task, advance)
