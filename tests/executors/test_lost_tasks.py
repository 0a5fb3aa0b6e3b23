"""What becomes of a task that the Dask cluster loses. The client is a fake; `test_dask_executor.py` kills real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import cast

import pytest
from distributed import Client, KilledWorker
from distributed.comm.core import CommClosedError
from distributed.scheduler import WorkerState

from algosync import __version__
from algosync.core.error import Interrupted, Unreachable
from algosync.executors import worker
from algosync.executors.access import Access
from algosync.executors.answer import MISSING_KEYS
from algosync.executors.dask_workers import DaskWorkers
from algosync.executors.sealed import KeyPair
from algosync.executors.task import Task

TASK = Task("digest", "source", ("me", "models", "a.bin"))
DIED = KilledWorker("key", cast("WorkerState", None), 3)
DONE = {"values": ("a" * 64, 1)}
FAILED = {"error": "Denied", "message": "401", "sent": False, "repeated": False}


class FakeFuture:
    def __init__(self, outcome: object) -> None:
        self._outcome = outcome
        self.released = False

    def add_done_callback(self, call: Callable[[object], None]) -> None:
        call(self)

    def result(self, timeout: float) -> object:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def release(self) -> None:
        self.released = True


class FakeClient:
    """`outcomes`: those of the next tasks. `sealed`: the workers that got keys, each time; None: all.

    `workers`: those that are there.
    """

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = iter(outcomes)
        self.status = "running"
        self.keys: list[str] = []
        self.futures: list[FakeFuture] = []
        self.sealed: list[list[str] | None] = []
        self.opened: list[DaskWorkers] = []
        self.workers = {"tcp://a:1": 2}

    def submit(self, function: object, *arguments: object, key: str, pure: bool) -> FakeFuture:
        self.keys.append(key)
        self.futures.append(FakeFuture(next(self.outcomes)))
        return self.futures[-1]

    def run(self, function: object, *arguments: object, on_error: str, workers: list[str] | None = None) -> Mapping[str, object]:
        if function is worker.introduce:
            return {"tcp://a:1": {"version": __version__, "public": KeyPair().public}}
        if function is worker.accept:
            self.sealed.append(workers)
        return {"tcp://a:1": True}

    def nthreads(self) -> Mapping[str, int]:
        return self.workers

    def close(self, timeout: float) -> None:
        self.status = "closed"

    def subscribe_topic(self, topic: str, handler: object) -> None:
        pass


def opened(client: FakeClient) -> DaskWorkers:
    workers = DaskWorkers(cast("Client", client), "tcp://scheduler:8786", Access({}, 1, 1.0, 1.0))
    workers.open()
    client.opened.append(workers)
    return workers


@pytest.fixture
def client() -> Iterator[FakeClient]:
    client = FakeClient()
    yield client
    for workers in client.opened:
        workers.close()
    assert all(future.released for future in client.futures)
    assert len(set(client.keys)) == len(client.keys)


@pytest.mark.parametrize("loss", [DIED, CommClosedError("closed"), CancelledError("lost"), TimeoutError("slow")], ids=repr)
def test_a_lost_task_is_sent_once_more(client: FakeClient, loss: Exception) -> None:
    client.outcomes = iter((loss, DONE))
    assert opened(client).carry_out(TASK, lambda _: None) == DONE
    client.outcomes = iter((loss, loss, DONE))
    with pytest.raises(Unreachable, match="the Dask cluster lost a transfer 2 times") as caught:
        opened(client).carry_out(TASK, lambda _: None)
    assert caught.value.sent is True  # the file may have been written
    assert caught.value.hint is not None
    assert "tcp://scheduler:8786" in caught.value.hint


def test_a_worker_without_keys_gets_them(client: FakeClient) -> None:
    client.outcomes = iter(({MISSING_KEYS: "tcp://new:1"}, {MISSING_KEYS: 7}, DONE))
    assert opened(client).carry_out(TASK, lambda _: None) == DONE
    assert client.sealed == [None, ["tcp://new:1"], None]


def test_workers_that_never_keep_keys_are_an_error(client: FakeClient) -> None:
    client.outcomes = iter([{MISSING_KEYS: "tcp://a:1"}] * 100)
    with pytest.raises(Unreachable, match="do not keep the keys"):
        opened(client).carry_out(TASK, lambda _: None)


def test_a_run_that_its_worker_ended_is_sent_once_more(client: FakeClient) -> None:
    """The worker heard nothing of the run for a minute, as when the machine of the client slept."""
    client.outcomes = iter(({"error": "Interrupted", "message": "interrupted"}, DONE))
    assert opened(client).carry_out(TASK, lambda _: None) == DONE


def test_an_error_after_a_loss_may_have_written(client: FakeClient) -> None:
    client.outcomes = iter((DIED, FAILED, FAILED))
    workers = opened(client)
    assert workers.carry_out(TASK, lambda _: None) == {**FAILED, "repeated": True}
    assert workers.carry_out(TASK, lambda _: None) == FAILED


def test_an_error_after_the_death_of_a_worker_may_have_written(client: FakeClient) -> None:
    """Dask gives the task to another worker by itself, and tells nobody."""
    client.outcomes = iter((FAILED, FAILED))
    workers = opened(client)
    assert workers.carry_out(TASK, lambda _: None) == FAILED
    client.workers = {"tcp://b:1": 2}
    assert workers.carry_out(TASK, lambda _: None) == {**FAILED, "repeated": True}


def test_another_exception_is_shown_without_control_characters(client: FakeClient) -> None:
    client.outcomes = iter((ModuleNotFoundError("No module named 'algosync'\x1b[31m"),))
    with pytest.raises(Unreachable, match=r"a Dask worker cannot carry out a transfer: No module named 'algosync'\\x1b") as caught:
        opened(client).carry_out(TASK, lambda _: None)
    assert caught.value.hint == "is algosync installed there, in this version?"


def test_nothing_is_sent_after_a_signal(client: FakeClient) -> None:
    workers = opened(client)
    workers.stop()
    with pytest.raises(Interrupted):
        workers.carry_out(TASK, lambda _: None)
    assert client.futures == []


@pytest.mark.parametrize("answer", [{MISSING_KEYS: "tcp://a:1"}, {"error": "Interrupted", "message": "interrupted"}], ids=str)
def test_workers_that_have_ended_the_run_get_no_keys_again(client: FakeClient, answer: object) -> None:
    """A signal has ended the transfers on the workers, and their answers arrive before this process stops to wait for them."""
    workers = opened(client)

    def ended() -> Iterator[object]:
        workers.stop()
        workers._stopped.clear()
        yield answer

    client.outcomes = ended()
    with pytest.raises(Interrupted):
        workers.carry_out(TASK, lambda _: None)
    assert client.sealed == [None]
    assert len(client.futures) == 1


def test_a_closed_client_is_an_error(client: FakeClient) -> None:
    workers = opened(client)
    client.status = "closed"
    with pytest.raises(Unreachable, match="the Dask scheduler does not answer"):
        workers.carry_out(TASK, lambda _: None)
