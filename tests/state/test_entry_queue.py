"""The entry queue: threads that record at the same time share one write, and a signal ends the waiting of one of them only."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence

import pytest
from state_samples import HELLO, WEIGHTS

from algosync.state.entry import Entry, Intent
from algosync.state.entry_queue import EntryQueue, QueuedEntry

HANG = 300.0  # seconds


class Signalled(BaseException):
    """What the handler raises in the main thread."""


class Disk:
    """Writes when the test lets it."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)
        self.written: list[list[Entry]] = []

    def take(self, queued: Sequence[QueuedEntry]) -> None:
        self.begun.release()
        assert self.may_end.acquire(timeout=HANG)
        self.written.append([each.entry for each in queued])


@pytest.fixture
def handled() -> Iterator[None]:
    def handle(*_: object) -> None:
        raise Signalled

    before = signal.signal(signal.SIGUSR1, handle)
    yield
    signal.signal(signal.SIGUSR1, before)


def recording(queue: EntryQueue, entry: Entry) -> threading.Thread:
    thread = threading.Thread(target=queue.record, args=([entry],), daemon=True)
    thread.start()
    return thread


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("others", [0, 1])
def test_a_signal_to_a_thread_that_waits_stops_no_other_one(others: int) -> None:
    disk = Disk()
    queue = EntryQueue(disk.take)
    first = recording(queue, Intent(HELLO, "first"))
    assert disk.begun.acquire(timeout=HANG)
    waiting: list[threading.Thread] = []

    def interrupt() -> None:
        while not queue._waiting:  # until the main thread waits
            pass
        waiting.extend(recording(queue, Intent(HELLO, "other")) for _ in range(others))
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Signalled):
        queue.record([Intent(WEIGHTS, "main")])
    last = recording(queue, Intent(HELLO, "last"))
    disk.may_end.release(4)
    for thread in (first, *waiting, last):
        thread.join(HANG)
        assert not thread.is_alive()
    verbs = [entry.verb for batch in disk.written for entry in batch if isinstance(entry, Intent)]
    assert sorted(verbs) == sorted(["first", *["other"] * others, "last"])
