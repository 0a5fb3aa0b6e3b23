"""Looks at many things at once: the answers in order, and all failures."""

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
