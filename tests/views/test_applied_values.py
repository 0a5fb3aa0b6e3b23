"""After an apply no format promises a value that is "known after apply"."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import META, PLAN

from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.redaction import Redactor
from algosync.core.report import Report
from algosync.core.resource import Resource
from algosync.views import FORMATS
from algosync.views.subject import Applied, Planned

VERSION, DATA = Address("version", "One"), Address("data", "One", "w.bin")
CHANGES = (
    Change(
        VERSION,
        Action.UPDATE,
        Resource(VERSION, {"version": "0.1.0"}),
        Resource(VERSION, {"label": "x"}),
        details={"publish": "minor"},
    ),
    Change(DATA, Action.UPDATE, Resource(DATA, size=1, digest="0" * 64), Resource(DATA, size=2)),
)
BUILD = Step(VERSION, Verb.BUILD, change=CHANGES[0])
PUBLISH, OVERWRITE = Step(VERSION, Verb.PUBLISH, change=CHANGES[0]), Step(DATA, Verb.OVERWRITE, change=CHANGES[1])
APPLIED = replace(PLAN, changes=CHANGES, checks=(), failing=())
NOT_PUBLISHED = (StepFailed(PUBLISH, 0.1, AlgosyncError("no")), StepSkipped(PUBLISH, "build version.One"))


def report(*events: StepDone | StepFailed | StepSkipped) -> Report:
    done = (StepDone(BUILD, 0.1, "b49aec54c2e1"), StepDone(OVERWRITE, 0.1), *(e for e in events if isinstance(e, StepDone)))
    failed = tuple(e for e in events if isinstance(e, StepFailed))
    return Report(done=done, failed=failed, skipped=tuple(e for e in events if isinstance(e, StepSkipped)))


def texts(applied: Report) -> dict[str, str]:
    subject = Applied(APPLIED, applied, {**META, "command": "apply", "workflow": "w"})
    return {name: view(subject, Redactor()) for name, view in FORMATS.items()}


def test_the_plan_says_it() -> None:
    assert FORMATS["markdown"](Planned(APPLIED, {}), Redactor()).count("known after apply") == 2


def test_the_published_version_is_told() -> None:
    made = texts(report(StepDone(PUBLISH, 0.1, "0.2.0")))
    assert [name for name, text in made.items() if "known after apply" in text] == []
    lines = [" ".join(line.split()) for line in made["markdown"].splitlines()]
    assert '! version = "0.1.0" -> "0.2.0"' in lines
    assert "! size = 1 B -> 2 B" in lines
    assert not any("sha256" in line for line in lines)


@pytest.mark.parametrize("event", NOT_PUBLISHED, ids=["failed", "left out"])
def test_a_version_that_was_not_published_has_no_line(event: StepFailed | StepSkipped) -> None:
    made = texts(report(event))
    assert [name for name, text in made.items() if "known after apply" in text] == []
    assert not any(line.split()[:3] == ["!", "version", "="] for line in made["markdown"].splitlines())
