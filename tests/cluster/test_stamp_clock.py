"""The clock behind the times of files, of which only whole seconds in listings are known."""

from __future__ import annotations

import pytest

from algosync.cluster.stamp_clock import StampClock

APART = 0.1
"""How far the clocks of machines may differ."""


class Local:
    """The local clock, which the test sets."""

    now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def local() -> Local:
    return Local()


@pytest.fixture
def stamps(local: Local) -> StampClock:
    return StampClock(local)


def test_a_stamp_settles_a_second_after_it_was_listed(local: Local, stamps: StampClock) -> None:
    stamps.listed(9000)
    for later, left in ((500.0, 1.0 + APART), (500.4, 0.6 + APART), (502.0, 0.0)):
        local.now = later
        assert stamps.seconds_left(9000, shown=500.0) == pytest.approx(left)


def test_a_later_stamp_settles_the_earlier_ones(local: Local, stamps: StampClock) -> None:
    local.now = 500.3
    stamps.listed(9001)
    local.now = 500.7
    assert stamps.seconds_left(8999, shown=500.7) == 0.0
    assert stamps.seconds_left(9000, shown=500.7) == 0.0
    assert stamps.seconds_left(9001, shown=500.7) == pytest.approx(0.6 + APART)


def test_an_older_stamp_takes_nothing_back(local: Local, stamps: StampClock) -> None:
    stamps.listed(9000)
    local.now = 500.5
    stamps.listed(8000)
    assert stamps.seconds_left(9000, shown=500.5) == pytest.approx(0.5 + APART)


@pytest.mark.parametrize(("behind", "waited"), [(0.05, 0.0), (0.6, 0.6), (2.5, 2.5)])
def test_our_own_writes_show_that_clocks_differ(local: Local, stamps: StampClock, behind: float, waited: float) -> None:
    """A write that began now got a stamp whose second had ended by the clock of another machine."""
    stamps.wrote(9000 - 1, began=500.0 + behind)
    stamps.listed(9000)
    local.now = 500.4
    assert stamps.seconds_left(9000, shown=500.4) == pytest.approx((1.0 if waited else 0.6) + APART + waited)


def test_a_file_from_the_future_is_no_other_machine(local: Local, stamps: StampClock) -> None:
    stamps.listed(9000 + 86_400)
    stamps.wrote(9000, began=500.0)
    assert stamps.seconds_left(9000, shown=500.0) == pytest.approx(1.0 + APART)
