"""The threads that move files, and the thread that records what they did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from fakes.kinds import scene
from fakes.ledger import FakeLedger
from worlds import one_algorithm

from algosync.core.address import Address
from algosync.core.error import StateError
from algosync.core.event import StepDone, StepStarted
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Outcome
from algosync.core.resource import Record
from algosync.engine.apply import apply
from algosync.engine.recorder import Done, OutcomeRecorder
from algosync.engine.transfer_pool import TransferPool

BIG, SMALL = 1 << 30, 1 << 10
WAIT = 300  # seconds
STEP = Step(Address("data", "A", "w.pb"), Verb.UPLOAD)


def pool_of(limit: int) -> TransferPool:
    return TransferPool(limit, lambda _: None)


def test_big_files_leave_one_place_for_small_ones() -> None:
    pool, leave, small, began = pool_of(3), threading.Event(), threading.Event(), threading.Semaphore(0)

    def big() -> None:
        began.release()
        assert leave.wait(WAIT)

    for _ in range(5):
        pool.submit(STEP, big, BIG)
    pool.submit(STEP, small.set, SMALL)
    assert small.wait(WAIT), "it does not wait for the big ones"
    assert all(began.acquire(timeout=WAIT) for _ in range(2))
    assert not began.acquire(blocking=False), "two of three places are for big files"
    leave.set()
    assert all(began.acquire(timeout=WAIT) for _ in range(3))
    pool.close()


def test_one_place_is_for_all() -> None:
    pool, done = pool_of(1), []
    for number, size in enumerate((BIG, SMALL, BIG, SMALL)):
        pool.submit(STEP, lambda number=number: done.append(number), size)  # type: ignore[misc]  # mypy does not see the default
    while len(done) < 4:
        time.sleep(0.001)
    pool.close()
    assert done == [0, 1, 2, 3]


def test_small_files_that_wait_are_announced_together_and_before_they_begin() -> None:
    told: list[int] = []
    begun, leave = threading.Event(), threading.Event()
    pool = TransferPool(1, lambda steps: told.append(len(steps)))

    def first() -> None:
        begun.set()
        assert leave.wait(WAIT)

    pool.submit(STEP, first, SMALL)
    assert begun.wait(WAIT)
    done: list[int] = []
    for size in (*(SMALL,) * 10, BIG, SMALL):
        pool.submit(STEP, lambda: done.append(sum(told)), size)
    leave.set()
    while len(done) < 12:
        time.sleep(0.001)
    pool.close()
    assert told == [1, 8, 2, 1, 1]
    assert done == [9] * 8 + [11] * 2 + [12, 13]


def test_what_has_not_begun_does_not_begin_after_the_end() -> None:
    pool, begun, leave = pool_of(1), threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        assert leave.wait(WAIT)
        done.append("first")

    pool.submit(STEP, first, SMALL)
    pool.submit(STEP, lambda: done.append("second"), SMALL)
    assert begun.wait(WAIT)
    closing = threading.Thread(target=pool.close)
    closing.start()
    while not pool._closed:
        time.sleep(0.001)
    leave.set()
    closing.join(WAIT)
    assert done == ["first"]


class GroupingLedger(FakeLedger):
    """The sizes of the groups. `before_group` is called before each."""

    def __init__(self, before_group: Callable[[], None]) -> None:
        super().__init__()
        self.groups: list[int] = []
        self._before_group = before_group

    def commit_all(self, records: Iterable[Record], forgotten: Iterable[Address] = ()) -> None:
        self._before_group()
        given = list(records)
        super().commit_all(given, forgotten)
        self.groups.append(len(given))


def test_files_are_recorded_together_and_before_they_are_reported() -> None:
    world = one_algorithm("algorithm")
    for number in range(40):
        world.site.source.put(Address("data", "A", str(number)), "one")
    world.site.ledger = ledger = GroupingLedger(lambda: time.sleep(0.01))
    reported = 0
    for event in apply(world.plan(), world.flow, replace(scene(world.site), transfers=4), ledger):
        if isinstance(event, StepDone):
            reported += 1
            assert sum(line.startswith("commit") for line in ledger.log) >= reported
    assert reported == 81
    assert max(ledger.groups) > 1
    assert len(ledger.records) == 41


def test_a_file_that_cannot_be_recorded_ends_the_run() -> None:
    world = one_algorithm("data")

    def full(_: Record) -> None:
        raise StateError("the disk is full")

    world.site.ledger = FakeLedger(before_commit=full)
    with pytest.raises(StateError, match="the disk is full"):
        list(apply(world.plan(), world.flow, replace(scene(world.site), transfers=2), world.site.ledger))


def test_a_reader_that_leaves_waits_for_the_record_of_running_transfers() -> None:
    world = one_algorithm("data")
    released = threading.Event()

    def wait(_: Step) -> None:
        released.wait(WAIT)

    world.site.during = wait
    events = apply(world.plan(), world.flow, replace(scene(world.site), transfers=2), world.site.ledger)
    assert isinstance(next(events), StepStarted)
    threading.Timer(0.05, released.set).start()
    events.close()
    assert [line.split()[0] for line in world.site.ledger.log] == ["upload", "commit"]


def test_tiny_files_begin_with_two_threads_and_others_with_one_each() -> None:
    leave, running = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        running.release()
        assert leave.wait(WAIT)

    pool = pool_of(8)
    for _ in range(40):
        pool.submit(STEP, wait, SMALL)
    assert len(pool._threads) == 2
    assert pool.has_waiting
    assert pool.grow()
    assert len(pool._threads) == 4
    pool.submit(STEP, wait, 1 << 20)
    assert len(pool._threads) == 5
    assert not pool.grow()
    assert not pool.grow()
    assert len(pool._threads) == 8
    assert all(running.acquire(timeout=WAIT) for _ in range(8))
    leave.set()
    pool.close()


def test_no_thread_starts_that_no_job_waits_for() -> None:
    pool, leave = pool_of(8), threading.Event()

    def wait() -> None:
        assert leave.wait(WAIT)

    for _ in range(2):
        pool.submit(STEP, wait, SMALL)
    while pool.has_waiting:
        time.sleep(0.001)
    assert pool.grow()
    assert len(pool._threads) == 2
    leave.set()
    pool.close()


def test_tiny_files_whose_server_does_not_answer_do_not_stop_the_others() -> None:
    world = one_algorithm("algorithm")
    for number in range(40):
        world.site.source.put(Address("data", "A", str(number)), "one")
    together = threading.Barrier(6)

    def wait(step: Step) -> None:
        if step.verb is Verb.UPLOAD and int(step.address.name or "") < 6:
            together.wait(WAIT)  # fails unless all six run at the same time

    world.site.during = wait
    events = list(apply(world.plan(), world.flow, replace(scene(world.site), transfers=6), world.site.ledger))
    assert sum(isinstance(event, StepDone) for event in events) == 81


def test_what_ends_while_others_run_is_recorded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = GroupingLedger(lambda: None)
    hurry = threading.Event()
    told: list[object] = []
    recorder = OutcomeRecorder(ledger, told.append, lambda: not hurry.is_set())
    dones = [Done(STEP, Outcome((Record(Address("data", "A", str(n)), "0", "s", None),)), 0.0) for n in range(5)]

    def others_end(_: float) -> None:
        for done in dones[1:4]:
            recorder.put(done)
        hurry.set()

    monkeypatch.setattr("algosync.engine.recorder.time.sleep", others_end)
    recorder.put(dones[0])
    recorder.start()
    assert hurry.wait(WAIT)
    while len(told) < 4:
        threading.Event().wait(0.001)
    recorder.put(dones[4])
    recorder.close()
    assert ledger.groups == [4, 1]
    assert told == dones


def test_a_thread_that_cannot_start_ends_the_run_and_leaves_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may have few threads. A thread of the run that stays would keep the process for ever."""
    world = one_algorithm("algorithm", "data")
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("transfer_"):
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        list(apply(world.plan(), world.flow, replace(scene(world.site), transfers=4), world.site.ledger))
    assert not [thread for thread in threading.enumerate() if thread.name == "recorder"]
