"""Retries: exact waits, Retry-After, one budget, and requests that must not be repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from rawserver import NAMES, answers, listening

from algosync.core.error import (
    ClusterError,
    Conflict,
    Denied,
    Interrupted,
    NotFound,
    Throttled,
    TimedOut,
    TransferError,
    Unexpected,
    Unreachable,
    Untrusted,
)
from algosync.net import Host, Net, Proxies, Retry, SettingNames
from algosync.net.failure import from_reply


class Clock:
    """Records the waits, and always draws the upper bound."""

    def __init__(self, **options: object) -> None:
        self.waits: list[float] = []
        # Any field of Retry.
        self.retry = Retry(pause=self.waits.append, draw=lambda _, high: high, **options)  # type: ignore[arg-type]


class Failing:
    """Raises each of these in turn, then succeeds."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return "done"


def throttled(retry_after: float | None = None) -> Throttled:
    error = Throttled("busy", status=429)
    error.retry_after = retry_after
    return error


def test_waits_double_from_a_quarter_second_to_half_a_minute() -> None:
    clock = Clock(tries=12)
    failing = Failing(*[Unreachable("gone")] * 12)
    with pytest.raises(Unreachable) as caught:
        clock.retry.run(failing)
    assert clock.waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert (failing.calls, caught.value.message, str(caught.value)) == (12, "gone (tried 12 times)", "gone (tried 12 times)")
    assert caught.value.__cause__ is None


def test_waits_are_drawn_between_zero_and_the_bound() -> None:
    drawn: list[tuple[float, float]] = []
    waits: list[float] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return high / 4

    assert Retry(pause=waits.append, draw=draw).run(Failing(*[Unreachable("gone")] * 3)) == "done"
    assert drawn == [(0, 0.25), (0, 0.5), (0, 1.0)]
    assert waits == [0.0625, 0.125, 0.25]


@pytest.mark.parametrize(
    ("asked", "waits"), [(None, [0.25]), (0.0, [0.25]), (7.0, [7.25]), (120.0, [120.25]), (121.0, None), (1e14, None)]
)
def test_retry_after_is_added_to_our_own_wait(asked: float | None, waits: list[float] | None) -> None:
    clock = Clock()
    if waits is not None:
        assert clock.retry.run(Failing(throttled(asked))) == "done"
        assert clock.waits == waits
        return
    with pytest.raises(Throttled) as caught:
        clock.retry.run(Failing(throttled(asked)))
    assert clock.waits == []
    assert caught.value.message == f"busy (it asks to wait {asked:.0f} s, longer than a run waits)"


SERVERS = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)  # a clock different from ours


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 30 ", 30.0),
        ("999999", 999999.0),
        ("9" * 5000, 999999999999999.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (format_datetime(SERVERS + timedelta(seconds=20), usegmt=True), 20.0),
        (format_datetime(SERVERS - timedelta(days=1), usegmt=True), 0.0),
        ("Fri, 31 Dec 2099 23:59:59 GMT", (datetime(2099, 12, 31, 23, 59, 59, tzinfo=timezone.utc) - SERVERS).total_seconds()),
        ("Fri, 99 Dec 2099 23:59:59 GMT", None),
        ("Fri, 31 Dec 99999999 23:59:59 GMT", None),
    ],
)
def test_retry_after_in_all_its_forms(text: str, seconds: float | None) -> None:
    headers = {"Retry-After": text, "Date": format_datetime(SERVERS, usegmt=True)}
    assert from_reply("GET /", 503, headers, b"", SettingNames()).retry_after == seconds


def test_a_retry_date_without_a_server_clock_uses_ours() -> None:
    until = datetime.now(timezone.utc) + timedelta(seconds=3600)
    for date in ({}, {"Date": "noon"}):
        error = from_reply("GET /", 429, {"Retry-After": format_datetime(until, usegmt=True), **date}, b"", SettingNames())
        assert error.retry_after is not None
        assert 3000 < error.retry_after <= 3600


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Unreachable("x"), True),
        (Throttled("x", status=429), True),
        (Throttled("x", status=503), True),
        (TransferError("x"), True),
        (Unexpected("x", status=500), True),
        (Unexpected("x", status=502), True),
        (Unexpected("x", status=504), True),
        (Unexpected("x", status=408), True),
        (Unexpected("x", status=200), True),
        (Unexpected("x"), True),
        (Unexpected("x", status=302), False),
        (Unexpected("x", status=400), False),
        (Unexpected("x", status=423), False),
        (TimedOut("x"), False),
        (Untrusted("x"), False),
        (Denied("x", status=401), False),
        (NotFound("x", status=404), False),
        (Conflict("x", status=409), False),
        (ClusterError("x"), False),
        (Interrupted("x"), False),
        (ValueError("x"), False),
    ],
)
def test_only_transient_failures_are_retried(error: Exception, again: bool) -> None:
    clock = Clock()
    failing = Failing(error)
    if again:
        assert clock.retry.run(failing) == "done"
    else:
        with pytest.raises(type(error)):
            clock.retry.run(failing)
    assert failing.calls == 1 + again


