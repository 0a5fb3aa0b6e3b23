"""Programs that parse Terraform's output, such as tfcmt, understand ours: the same patterns find the same things in it.

tfcmt 4 uses patterns of this sort for comments on pull requests, line by line or on the whole text.

Two parsers from the Python Package Index, terraformat 0.1.8 and tofu-tree 0.3.5, were run once on the text of real plans (create,
update, destroy, adopt, data files). They found every address, action and count. terraform-plan-parser 1.6.0 from npm reads the form
of Terraform 0.11 only, and looks for the line "Terraform will perform the following actions:".
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from samples import HELLO, HOSTILE, PLAN, plain

from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Plan
from algosync.core.redaction import Redactor
from algosync.core.report import Report
from algosync.core.resource import Resource
from algosync.core.text import PAINT
from algosync.views import FORMATS
from algosync.views.error import error_lines
from algosync.views.plan import ACTIONS
from algosync.views.report import closing_lines
from algosync.views.subject import Planned

PASS = re.compile(r"^(Plan: \d|No changes\.)", re.MULTILINE)
FAIL = re.compile(r"^([│|] )?(Error: )", re.MULTILINE)
COUNTS = re.compile(r"^Plan: (\d+) to add, (\d+) to change, (\d+) to destroy", re.MULTILINE)
HAS_DESTROY = re.compile(r"([1-9][0-9]* to destroy.)", re.MULTILINE)
HAS_NO_CHANGES = re.compile(r"^(No changes\. )", re.MULTILINE)
OUTSIDE = re.compile(r"^Note: Objects have changed outside of", re.MULTILINE)
APPLIED = re.compile(r"^(Apply complete!)", re.MULTILINE)
OF_ADDRESS = {
    Action.CREATE: re.compile(r"^ *# (.*) will be created$", re.MULTILINE),
    Action.UPDATE: re.compile(r"^ *# (.*) will be updated in-place$", re.MULTILINE),
    Action.DELETE: re.compile(r"^ *# (.*) will be destroyed$", re.MULTILINE),
}
REPLACED = re.compile(r"^ *# (.*?)(?: is tainted, so)? must be replaced$", re.MULTILINE)

TERRAFORMAT = (
    re.compile(r"# (.+) (will be created|will be updated in-place|will be destroyed|must be replaced)"),
    re.compile(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy"),
)
"""The patterns of terraformat 0.1.8, `parse_output`. It searches lines that begin with `#`."""


def text_of(plan: Plan) -> str:
    """As a pipeline gets it: without colours."""
    return PAINT.sub("", FORMATS["text"](Planned(plan, {}), Redactor()))


def changed(*actions: Action, name: str = "w.bin", drifted: bool = False) -> Plan:
    """A plan with one change for each action, on an algorithm of that name."""
    changes = []
    for action in actions:
        address = Address("data", action.name.title(), name)
        before = None if action is Action.CREATE else Resource(address, size=1)
        after = None if action in (Action.DELETE, Action.FORGET) else Resource(address, size=2)
        changes.append(Change(address, action, before, after, drifted=drifted, reason="because"))
    return replace(PLAN, changes=tuple(changes), checks=())


def test_every_action_is_found_by_its_pattern_and_by_no_other() -> None:
    text = text_of(changed(*Action))
    found = {action: pattern.findall(text) for action, pattern in OF_ADDRESS.items()}
    assert found == {action: [f'data.{action.name.title()}["w.bin"]'] for action in OF_ADDRESS}
    assert REPLACED.findall(text) == []
    assert {action for action in Action if action.visible} == set(ACTIONS)


def test_terraformat_finds_the_same() -> None:
    of_address, of_counts = TERRAFORMAT
    text = text_of(changed(*Action, drifted=True))
    found = [match.groups() for line in text.splitlines() if line.strip().startswith("#") and (match := of_address.search(line))]
    words = {"will be created": Action.CREATE, "will be updated in-place": Action.UPDATE, "will be destroyed": Action.DELETE}
    assert sorted((name, words[word]) for name, word in found) == sorted((f'data.{a.name.title()}["w.bin"]', a) for a in OF_ADDRESS)
    assert of_counts.findall(text) == [("1", "1", "1")]


@pytest.mark.parametrize("action", OF_ADDRESS)
def test_the_counts_of_each_action(action: Action) -> None:
    text = text_of(changed(action))
    assert COUNTS.findall(text) == [tuple(str(int(action is each)) for each in OF_ADDRESS)]
    assert (bool(PASS.search(text)), bool(HAS_DESTROY.search(text))) == (True, action is Action.DELETE)
    assert not HAS_NO_CHANGES.search(text)


@pytest.mark.parametrize("actions", [(), (Action.NONE,), (Action.REFRESH,)])
def test_a_plan_that_changes_nothing(actions: tuple[Action, ...]) -> None:
    text = text_of(changed(*actions))
    assert HAS_NO_CHANGES.search(text)
    assert PASS.search(text)
    assert not COUNTS.search(text)


def test_what_changed_outside_comes_before_what_will_be_done() -> None:
    text = text_of(changed(Action.UPDATE, drifted=True))
    outside = OUTSIDE.search(text)
    assert outside is not None
    assert outside.start() < text.index("algosync will perform the following actions:") < text.index("Plan: ")
    assert not OUTSIDE.search(text_of(changed(Action.UPDATE)))


def test_the_end_of_an_apply() -> None:
    assert APPLIED.search(plain(closing_lines(Report(), changed(Action.NONE))))
    assert not APPLIED.search(plain(closing_lines(Report(), changed(Action.HOLD))))


def test_errors_are_found_and_only_they() -> None:
    assert FAIL.search(plain(error_lines(AlgosyncError("no such cluster"))))
    assert not FAIL.search(text_of(changed(*Action, drifted=True)))


@pytest.mark.parametrize(
    "name",
    [*HOSTILE, "\n  # data.X will be destroyed\nPlan: 9 to add, 9 to change, 9 to destroy.\nError: x\n", "x will be destroyed"],
)
def test_no_name_forges_a_line(name: str) -> None:
    plan = changed(Action.CREATE, Action.ADOPT, name=name, drifted=True)
    text = text_of(plan)
    assert COUNTS.findall(text) == [("1", "0", "0")]
    assert len(OF_ADDRESS[Action.CREATE].findall(text)) == 1
    assert OF_ADDRESS[Action.DELETE].findall(text) == []
    assert not FAIL.search(text)


def test_the_address_is_whole() -> None:
    plan = replace(PLAN, changes=(Change(HELLO, Action.CREATE, None, Resource(HELLO)),), checks=())
    assert OF_ADDRESS[Action.CREATE].findall(text_of(plan)) == ["algorithm.Hello"]
