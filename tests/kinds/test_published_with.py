"""A version's record tells the digests of the data files it was published with. They decide whether recorded files renew it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.ledger import FakeLedger
from release_site import HEADER, KilledError, Site, converges, site_in
from test_release_table import CHANGES

from algosync.cli.state.mv import moved_records
from algosync.core.address import Address
from algosync.core.planning.renewal import PUBLISHED_WITH
from algosync.core.workflow import Publish
from algosync.engine.adopt import adopt
from algosync.engine.plan import make_plan

FILE = Address("data", "One", "a.bin")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path / "site")


def forget(site: Site, gone: Collection[Address] = (FILE,)) -> None:
    """`algosync state rm`."""
    records = [record for address, record in site.ledger.records.items() if address not in gone]
    site.ledger = FakeLedger(records, before_commit=site.count_commit)


def as_of_an_older_version(site: Site) -> None:
    records = [
        replace(record, private={n: v for n, v in record.private.items() if n != PUBLISHED_WITH})
        for record in site.ledger.records.values()
    ]
    site.ledger = FakeLedger(records, before_commit=site.count_commit)


def lose_state(site: Site) -> None:
    site.ledger = FakeLedger(before_commit=site.count_commit)


def importing(site: Site, *patterns: str) -> None:
    workflow, scene = site.scene()
    adopt(make_plan(workflow, scene, site.ledger.records, HEADER), workflow, scene, site.ledger, patterns)


def moved_and_moved_back(site: Site) -> None:
    """`algosync state mv`, twice."""
    there = moved_records(site.ledger.records, "One", "Two").values()
    back = moved_records({record.address: record for record in there}, "Two", "One").values()
    site.ledger = FakeLedger(back, before_commit=site.count_commit)


def imported(site: Site) -> None:
    lose_state(site)
    importing(site)


def adopted(site: Site) -> None:
    lose_state(site)
    site.apply()


def upgraded(site: Site) -> None:
    as_of_an_older_version(site)
    site.apply()


def updated(site: Site) -> None:
    CHANGES["one file"](site)
    site.apply()


EARLIER: dict[str, Callable[[Site], None]] = {
    "nothing": lambda site: None,
    "update": updated,
    "state mv": moved_and_moved_back,
    "import": imported,
    "lost state": adopted,
    "upgrade": upgraded,
}


@pytest.mark.parametrize("what", EARLIER)
def test_a_file_that_is_recorded_again_publishes_no_version(site: Site, what: str) -> None:
    EARLIER[what](site)
    published = site.published
    forget(site)
    assert [str(change.address) for change in site.plan().visible] == ['data.One["a.bin"]']
    assert site.apply().exit_code == 0
    assert (site.published, site.plan().visible) == (published, ())


def test_a_file_that_is_imported_again_publishes_no_version(site: Site) -> None:
    forget(site)
    importing(site, 'data.One["a.bin"]')
    assert site.plan().visible == ()


def test_a_file_that_was_there_already_publishes_a_version_even_after_an_interrupt(site: Site) -> None:
    """The version that is published may not have loaded it. It is recorded before the version is published."""
    site.cluster.data.write("jane", "One", "c.bin", b"new c")
    site.use({"c.bin": b"new c"})
    site.killed_at = site.commits + 2  # the file is recorded first
    with suppress(KilledError):
        site.apply()
    site.restart()
    assert Address("data", "One", "c.bin") in site.ledger.records
    converges(site)
    assert site.published == "0.2.0"


def test_a_file_that_somebody_changed_to_what_the_workflow_wants_publishes_a_version(site: Site) -> None:
    """Workers of the published version may have loaded it before."""
    CHANGES["one file"](site)
    site.cluster.data.write("jane", "One", "a.bin", b"new a")
    converges(site)
    assert site.published == "0.2.0"


def test_the_first_plan_after_an_upgrade_is_empty(site: Site) -> None:
    as_of_an_older_version(site)
    assert site.plan().visible == ()
    site.apply()
    assert site.ledger.records[Address("version", "One")].private[PUBLISHED_WITH]


def test_data_that_publish_on_leaves_out_is_due_when_it_is_named_again(site: Site) -> None:
    site.spec = replace(site.spec, publish=Publish(on=frozenset({"source", "settings"})))
    CHANGES["one file"](site)
    site.cluster.data.write("jane", "One", "a.bin", b"new a")
    site.apply()
    assert (site.published, site.plan().visible) == ("0.1.0", ())
    site.spec = replace(site.spec, publish=Publish())
    assert [str(change.address) for change in site.plan().visible] == ["version.One"]
