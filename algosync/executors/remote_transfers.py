"""Transfers on workers: those between two clusters. Files of this machine are read here, because workers may not see them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from algosync.cluster.data import DataStore, WritableStore
from algosync.cluster.transfer import Advance, File, Name
from algosync.cluster.transfers import LocalTransfers, Transfers
from algosync.executors.answer import WorkerAnswer, as_digest, as_fingerprint, values_of
from algosync.executors.task import Place, Task
from algosync.net import Retry

__all__ = ["CountedStore", "RemoteTransfers", "Workers"]


class Workers(Protocol):
    """Workers on other machines. Safe to use from several threads."""

    def carry_out(self, task: Task, advance: Advance) -> WorkerAnswer:
        """The answer of the worker that carried out the task. Unreachable: no worker could. Interrupted: the run was stopped."""


class CountedStore(WritableStore, Protocol):
    """A store that has to know of every write."""

    def writing(self, name: Name) -> AbstractContextManager[None]:
        """A write to the file that is not made through this object. If it fails, it may have written, too."""


class RemoteTransfers:
    """`Transfers` on workers. `source`: None: it is on this machine, or there is none."""

    def __init__(self, workers: Workers, source: DataStore | None, destination: CountedStore) -> None:
        self._workers = workers
        self._source = source
        self._destination = destination
        self._here: Transfers = LocalTransfers()

    def relay(self, file: File, destination: WritableStore, target: Name, advance: Advance, retry: Retry) -> tuple[str, int]:
        place = self._place(file.store)
        if place is None or destination is not self._destination:
            return self._here.relay(file, destination, target, advance, retry)
        task = Task("relay", place, file.name, file.size, file.digest, target)
        with self._destination.writing(target):
            return as_digest(values_of(self._workers.carry_out(task, advance)))

    def digest(self, file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
        place = self._place(file.store)
        if place is None:
            return self._here.digest(file, advance, retry)
        return as_digest(values_of(self._workers.carry_out(Task("digest", place, file.name, file.size), advance)))

    def fingerprint(self, file: File, retry: Retry) -> tuple[str, str]:
        place = self._place(file.store)
        if place is None:
            return self._here.fingerprint(file, retry)
        return as_fingerprint(values_of(self._workers.carry_out(Task("fingerprint", place, file.name, file.size), lambda _: None)))

    def _place(self, store: DataStore) -> Place | None:
        """Which cluster a store is. None: it is on this machine."""
        if store is self._destination:
            return "destination"
        return "source" if store is self._source and self._source is not None else None
