"""What a user is told when a saved plan cannot be applied any more."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from algosync.cli.saved.saving import require_same
from algosync.cli.session import CommandSession
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import Stale
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.plan_inputs import PlanFile, PlanInputs, WorkflowText
from algosync.core.planning.saved_plan import Binding, RecordMark, SavedPlan
from algosync.core.planning.target import Selection
from algosync.core.resource import Resource
from algosync.core.text import PAINT
from algosync.views.error import error_lines

INPUTS = PlanInputs(WorkflowText("w.yaml", "", {}, (), "w.yaml", ""))
BINDING = Binding(None, None, "https://api.b.com", None, "jane", None, None, None, "0" * 64, {})
MANY = tuple(Address("data", "One", f"{number:02}.bin") for number in range(14))
CREATES = tuple(Change(address, Action.CREATE, None, Resource(address, digest="d", size=1)) for address in MANY)
PLAN = Plan(PlanHeader("w", None, "https://api.b.com", "jane"), CREATES, ())
MANY_CHANGES = SavedPlan(PLAN, Selection(), BINDING)


def told(now: SavedPlan, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of the error. `now`: the plan that is made again."""
    monkeypatch.setattr("algosync.cli.saved.saving.saved_plan", lambda *_: now)
    none = cast("CommandSession", None)  # replaced above
    with pytest.raises(Stale) as refused:
        require_same(PlanFile(MANY_CHANGES, INPUTS), none, now.plan, cast("Terminal", None))
    return [PAINT.sub("", line) for line in error_lines(refused.value)]


def test_a_plan_that_was_applied_already_says_so_first(monkeypatch: pytest.MonkeyPatch) -> None:
    marks = {address: RecordMark("d", None, None, "c") for address in MANY}
    done = tuple(replace(change, action=Action.NONE, before=change.after) for change in CREATES)
    binding = replace(BINDING, lineage="of the first apply", records=marks)
    lines = told(replace(MANY_CHANGES, plan=replace(PLAN, changes=done), binding=binding), monkeypatch)
    assert lines == [
        "Error: this plan was applied already: the records are those that it would have written",
        "  the lineage of the state: nothing -> of the first apply",
        '  the record of data.One["00.bin"]: nothing -> digest d',
        '  the record of data.One["01.bin"]: nothing -> digest d',
        "  … and 26 more",
        "  for further changes make a new plan: algosync plan --out FILE",
    ]


def test_a_stale_plan_tells_at_most_ten_movements(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = tuple(replace(change, before=Resource(change.address, digest="x", size=1)) for change in CREATES)
    first, *lines, hint = told(replace(MANY_CHANGES, plan=replace(PLAN, changes=moved)), monkeypatch)
    assert first == "Error: the saved plan is stale: 14 movements since it was saved"
    assert lines[0] == '  data.One["00.bin"] at the destination: nothing -> digest x'
    assert (len(lines), lines[10]) == (11, "  … and 4 more")
    assert "algosync plan --out FILE" in hint
    one = replace(MANY_CHANGES, plan=replace(PLAN, changes=(moved[0], *CREATES[1:])))
    assert told(one, monkeypatch)[0] == 'Error: the saved plan is stale: data.One["00.bin"] at the destination: nothing -> digest x'
