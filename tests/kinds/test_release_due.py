"""When a new version is due, and on which commit it is tested, on a cluster in memory."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER
from fakes.ledger import FakeLedger
from release_site import NAMES, OLD, KilledError, Site, converges, site_in
from test_release_table import CHANGES

from algosync.core.address import Address
from algosync.core.error import Denied
from algosync.core.planning.plan import Plan
from algosync.core.planning.schedule import Verb
from algosync.core.planning.target import Selection
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, DataFile, Publish, Settings

SPEC = AlgorithmSpec(
    "One", "python3", data_files=tuple(DataFile(f"data://.my/models/{n}", n) for n in NAMES), tests=(TestCase("", "1"),)
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path / "site")


@dataclass
class EmptySite(Site):
    """Nothing is at the destination yet."""

    def release(self) -> None:
        pass


def visible(plan: Plan) -> list[str]:
    return [str(change.address) for change in plan.visible]


@pytest.mark.parametrize("payload", ["1", None])
def test_a_first_release_that_was_killed_publishes_one_version(tmp_path: Path, payload: str | None) -> None:
    """Publishing counts as a use of the commit, so it need not be tested."""
    spec = replace(SPEC, tests=(TestCase("", payload),) if payload else ())
    whole = EmptySite(tmp_path / "whole", spec)
    whole.apply()
    for number in range(1, whole.commits + 1):
        killed = EmptySite(tmp_path / str(number), spec)
        killed.killed_at = number
        with suppress(KilledError):
            killed.apply()
        killed.restart()
        assert killed.apply().exit_code == 0
        assert (visible(killed.plan()), killed.published, killed.live) == ([], "0.1.0", OLD), number


@pytest.mark.parametrize("what", CHANGES)
def test_an_update_that_was_killed_publishes_one_version(site: Site, tmp_path: Path, what: str) -> None:
    start = site.commits
    CHANGES[what](site)
    site.apply()
    for number in range(start + 1, site.commits + 1):
        killed = Site(tmp_path / str(number), SPEC)
        CHANGES[what](killed)
        killed.killed_at = number
        with suppress(KilledError):
            killed.apply()
        killed.restart()
        converges(killed)
        assert killed.published == "0.2.0", number


@pytest.mark.parametrize("on", ["source", "settings", "data"])
def test_publish_on_is_no_reason_for_a_version_itself(site: Site, on: str) -> None:
    site.spec = replace(site.spec, publish=Publish(on=frozenset({on})))  # type: ignore[arg-type]  # the parameter is a text
    assert visible(site.plan()) == []
    site.apply()
    site.spec = replace(site.spec, publish=Publish())
    assert visible(site.plan()) == []


@pytest.mark.parametrize(
    ("what", "on"),
    [("source", {"settings", "data"}), ("settings", {"source", "data"}), ("one file", {"source", "settings"})],
)
def test_a_change_that_publish_on_leaves_out_is_published_when_it_is_named_again(site: Site, what: str, on: set[str]) -> None:
    site.spec = replace(site.spec, publish=Publish(on=frozenset(on)))  # type: ignore[arg-type]  # the parameter is a text
    CHANGES[what](site)
    assert site.apply().exit_code == 0
    assert (site.published, visible(site.plan())) == ("0.1.0", [])
    left_out = [] if what == "one file" else ["version.One"]
    assert [str(address) for address, note in site.plan().notes() if "`publish.on` leaves out" in note] == left_out
    site.spec = replace(site.spec, publish=Publish())
    assert visible(site.plan()) == ["version.One"]
    site.apply()
    assert (site.published, visible(site.plan())) == ("0.2.0", [])


def reason(site: Site) -> str:
    (version,) = site.plan().versions
    return version.reason


def test_the_plan_says_why_a_version_with_equal_content_is_published(site: Site) -> None:
    CHANGES["one file"](site)
    assert reason(site) == "its data files change"
    site.apply(Selection(targets=('data.One["a.bin"]',)))
    assert reason(site) == "its data files were written after it was published"
    CHANGES["source"](site)
    assert reason(site) == ""


def test_what_publish_on_leaves_out_is_in_the_next_version(site: Site) -> None:
    site.spec = replace(site.spec, publish=Publish(on=frozenset({"settings"})))
    CHANGES["source"](site)
    site.apply()
    site.spec = replace(site.spec, settings=Settings(pipeline_enabled=False))
    site.apply()
    site.spec = replace(site.spec, publish=Publish())
    assert (site.published, visible(site.plan())) == ("0.2.0", [])


def test_the_published_tree_is_read_where_an_older_version_did_not_record_it(site: Site) -> None:
    forget_private(site)
    site.spec = replace(site.spec, publish=Publish(on=frozenset({"settings", "data"})))
    CHANGES["source"](site)
    assert visible(site.plan()) == ["source.One"]


def test_a_push_by_somebody_else_is_reverted_without_a_new_version(site: Site) -> None:
    """The published version has the desired tree."""
    site.algorithms.algorithms["One"].repository.push_behind("src/theirs.py", b"")
    assert visible(site.plan()) == ["source.One"]
    site.apply()
    assert (site.published, visible(site.plan())) == ("0.1.0", [])


def test_a_target_writes_data_alone_and_the_version_follows(site: Site) -> None:
    """No version is tried, so the new bytes stay."""
    CHANGES["one file"](site)
    report = site.apply(Selection(targets=('data.One["a.bin"]',)))
    assert Verb.RESTORE not in {event.step.verb for event in report.done}
    assert (report.exit_code, site.published, site.live) == (0, "0.1.0", {**OLD, "a.bin": b"new a"})
    assert visible(site.plan()) == ["version.One"]
    converges(site)
    assert site.published == "0.2.0"


def test_a_commit_that_an_older_version_may_have_called_is_not_tested_on_new_data(site: Site) -> None:
    CHANGES["source"](site)
    site.algorithms.failures["publish"] = Denied("the key may not publish")
    assert site.apply().exit_code == 4
    del site.algorithms.failures["publish"]
    forget_private(site)
    CHANGES["one file"](site)
    converges(site)


def test_a_commit_that_was_not_called_is_tested(site: Site) -> None:
    """Data that was written since it was pushed is no reason for another commit."""
    CHANGES["source"](site)
    CHANGES["one file"](site)
    site.algorithms.failures["call"] = Denied("the key may not call")
    site.algorithms.build_status = lambda _: "failed"
    assert site.apply().exit_code == 4
    pushed = site.algorithms.algorithms["One"].repository.head()
    site.algorithms.build_status = lambda _: "succeeded"
    del site.algorithms.failures["call"]
    converges(site)
    assert site.algorithms.algorithms["One"].versions[0].commit == pushed


def forget_private(site: Site) -> None:
    """The records as an older version of algosync left them."""
    site.ledger = FakeLedger(
        (replace(record, private={}) for record in site.ledger.records.values()), before_commit=site.count_commit
    )
    assert Address("version", "One") in site.ledger.records


@pytest.mark.parametrize("killed_at", [None, 1, 2, 3])
def test_a_file_that_already_has_the_new_content_publishes_a_version(site: Site, killed_at: int | None) -> None:
    """Somebody wrote it by hand, or an apply whose last records are lost. Workers of the published version have the old one."""
    site.use({"a.bin": b"new a"})
    site.cluster.data.write(OWNER, "One", "a.bin", b"new a")
    assert visible(site.plan()) == ["version.One"]
    if killed_at is not None:
        site.commits, site.killed_at = 0, killed_at
        with pytest.raises(KilledError):
            site.apply()
        site.restart()
    assert site.apply().exit_code == 0
    assert (site.published, visible(site.plan())) == ("0.2.0", [])
    assert site.algorithms.loaded[site.algorithms.algorithms["One"].versions[0].commit]["a.bin"] == b"new a"


def test_a_version_that_was_published_since_is_not_older_than_such_a_file(site: Site) -> None:
    """The records of a whole apply are lost."""
    records = dict(site.ledger.records)
    site.use({"a.bin": b"new a"})
    assert site.apply().exit_code == 0
    for record in records.values():
        site.ledger.commit(record)
    assert visible(site.plan()) == []
    assert site.apply().exit_code == 0
    assert (site.published, visible(site.plan())) == ("0.2.0", [])
