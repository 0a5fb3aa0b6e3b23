"""A value per key, computed once."""

import threading
from functools import partial

import pytest

from algosync.cluster.once import OncePerKey


def test_a_value_is_computed_once_for_each_key() -> None:
    once: OncePerKey[str, int] = OncePerKey()
    made: list[str] = []

    def make(key: str) -> int:
        made.append(key)
        return len(made)

    assert [once.get(key, partial(make, key)) for key in "abab"] == [1, 2, 1, 2]
    assert made == ["a", "b"]


def test_an_exception_is_not_kept() -> None:
    once: OncePerKey[str, int] = OncePerKey()
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert once.get("a", lambda: 1) == 1


def test_other_threads_wait_for_the_first_and_other_keys_do_not() -> None:
    once: OncePerKey[str, int] = OncePerKey()
    entered, leave = threading.Event(), threading.Event()
    found: list[int] = []

    def slow() -> int:
        entered.set()
        assert leave.wait(30)
        return 1

    threads = [threading.Thread(target=lambda: found.append(once.get("a", slow))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert entered.wait(30)
    assert once.get("b", lambda: 2) == 2
    assert found == []
    entered.clear()
    leave.set()
    for thread in threads:
        thread.join()
    assert found == [1, 1, 1]
    assert not entered.is_set()
