"""Looks at many things at once: the answers in order, and all failures."""

import threading
import time
from types import SimpleNamespace

import pytest

from algosync.core.error import Denied, NotFound, Several
from algosync.engine.look import each


def test_answers_are_in_the_order_of_the_things() -> None:
    assert each(lambda number: number * number, range(50), 4) == [number * number for number in range(50)]


def look(number: int) -> int:
    if number % 2:
        raise NotFound(f"no {number}") if number % 3 else Denied("the key is wrong")
    return number


def test_a_single_failure_is_raised_as_it_is() -> None:
    with pytest.raises(NotFound, match="no 1"):
        each(look, (0, 1, 2), 2)


def test_several_failures_are_raised_together_each_message_once() -> None:
    with pytest.raises(Several) as caught:
        each(look, range(10), 3)
    assert [error.message for error in caught.value.errors] == ["no 1", "the key is wrong", "no 5", "no 7"]


def test_a_bug_is_raised_at_once() -> None:
    with pytest.raises(ZeroDivisionError):
        each(lambda number: 1 // number, (1, 0, 2), 1)


def test_threads_that_wait_for_nothing_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes a second, in which its thread computes."""
    now = threading.local()
    threads: set[int] = set()

    def seconds() -> float:
        return getattr(now, "seconds", 0.0)

    def compute(_: int) -> None:
        threads.add(threading.get_ident())
        time.sleep(0.001)  # so that every thread gets a turn; by the clocks here it is no time
        now.seconds = seconds() + 1

    monkeypatch.setattr("algosync.engine.look.time", SimpleNamespace(monotonic=seconds, thread_time=seconds))
    each(compute, range(100), 16)
    assert len(threads) <= 2


def test_things_that_are_waited_for_are_looked_at_by_as_many_threads_as_may_be() -> None:
    """Each waits until eight are under way, which two threads alone never are. The first ones are slow to answer."""
    meeting, hang = threading.Barrier(8), 60

    def look_at(number: int) -> int:
        if number < 2 * 8:
            threading.Event().wait(0.05)
        else:
            meeting.wait(hang)
        return number

    assert each(look_at, range(2 * 8 + 8), 8) == list(range(2 * 8 + 8))


def test_nothing_is_looked_at_after_a_bug() -> None:
    seen: list[int] = []

    def look_at(number: int) -> None:
        seen.append(number)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        each(look_at, range(1000), 1)
    assert seen == [0]
