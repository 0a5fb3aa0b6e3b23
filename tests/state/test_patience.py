"""Waiting for a lock, with a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from algosync.core.error import Interrupted, LockHeld
from algosync.state import Patience


class World:
    """A lock that is free from a point in time on."""

    def __init__(self, free_at: float) -> None:
        self.now = 1000.0
        self.free_at = 1000.0 + free_at
        self.tries: list[float] = []
        self.told: list[str] = []

    def patience(self, seconds: float, pause: Callable[[float], None] | None = None) -> Patience:
        return Patience(seconds, lambda refusal: self.told.append(refusal.message), lambda: self.now, pause or self.pause)

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def lock(self) -> None:
        self.tries.append(self.now - 1000.0)
        if self.now < self.free_at:
            raise LockHeld(f"held, try {len(self.tries)}")


def test_without_patience_there_is_one_try_and_nothing_is_told() -> None:
    world = World(free_at=1)
    with pytest.raises(LockHeld, match=r"^held, try 1$"):
        world.patience(0).take(world.lock)
    assert (world.tries, world.told) == ([0.0], [])


def test_a_free_lock_is_taken_at_once_and_nothing_is_told() -> None:
    world = World(free_at=0)
    world.patience(60).take(world.lock)
    assert (world.tries, world.told) == ([0.0], [])


def test_it_waits_until_the_lock_is_free_and_tells_once_who_holds_it() -> None:
    world = World(free_at=30)
    world.patience(60).take(world.lock)
    assert 30 <= world.tries[-1] <= 30.5
    assert 60 <= len(world.tries) <= 160
    assert world.told == ["held, try 1"]


def test_it_ends_when_the_time_is_over_with_the_last_refusal() -> None:
    world = World(free_at=100)
    with pytest.raises(LockHeld) as caught:
        world.patience(20).take(world.lock)
    assert world.tries[-1] == pytest.approx(20)
    assert caught.value.message == f"held, try {len(world.tries)}"


def test_an_interrupt_ends_the_wait() -> None:
    world = World(free_at=100)

    def interrupt(_: float) -> None:
        raise Interrupted("interrupted")

    with pytest.raises(Interrupted):
        world.patience(60, interrupt).take(world.lock)
    assert world.tries == [0.0]


def test_other_errors_are_not_waited_for() -> None:
    def broken() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # a bare one
        World(free_at=0).patience(60).take(broken)
