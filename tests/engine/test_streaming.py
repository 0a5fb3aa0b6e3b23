"""Streaming: bounded, in order, and ended by the first exception."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from algosync.engine.streaming import concurrently


@pytest.mark.parametrize("workers", [1, 4])
def test_results_are_in_the_order_of_the_items(workers: int) -> None:
    assert list(concurrently(lambda number: number * 2, range(1000), workers)) == [number * 2 for number in range(1000)]


def test_so_many_calls_run_at_once_and_no_more() -> None:
    lock, together = threading.Lock(), threading.Barrier(4, timeout=30)
    running = most = 0

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()  # passes only if four run at the same time
        with lock:
            running -= 1
        return number

    assert list(concurrently(work, range(40), 4)) == [*range(40)]
    assert most == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_read_only_a_bounded_number_ahead(workers: int) -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        for number in range(100_000):
            read = number + 1
            yield number

    results = concurrently(lambda number: number, items(), workers)
    assert [next(results) for _ in range(10)] == [*range(10)]
    assert read <= 1000
    results.close()  # type: ignore[attr-defined]  # it is a generator


@pytest.mark.parametrize("workers", [1, 3])
def test_after_an_exception_no_other_item_starts(workers: int) -> None:
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        if number == 5:
            raise ValueError("five")
        return number

    def items() -> Iterator[int]:
        yield from range(6)
        yield from iter(lambda: 6, None)  # without an end

    threads = threading.active_count()  # earlier tests may have left some
    results = concurrently(work, items(), workers)
    with pytest.raises(ValueError, match="five"):
        list(results)
    after = len(started)
    assert after < 1000
    assert threading.active_count() < threads + 10
    assert len(started) == after
