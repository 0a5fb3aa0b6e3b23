"""The work of a plan that finds nothing to do, counted and not timed: for each data file, and for each algorithm."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType

import pytest
from test_growth_counted import World

from algosync.core.planning.guards import Situation, guarded
from algosync.core.planning.plan import PlanHeader, masked
from algosync.core.planning.saved_plan import Conceal, without_secrets, workflow_digest
from algosync.core.redaction import Redactor
from algosync.engine.plan import make_plan
from algosync.state import open_session
from algosync.views import FORMATS
from algosync.views.subject import Planned

ALGORITHMS = 20
MOST_OF_A_FILE = 65  # calls of functions of algosync: 58 now, 140 before they were counted
MOST_OF_AN_ALGORITHM = 1000  # without its files: 909 now, 1,178 before


@contextmanager
def counted_calls() -> Iterator[Callable[[], int]]:
    """How many functions of algosync all threads called while the body ran. An iteration of a generator counts as a call."""

    calls = count()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and "/algosync/" in frame.f_code.co_filename:
            next(calls)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield lambda: next(calls)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def plan_again(world: World) -> int:
    """The calls of an unchanged plan, from the state to its text."""
    redactor = Redactor()
    redactor.hide("a secret of the user")
    conceal = Conceal(redactor.redact, redactor.holds, redactor.may_hold)
    with counted_calls() as calls, open_session(str(world.folder / "state"), "w@local~me.json", exclusive=False) as session:
        plan = make_plan(world.flow, world.scene(session), session.records, PlanHeader("w", None, "local", "me"))
        plan = guarded(plan, Situation(world.flow, session.records))
        without_secrets(masked(plan, redactor.holds), conceal)
        workflow_digest(world.flow, conceal)
        text = FORMATS["text"](Planned(plan, {}), redactor)
        assert "No changes." in text
        return calls()


@pytest.fixture
def calls_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], int]:
    """The calls of an unchanged plan of some algorithms with this many files each."""
    monkeypatch.setattr(os, "fsync", lambda _: None)

    def calls(files: int) -> int:
        world = World(tmp_path / str(files), ALGORITHMS, files)
        _, report = world.run()
        assert report.exit_code == 0
        plan_again(world)  # methods of dataclasses are compiled when they are first called
        return plan_again(world)

    return calls


def test_an_unchanged_plan_calls_few_functions_for_each_file_and_algorithm(calls_with: Callable[[int], int]) -> None:
    few, many = calls_with(2), calls_with(22)
    of_a_file = (many - few) / (20 * ALGORITHMS)
    of_an_algorithm = few / ALGORITHMS - 2 * of_a_file
    assert of_a_file < MOST_OF_A_FILE
    assert of_an_algorithm < MOST_OF_AN_ALGORITHM
