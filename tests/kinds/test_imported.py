"""Import of a real release: every kind is recorded as it is at the destination, and nothing more is claimed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.clusters import FakeTime, context_of
from fakes.ledger import FakeLedger
from release_site import HEADER, Site, site_in

from algosync.core.planning.change import Action
from algosync.engine.adopt import Adopted, adopt
from algosync.engine.drift import find_drift
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A release whose state is lost."""
    site = site_in(tmp_path)
    site.ledger = FakeLedger()
    return site


def importing(site: Site, *patterns: str) -> Adopted:
    workflow, scene = site.scene()
    plan = make_plan(workflow, scene, site.ledger.records, HEADER)
    return adopt(plan, workflow, scene, site.ledger, patterns)


def drift(site: Site) -> tuple[object, ...]:
    workflow, _ = site.scene()
    context = context_of(site.cluster, site.spec, ledger=site.ledger, recorded_only=True, time=FakeTime())
    return find_drift(workflow, Scene(KINDS, PERFORMERS, context, 1), site.ledger.records)


def test_what_is_equal_is_recorded_and_the_next_plan_is_empty(site: Site) -> None:
    assert len(importing(site).imported) == 5
    assert [change.action for change in site.plan().changes if change.action is not Action.NONE] == []
    assert drift(site) == ()


def test_what_differs_is_recorded_and_the_next_plan_changes_it(site: Site) -> None:
    site.code(b"def apply(input):\n    return [input]\n")
    site.use({"a.bin": b"newer a"})
    importing(site)
    assert drift(site) == ()
    assert {str(change.address): change.drifted for change in site.plan().visible} == {
        'data.One["a.bin"]': False,
        "source.One": False,
        "version.One": False,
    }
    site.release()
    assert site.plan().visible == ()


def test_a_file_that_only_the_destination_has_is_not_taken_for_ours(site: Site) -> None:
    repository = site.algorithms.algorithms["One"].repository
    repository.push_behind("NOTES.txt", b"theirs")
    importing(site, "source.One")
    site.code(b"def apply(input):\n    return [input]\n")
    site.release()
    head = repository.head()
    assert head is not None
    assert repository.tree(head)["NOTES.txt"].data == b"theirs"


def test_a_version_whose_commit_is_gone_is_not_imported(site: Site) -> None:
    site.algorithms.algorithms["One"].repository.rewrite()
    adopted = importing(site)
    assert [str(address) for address in adopted.unreadable] == ["version.One"]
    assert "version.One" not in map(str, site.ledger.records)
