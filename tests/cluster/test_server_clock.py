"""A server's clock, of which only whole seconds are known."""

from __future__ import annotations

import pytest

from algosync.cluster.server_clock import ServerClock

APART = 0.1
"""How far the clock that gives files their times may be behind."""


class Local:
    """The local clock, which the test sets."""

    now = 500.0

    def __call__(self) -> float:
        return self.now


def at(second: int) -> str:
    return f"Mon, 30 Nov 2026 10:00:{second:02} GMT"


def test_after_one_reply_a_whole_second_may_be_left() -> None:
    assert ServerClock(Local()).seconds_left(at(10)) == pytest.approx(1.0 + APART)


def test_the_first_reply_in_a_second_tells_how_much_of_it_has_passed() -> None:
    local = Local()
    clock = ServerClock(local)
    for moment, second in ((500.0, 9), (500.1, 10), (500.3, 10)):
        local.now = moment
        clock.heard(at(second))
    local.now = 500.7
    assert clock.seconds_left(at(10)) == pytest.approx(0.4 + APART)


def test_the_time_of_another_server_does_not_count() -> None:
    local = Local()
    clock = ServerClock(local)
    clock.heard(at(40))
    local.now = 500.5
    assert clock.seconds_left(at(10)) == pytest.approx(1.0 + APART)


@pytest.mark.parametrize("date", [None, "", "soon"])
def test_without_a_date_nothing_is_known(date: str | None) -> None:
    assert ServerClock(Local()).seconds_left(date) == 0.0
