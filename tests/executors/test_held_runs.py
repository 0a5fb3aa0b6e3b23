"""Runs that a worker holds: their keys come sealed, and are forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.workers import FakeLog, FakeWorkers
from gate import gate_before
from harness import Cluster, cluster_process
from nacl.exceptions import CryptoError
from scan import Scanner

from algosync.executors import worker
from algosync.executors.access import Access
from algosync.executors.answer import MISSING_KEYS
from algosync.executors.sealed import KeyPair, seal
from algosync.executors.task import TOPIC, Task
from algosync.net import Net

CONTENT = b"some bytes"
READ = Task("digest", "destination", ("local", "models", "model.bin"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_process(tmp_path_factory.mktemp("runs") / "cluster") as running:
        running.api().data.create_collection("local", "models")
        running.api().data.put("local", "models", "model.bin", iter([CONTENT]), len(CONTENT))
        yield running


@pytest.fixture
def workers(cluster: Cluster) -> Iterator[FakeWorkers]:
    workers = FakeWorkers(Access.of(cluster.api().data, None, Net()))
    yield workers
    worker.end(workers.run)


def test_a_task_of_an_unknown_run_asks_for_keys() -> None:
    assert worker.carry_out("no such run", 1, READ) == {MISSING_KEYS: ""}
    assert not worker.renew("no such run")


def test_keys_are_forgotten_when_the_run_ends(workers: FakeWorkers) -> None:
    assert "values" in workers.carry_out(READ, lambda _: None)
    assert worker.renew(workers.run)
    worker.end(workers.run)
    assert worker.carry_out(workers.run, 2, READ) == {MISSING_KEYS: ""}
    assert not worker.renew(workers.run)


def test_keys_that_arrive_after_the_end_are_not_taken(workers: FakeWorkers) -> None:
    worker.end(workers.run)
    with pytest.raises(AssertionError):
        workers.carry_out(READ, lambda _: None)
    assert not worker.renew(workers.run)


def test_keys_are_forgotten_when_nobody_renews_the_run(workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(worker, "LEASE", 0.0)
        workers.carry_out(READ, lambda _: None)
        while worker._runs.get(workers.run):
            time.sleep(0.01)
    assert worker.carry_out(workers.run, 2, READ) == {MISSING_KEYS: ""}
    assert "values" in workers.carry_out(READ, lambda _: None)  # they are given again


def test_keys_are_forgotten_although_reports_cannot_be_sent(workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def log_event(*_: object) -> None:
        asked.set()
        raise OSError("the scheduler is gone")

    monkeypatch.setattr(FakeLog, "log_event", log_event)
    workers.carry_out(READ, lambda _: None)
    assert asked.wait(60)
    monkeypatch.setattr(worker, "LEASE", 0.0)
    worker.renew(workers.run)
    until = time.monotonic() + 60
    while worker._runs.get(workers.run):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_message_for_another_worker_is_not_accepted(cluster: Cluster) -> None:
    message = Access.of(cluster.api().data, None, Net()).message()
    other = KeyPair()
    assert not worker.accept("run", {other.public: seal(message, other.public)}, FakeLog())
    public = worker.introduce()["public"]
    assert isinstance(public, bytes)
    with pytest.raises(CryptoError):
        worker.accept("run", {public: seal(message, other.public)}, FakeLog())
    assert worker.carry_out("run", 1, READ) == {MISSING_KEYS: ""}


def test_a_sealed_message_shows_no_key(cluster: Cluster) -> None:
    access = Access.of(cluster.api().data, None, Net())
    assert Access.of_message(access.message()) == access
    keys = KeyPair()
    sealed = seal(access.message(), keys.public)
    assert keys.open(sealed) == access.message()
    scanner = Scanner({"key": cluster.key})
    assert list(scanner.data(access.message(), "message")) != []
    assert list(scanner.data(sealed, "sealed")) == []
    assert cluster.key not in repr(access)


def test_a_bug_tells_its_place_only(workers: FakeWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, *arguments: object) -> None:
        raise KeyError("Simple key")

    monkeypatch.setattr("algosync.cluster.transfers.LocalTransfers.digest", broken)
    answer = workers.carry_out(READ, lambda _: None)
    assert str(answer["bug"]).startswith("KeyError in test_held_runs.py, line ")
    assert "Simple" not in str(answer)


def test_the_end_of_a_run_ends_its_transfers(cluster: Cluster) -> None:
    with gate_before(cluster.url) as gate:
        held = Cluster(Path(), gate.url, cluster.user, cluster.key, cluster.process)
        workers = FakeWorkers(Access.of(held.api().data, None, Net()))
        reached = gate.waiting_for("GET /v1/data/local/models/model.bin")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(workers.carry_out(READ, lambda _: None)))
        thread.start()
        assert reached.wait(60)
        worker.end(workers.run)
        thread.join(60)
    assert [answer["error"] for answer in answers] == ["Interrupted"]


def test_transferred_bytes_are_reported_now_and_then(cluster: Cluster, workers: FakeWorkers) -> None:
    cluster.api().data.put("local", "models", "big.bin", iter([bytes(8 << 20)]), 8 << 20)
    workers.carry_out(Task("digest", "destination", ("local", "models", "big.bin")), lambda _: None)
    until = time.monotonic() + 60
    while not workers.log.events:
        assert time.monotonic() < until
        time.sleep(0.01)
    topic, event = workers.log.events[-1]
    assert topic == TOPIC
    assert event == {"run": workers.run, "done": [[1, 8 << 20]]} or len(workers.log.events) < 50
