"""The numbers of a summary need one event of each step, so no others are kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator

from algosync.cli.summary_file import Summary
from algosync.core.address import Address
from algosync.core.event import Event, Note, Progress, StepDone, StepStarted
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.report import fold
from algosync.core.resource import Resource

ADDRESS = Address("data", "One", "a.bin")
CHANGE = Change(ADDRESS, Action.CREATE, None, Resource(ADDRESS, {}, size=10_000))
UPLOAD, VERIFY = (Step(ADDRESS, verb, CHANGE) for verb in (Verb.UPLOAD, Verb.VERIFY))


def a_long_transfer() -> Iterator[Event]:
    for step in (UPLOAD, VERIFY):
        yield StepStarted(step)
        for done in range(10_000):
            yield Progress(step, done, 10_000)
        yield Note(step, "almost done")
        yield StepDone(step, 1.0)


def alive(kind: type) -> int:
    return sum(1 for each in gc.get_objects() if type(each) is kind)


def test_the_events_of_a_transfer_are_not_kept() -> None:
    gc.collect()
    others = alive(Progress)  # of other tests
    summary = Summary("apply", Plan(PlanHeader("w", None, "https://d", "jane"), (CHANGE,), ()))
    most = 0
    for number, event in enumerate(summary.noting(a_long_transfer(), (UPLOAD, VERIFY))):
        if isinstance(event, Progress) and number % 2000 == 1999:
            most = max(most, alive(Progress))
    assert 1 <= most <= others + 3
    assert summary.ends == [StepDone(UPLOAD, 1.0), StepDone(VERIFY, 1.0)]
    document = summary.document(0, "2026-11-30T00:00:00+00:00")
    assert isinstance(document, dict)
    assert document["bytes_uploaded"] == 10_000
    report = fold(summary.noting(a_long_transfer(), (UPLOAD, VERIFY)), lambda: True)
    assert report.completed()[Action.CREATE] == 1
    assert alive(Progress) <= others