def test_all_threads_share_one_budget() -> None:
    clock = Clock(tries=100, budget=10.0)
    raised: list[ClusterError] = []

    def work() -> None:
        try:
            clock.retry.run(Failing(*[Unreachable("gone")] * 100))
        except Unreachable as error:
            raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {error.message for error in raised} == {"gone (this run has used up its waiting time)"}
    assert len(raised) == 8
    assert sum(clock.waits) <= 10.0
    assert clock.retry.budget == 10.0 - sum(clock.waits)


def test_a_storm_of_refusals_thins_out() -> None:
    """Eight workers use a server that refuses everything: each sends six requests, with growing waits."""
    busy = b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n"
    waits: list[list[float]] = [[] for _ in range(8)]
    place = threading.local()
    heard: list[float] = []

    with listening(answers(busy)) as raw:

        def pause(seconds: float) -> None:
            waits[place.number].append(seconds)

        retry = Retry(pause=pause)
        target = Host(raw.url, NAMES, Net(Proxies(), retry), None)

        def ask() -> None:
            heard.append(time.monotonic())
            target.answer("GET", "/", {})

        def work(number: int) -> None:
            place.number = number
            with pytest.raises(Throttled):
                retry.run(ask)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(heard) == 48
    assert [len(each) for each in waits] == [5] * 8
    totals = [sum(each[step] for each in waits) for step in range(5)]
    assert totals[4] > totals[0]
    assert len({tuple(each) for each in waits}) == 8  # all workers wait differently


def looks(*found: str | Exception | None) -> Callable[[], str | None]:
    left = list(found)

    def look() -> str | None:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


def test_a_request_that_took_effect_is_not_repeated() -> None:
    clock, act = Clock(), Failing(Unreachable("lost"))
    assert clock.retry.run_once(act, looks("found")) == "found"
    assert (act.calls, clock.waits) == (1, [0.25])


def test_a_request_without_effect_is_repeated_after_each_look() -> None:
    clock, act = Clock(), Failing(Unreachable("lost"), throttled(3.0))
    assert clock.retry.run_once(act, looks(None, None)) == "done"
    assert (act.calls, clock.waits) == (3, [0.25, 3.5])


@pytest.mark.parametrize("error", [Denied("no", status=403), NotFound("no", status=404), Conflict("no", status=409)])
def test_a_refusal_means_that_nothing_was_done(error: ClusterError) -> None:
    act = Failing(error)
    with pytest.raises(type(error)):
        Clock().retry.run_once(act, looks())
    assert act.calls == 1


def test_a_conflict_after_a_lost_reply_may_be_our_own() -> None:
    act = Failing(Unreachable("lost"), Conflict("there is one", status=409))
    assert Clock().retry.run_once(act, looks(None, "ours")) == "ours"
    act = Failing(Unreachable("lost"), Conflict("there is one", status=409))
    with pytest.raises(Unreachable, match=r"^lost$"):
        Clock().retry.run_once(act, looks(None, None))
    assert act.calls == 2


def test_if_the_look_fails_the_first_failure_is_raised() -> None:
    act = Failing(Unreachable("lost"))
    with pytest.raises(Unreachable, match=r"^lost$"):
        Clock().retry.run_once(act, looks(Throttled("busy")))
    assert act.calls == 1


@pytest.mark.parametrize("error", [TimedOut("slow"), Untrusted("who"), Unexpected("no", status=400)])
def test_after_a_permanent_failure_there_is_one_look_and_no_retry(error: ClusterError) -> None:
    act = Failing(error)
    assert Clock().retry.run_once(act, looks("found")) == "found"
    act = Failing(error)
    with pytest.raises(type(error)):
        Clock().retry.run_once(act, looks(None))
    assert act.calls == 1


def test_an_interrupt_is_raised_without_a_look() -> None:
    with pytest.raises(Interrupted):
        Clock().retry.run_once(Failing(Interrupted("interrupted")), looks())


def test_the_number_of_attempts_is_limited() -> None:
    act = Failing(*[Unreachable("lost")] * 10)
    with pytest.raises(Unreachable, match=r"^lost \(tried 6 times\)$"):
        Clock().retry.run_once(act, looks(*[None] * 10))
    assert act.calls == 6
