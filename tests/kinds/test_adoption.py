"""An algorithm that is at the destination and is not recorded: whose it is, by its last commit."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.ledger import FakeLedger
from release_site import Site, site_in

from algosync.core.address import Address
from algosync.core.planning.change import Action
from algosync.core.planning.guards import Situation, guarded
from algosync.core.planning.target import Selection
from algosync.core.tree import Blob


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A published algorithm whose state was lost."""
    site = site_in(tmp_path)
    site.ledger = FakeLedger()
    return site


def refused(site: Site, selection: Selection = Selection()) -> list[str]:  # noqa: B008  # immutable
    plan = site.plan(selection)
    return [r.message for r in guarded(plan, Situation(site.scene()[0], site.ledger.records)).refusals]


def test_our_own_work_is_continued_after_a_lost_state(site: Site) -> None:
    site.code(b"def apply(input):\n    return 'changed'\n")
    assert refused(site) == []


def test_a_commit_of_somebody_else_is_refused_with_its_author(site: Site) -> None:
    head = site.algorithms.algorithms["One"].repository.push_behind("src/One.py", b"theirs")
    (message,) = refused(site)
    assert f"{head[:12]} of Somebody <else@localhost>" in message
    assert refused(site, Selection(targets=('data.One["a.bin"]',))) == []
    assert refused(site, Selection(targets=("source.One",))) == [message]


def test_an_equal_algorithm_of_somebody_else_is_adopted(site: Site) -> None:
    repository = site.algorithms.algorithms["One"].repository
    head = repository.head()
    assert head is not None
    commit = repository.push(head, repository.tree(head), author="Somebody <else@localhost>", message="again")
    site.algorithms.publish("jane", "One", commit, {"settings": {"algorithm_callability": "private"}})
    assert refused(site) == []


def test_our_trailer_is_known_under_another_name(site: Site) -> None:
    repository = site.algorithms.algorithms["One"].repository
    head = repository.head()
    assert head is not None
    message = repository.texts[head]
    tree = {**repository.tree(head), "src/x.py": repository.tree(head)["src/One.py"]}
    repository.push(head, tree, author="Somebody <else@localhost>", message=f"squashed\n\n{message}")
    assert refused(site) == []


def test_an_algorithm_with_only_its_template_is_nobodys_work(tmp_path: Path) -> None:
    """An apply that was killed right after it had created the algorithm leaves this."""
    site = site_in(tmp_path)
    site.algorithms.algorithms.clear()
    site.ledger = FakeLedger()
    site.algorithms.create("jane", "One", {"label": "other"}, {"algorithm_environment": "env-39", "network_access": "isolated"})
    assert refused(site) == []


def test_a_recorded_algorithm_is_ours_whoever_pushed_last(tmp_path: Path) -> None:
    site = site_in(tmp_path)
    site.algorithms.algorithms["One"].repository.push_behind("src/One.py", b"theirs")
    assert refused(site) == []
    assert len(site.plan().drifted) > 0


def test_recorded_settings_do_not_make_the_source_of_somebody_else_ours(tmp_path: Path) -> None:
    """As after `import algorithm.One`, or `apply --target algorithm.One`."""
    site = site_in(tmp_path)
    site.algorithms.algorithms["One"].repository.push_behind("src/One.py", b"theirs")
    for kind in ("source", "version"):
        site.ledger.forget(Address(kind, "One"))
    assert len(refused(site)) == 1


def test_our_own_commit_that_was_not_recorded_is_no_drift(tmp_path: Path) -> None:
    """The run that pushed it died, and its journal is on another machine."""
    site = site_in(tmp_path)
    repository = site.algorithms.algorithms["One"].repository
    head = repository.head()
    assert head is not None
    tree = {**repository.tree(head), "src/One.py": Blob(b"of a dead run")}
    repository.push(head, tree, author="algosync <algosync@localhost>", message="algosync: source of One")
    (change,) = (c for c in site.plan().changes if c.address.kind == "source")
    assert (change.action, change.drifted) == (Action.UPDATE, False)
