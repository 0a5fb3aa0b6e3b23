"""Totals of an apply: bytes to move, bytes moved, and the time left, by a clock that stands still until a test moves it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from algosync.cli.live import watch
from algosync.cli.terminal import Terminal
from algosync.cli.transferring.totals import TransferTotals
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.event import Event, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.resource import Resource


def step(name: str, verb: Verb, size: int = 1000) -> Step:
    address = Address.of("data", "Greeter", name)
    return Step(address, verb, Change(address, Action.CREATE, None, Resource(address, size=size)))


SENT, READ = step("a.bin", Verb.UPLOAD), step("a.bin", Verb.VERIFY)
OTHER = step("b.bin", Verb.OVERWRITE, 500)
BUILD = Step(Address.of("version", "Greeter"), Verb.BUILD)


@dataclass
class Watched:
    now: float = 0.0
    reads_back: bool = True
    totals: TransferTotals = field(init=False)

    def __post_init__(self) -> None:
        steps = (SENT, READ, OTHER, BUILD)
        self.totals = TransferTotals(steps, reads_back=self.reads_back, clock=lambda: self.now)

    def note(self, *events: Event, after: float = 0.0) -> Watched:
        self.now += after
        for event in events:
            self.totals.note(event)
        return self


def test_what_is_read_back_counts() -> None:
    assert Watched().totals.total == 2500
    assert Watched(reads_back=False).totals.total == 1500


def test_time_left_is_that_of_all_that_is_left() -> None:
    totals = Watched().note(StepStarted(SENT)).note(Progress(SENT, 250, 1000), after=2.5).totals
    assert (totals.done, totals.left, totals.rate(), totals.seconds_left()) == (250, 2250, 100, 22.5)


def test_a_step_without_progress_is_done_at_its_end() -> None:
    watched = Watched().note(StepStarted(SENT)).note(StepDone(SENT, 2), after=2)
    assert (watched.totals.done, watched.totals.rate()) == (1000, 500)
    watched.note(StepDone(READ, 1), StepDone(OTHER, 1), StepDone(BUILD, 1), after=1)
    assert (watched.totals.done, watched.totals.left, watched.totals.seconds_left()) == (2500, 0, 0)


def test_a_retry_adds_what_was_lost_and_no_more() -> None:
    watched = Watched().note(StepStarted(SENT))
    for done in range(100, 1000, 100):
        watched.note(Progress(SENT, done, 1000), after=1)
    before = watched.totals.seconds_left()
    after = watched.note(Progress(SENT, 10, 1000), after=1).totals.seconds_left()
    assert (before, watched.totals.done) == (16, 10)
    assert after == pytest.approx(2490 / 90)  # 890 bytes are sent again; the rate is still what was measured
    watched.note(Progress(SENT, 1000, 1000), after=11)
    assert watched.totals.rate() == pytest.approx(100, rel=0.15)


def test_what_failed_is_not_waited_for() -> None:
    watched = Watched().note(StepStarted(SENT), Progress(SENT, 400, 1000))
    watched.note(StepFailed(SENT, 1, TransferError("broken")), StepSkipped(READ, SENT.key), after=1)
    assert (watched.totals.done, watched.totals.left) == (400, 500)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    watched = Watched().note(StepStarted(SENT))
    for second in range(1, 41):
        watched.note(Progress(SENT, second if second <= 10 else 10 + 20 * (second - 10), 1000), after=1)
    assert watched.totals.rate() == pytest.approx(20)


def test_a_pause_begins_the_measurement_again() -> None:
    watched = Watched().note(StepStarted(SENT), StepDone(SENT, 1), after=1)
    watched.now += 600
    assert watched.totals.rate() is None
    assert watched.totals.seconds_left() is None
    watched.note(StepStarted(READ)).note(Progress(READ, 100, 1000), after=2)
    assert watched.totals.rate() == 50


def test_more_bytes_than_were_planned_are_no_more_than_all() -> None:
    totals = Watched().note(Progress(SENT, 5000, 1000)).totals
    assert (totals.done, totals.left) == (1000, 1500)


def shown(*events: tuple[float, Event]) -> list[str]:
    """The lines of a run without a terminal. Each event comes so many seconds after the one before."""
    watched, told = Watched(), io.StringIO()
    terminal = Terminal(io.StringIO(), told, (False, False), live=False)

    def waits() -> Iterator[Event]:
        for after, event in events:
            watched.now += after
            yield event

    for _ in watch(waits(), terminal, totals=watched.totals):
        pass
    return [line for line in told.getvalue().splitlines() if line.startswith("Transfers: ")]


def test_without_a_terminal_a_line_comes_seldom() -> None:
    progress = [(1.0, Progress(SENT, 10 * second, 1000)) for second in range(1, 71)]
    assert shown((0, StepStarted(SENT)), *progress) == [
        "Transfers: 300 B of 2.5 kB, 10 B/s, 3m40s left",
        "Transfers: 600 B of 2.5 kB, 10 B/s, 3m10s left",
    ]


def test_a_short_run_has_no_such_line() -> None:
    assert shown((0, StepStarted(SENT)), (5, StepDone(SENT, 5)), (5, StepDone(READ, 5)), (5, StepDone(OTHER, 5))) == []


def test_after_the_last_transfer_there_is_no_such_line() -> None:
    done = [(10.0, StepDone(each, 10)) for each in (SENT, READ, OTHER)]
    assert shown(*done, (3600, StepDone(BUILD, 3600))) == []
