"""`--refresh-only`: the record takes over what is at the destination; and `--checksum`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from fakes.clusters import OWNER
from release_site import HEADER, Site, site_in

from algosync.core.address import Address
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import Checksum, Mode, Selection
from algosync.engine.apply import apply
from algosync.engine.refresh import make_refresh_plan

REFRESH = Selection(mode=Mode.REFRESH)
FILE = Address("data", "One", "a.bin")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path)


def refreshed(site: Site, selection: Selection = REFRESH) -> dict[str, Action]:
    """Applies a refresh, and returns its visible changes. Nothing is written to the destination."""
    writes = len([line for line in site.ledger.log if line.split()[0] not in ("commit", "forget")])
    workflow, scene = site.scene(selection)
    plan = make_refresh_plan(workflow, scene, site.ledger.records, HEADER, selection)
    with closing(apply(plan, workflow, scene, site.ledger)) as events:
        assert list(events) == []
    assert len([line for line in site.ledger.log if line.split()[0] not in ("commit", "forget")]) == writes
    return actions(plan)


def actions(plan: Plan) -> dict[str, Action]:
    return {str(c.address): c.action for c in plan.changes if c.action.visible}


def test_nothing_differs(site: Site) -> None:
    before = dict(site.ledger.records)
    assert refreshed(site) == {}
    assert dict(site.ledger.records) == before


@pytest.mark.parametrize("content", [b"new a", b"of another size"])
def test_a_changed_file_is_recorded_as_it_is_and_is_no_drift_any_more(site: Site, content: bytes) -> None:
    site.cluster.data.write(OWNER, "One", "a.bin", content)
    assert refreshed(site) == {str(FILE): Action.RECORD}
    assert site.ledger.records[FILE].digest == site.cluster.data.digest(OWNER, "One", "a.bin")
    assert refreshed(site) == {}
    (change,) = (c for c in site.plan().changes if c.address == FILE)
    assert (change.action, change.drifted) == (Action.UPDATE, False)


def test_a_file_that_is_gone_is_forgotten(site: Site) -> None:
    site.cluster.data.delete(OWNER, "One", "a.bin")
    assert refreshed(site) == {str(FILE): Action.FORGET}
    assert FILE not in site.ledger.records
    (change,) = (c for c in site.plan().changes if c.address == FILE)
    assert (change.action, change.drifted) == (Action.CREATE, False)


def test_a_file_written_again_with_the_same_bytes_is_recorded_quietly(site: Site) -> None:
    site.cluster.data.write(OWNER, "One", "a.bin", b"old a")
    assert refreshed(site) == {}
    site.cluster.data.opened.clear()
    assert actions(site.plan()) == {}
    assert site.cluster.data.opened == []


def test_settings_source_and_version_of_somebody_else_are_recorded(site: Site) -> None:
    there = site.algorithms.algorithms["One"]
    there.settings["network_access"] = "isolated"
    commit = there.repository.push_behind("src/One.py", b"theirs")
    site.algorithms.publish(OWNER, "One", commit, {"settings": {"algorithm_callability": "private"}})
    names = ("algorithm.One", "source.One", "version.One")
    assert refreshed(site) == dict.fromkeys(names, Action.RECORD)
    plan = site.plan()
    assert {name: actions(plan)[name] for name in names} == dict.fromkeys(names, Action.UPDATE)
    assert plan.drifted == ()
    assert site.apply().exit_code == 0
    assert actions(site.plan()) == {}


def test_targets_and_exclusions_count(site: Site) -> None:
    for name in ("a.bin", "b.bin"):
        site.cluster.data.write(OWNER, "One", name, b"theirs")
    only = Selection(targets=('data.One["a.bin"]',), mode=Mode.REFRESH)
    assert refreshed(site, only) == {str(FILE): Action.RECORD}
    assert refreshed(site, Selection(exclude=('data.One["b.bin"]',), mode=Mode.REFRESH)) == {}


def read(site: Site, checksum: Checksum) -> tuple[dict[str, Action], int]:
    """The visible changes, and the number of files that were read on both sides."""
    site.cluster.data.opened.clear()
    site.store.opened.clear()
    plan = site.plan(Selection(checksum=checksum))
    return actions(plan), len(site.cluster.data.opened) + len(site.store.opened)


def test_always_reads_also_where_the_stamps_stand(site: Site) -> None:
    assert read(site, Checksum.AUTO) == ({}, 0)
    assert read(site, Checksum.NEVER) == ({}, 0)
    assert read(site, Checksum.ALWAYS) == ({}, 4)
    site.cluster.data._collections[OWNER, "One"]["a.bin"] = b"rot a"  # the stamp stands
    assert read(site, Checksum.AUTO) == ({}, 0)
    assert read(site, Checksum.ALWAYS)[0][str(FILE)] is Action.UPDATE


def test_never_takes_a_moved_stamp_for_a_change(site: Site) -> None:
    site.cluster.data.write(OWNER, "One", "a.bin", b"old a")
    found, reads = read(site, Checksum.NEVER)
    assert (found[str(FILE)], reads) == (Action.UPDATE, 0)
    assert read(site, Checksum.AUTO) == ({}, 1)
