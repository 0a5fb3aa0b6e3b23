"""Deleting a published algorithm with its data on a cluster in memory, and what is left where that is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER
from release_site import HEADER, Site, site_in

from algosync.cluster.data import FileStat
from algosync.core.address import Address
from algosync.core.error import NotFound
from algosync.core.event import StepDone
from algosync.core.planning.change import Action
from algosync.core.planning.guards import Situation, guarded
from algosync.core.planning.plan import Plan
from algosync.core.planning.target import Mode, Selection
from algosync.core.workflow import Workflow
from algosync.engine.apply import apply
from algosync.engine.plan import make_plan

DESTROY = Selection(mode=Mode.DESTROY)
PRUNE = Selection(prune=True)
ONE = Address("algorithm", "One")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path)


def has_collection(site: Site) -> bool:
    try:
        site.cluster.data.files(OWNER, "One")
    except NotFound:
        return False
    return True


def is_gone(site: Site) -> bool:
    return not site.algorithms.algorithms and not has_collection(site) and not site.ledger.records


def test_destroy_leaves_nothing(site: Site) -> None:
    assert site.apply(DESTROY).exit_code == 0
    assert is_gone(site)
    assert site.plan(DESTROY).visible == ()


def test_what_was_destroyed_can_be_applied_again(site: Site) -> None:
    site.apply(DESTROY)
    assert site.apply().exit_code == 0
    assert site.plan().visible == ()


def test_the_files_of_others_stay_with_their_collection_and_the_plan_says_so(site: Site) -> None:
    site.cluster.data.write(OWNER, "One", "theirs.bin", b"theirs")
    plan = site.plan(DESTROY)
    assert [note for _, note in plan.notes()] == ["its collection stays, with 1 file that algosync did not write"]
    report = site.apply(DESTROY)
    assert (report.exit_code, report.completed()[Action.DELETE]) == (0, 5)
    assert site.live == {"theirs.bin": b"theirs"}
    assert dict(site.ledger.records) == {}


def gone_at_the_destination(site: Site) -> None:
    del site.algorithms.algorithms["One"]


def with_files_gone_too(site: Site) -> None:
    gone_at_the_destination(site)
    for name in list(site.live):
        site.cluster.data.delete(OWNER, "One", name)


def with_the_records_of_its_parts(site: Site) -> None:
    with_files_gone_too(site)
    for address in list(site.ledger.records):
        if address.kind != "algorithm":
            site.ledger.forget(address)


def with_the_collection(site: Site) -> None:
    with_files_gone_too(site)
    site.cluster.data.remove(OWNER, "One")


@pytest.mark.parametrize(
    "interrupted", [gone_at_the_destination, with_files_gone_too, with_the_records_of_its_parts, with_the_collection]
)
def test_a_kill_between_a_deletion_and_its_record_converges(site: Site, interrupted: Callable[[Site], None]) -> None:
    interrupted(site)
    site.restart()
    assert site.apply(DESTROY).exit_code == 0
    assert is_gone(site)


@pytest.mark.parametrize("steps", range(1, 6))
def test_an_interrupt_after_any_step_converges(site: Site, steps: int) -> None:
    seen: list[object] = []

    def enough(event: object) -> bool:
        seen.append(event) if isinstance(event, StepDone) else None
        return len(seen) == steps

    site.apply(DESTROY, until=enough)
    assert not is_gone(site)
    assert site.apply(DESTROY).exit_code == 0
    assert is_gone(site)


def test_a_public_version_is_refused_by_the_platform_and_keeps_its_data(site: Site) -> None:
    site.spec = replace(site.spec, publish=replace(site.spec.publish, callability="public"))
    site.apply()
    assert [note for _, note in site.plan(DESTROY).notes()] == [
        "it has a public version: only an administrator of the cluster can delete it"
    ]
    report = site.apply(DESTROY)
    assert [event.error.message for event in report.failed] == ["only administrators may delete an algorithm with a public version"]
    assert site.live.keys() == {"a.bin", "b.bin"}
    assert len(site.ledger.records) == 5


def test_what_somebody_pushed_after_the_plan_is_not_deleted(site: Site) -> None:
    workflow, scene = site.scene(DESTROY)
    plan = make_plan(workflow, scene, site.ledger.records, HEADER, DESTROY)
    site.algorithms.algorithms["One"].repository.push_behind("src/x.py", b"x")
    with closing(apply(plan, workflow, scene, site.ledger)) as events:
        failed = [event.error.message for event in events if hasattr(event, "error")]
    assert failed == ["algorithm.One: somebody pushed since the plan was made"]
    assert "One" in site.algorithms.algorithms


def test_a_file_that_somebody_changed_after_the_plan_is_not_deleted(site: Site) -> None:
    workflow, scene = site.scene(DESTROY)
    plan = make_plan(workflow, scene, site.ledger.records, HEADER, DESTROY)
    site.cluster.data.write(OWNER, "One", "a.bin", b"theirs")
    with closing(apply(plan, workflow, scene, site.ledger)) as events:
        failed = [event.error.message for event in events if hasattr(event, "error")]
    assert failed == ['data.One["a.bin"]: somebody changed it since the plan was made']
    assert site.live == {"a.bin": b"theirs"}


def test_a_pruned_file_is_deleted_and_the_algorithm_stays(site: Site) -> None:
    site.spec = replace(site.spec, data_files=site.spec.data_files[:1])
    assert site.apply(PRUNE).exit_code == 0
    assert site.live == {"a.bin": b"old a"}
    assert "One" in site.algorithms.algorithms
    assert site.plan(PRUNE).visible == ()


def pruned_without_the_algorithm(site: Site) -> Plan:
    """The plan for a workflow from which the algorithm was removed."""
    _, scene = site.scene(PRUNE)
    workflow = Workflow("w", str(site.folder), ())
    return guarded(make_plan(workflow, scene, site.ledger.records, HEADER, PRUNE), Situation(workflow, site.ledger.records))


def test_an_algorithm_that_left_the_workflow_is_pruned(site: Site) -> None:
    plan = pruned_without_the_algorithm(site)
    assert {c.action for c in plan.changes} == {Action.DELETE}
    assert (plan.drifted, plan.refusals) == ((), ())
    workflow, scene = site.scene(PRUNE)
    with closing(apply(plan, replace(workflow, algorithms=()), scene, site.ledger)) as events:
        assert all(not hasattr(event, "error") for event in events)
    assert is_gone(site)


def test_an_algorithm_with_a_commit_of_somebody_else_is_not_pruned(site: Site) -> None:
    site.algorithms.algorithms["One"].repository.push_behind("src/One.py", b"theirs")
    plan = pruned_without_the_algorithm(site)
    assert [refusal.guard for refusal in plan.refusals] == ["drifted"]
    assert "source.One" in plan.refusals[0].message


@pytest.mark.parametrize("theirs", [True, False])
def test_a_commit_of_somebody_else_is_not_deleted_with_an_algorithm_whose_source_is_not_recorded(
    site: Site, *, theirs: bool
) -> None:
    for kind in ("source", "version"):
        site.ledger.forget(Address(kind, "One"))
    if theirs:
        site.algorithms.algorithms["One"].repository.push_behind("src/One.py", b"theirs")
    plan = pruned_without_the_algorithm(site)
    assert [refusal.guard for refusal in plan.refusals] == (["drifted"] if theirs else [])
    assert any("its repository is not recorded, and has the commit" in note for _, note in plan.notes()) is theirs


def test_a_protected_algorithm_stays_protected_when_it_leaves_the_workflow(site: Site) -> None:
    site.spec = replace(site.spec, prevent_destroy=True)
    (change,) = site.plan().visible
    assert (change.address, change.action, change.reason) == (ONE, Action.RECORD, "prevent_destroy: false -> true")
    site.apply()
    assert site.ledger.records[ONE].private == {"prevent_destroy": True}
    assert site.plan().visible == ()
    assert [refusal.guard for refusal in pruned_without_the_algorithm(site).refusals] == ["protected"]
    site.spec = replace(site.spec, prevent_destroy=False)
    assert [change.reason for change in site.plan().visible] == ["prevent_destroy: true -> false"]
    site.apply()
    assert site.ledger.records[ONE].private == {}
    assert site.plan().visible == ()
    assert pruned_without_the_algorithm(site).refusals == ()


def test_a_changed_algorithm_keeps_its_protection(site: Site) -> None:
    site.spec = replace(site.spec, prevent_destroy=True, details=replace(site.spec.details, summary="new"))
    site.apply()
    assert site.ledger.records[ONE].private == {"prevent_destroy": True}
    assert all(c.action is Action.NONE for c in site.plan().changes)


@pytest.mark.parametrize("reads", [1, 3, 1000])
def test_a_listing_that_lags_behind_the_deletions_keeps_no_collection(
    site: Site, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    """If it never catches up, the next run deletes the collection."""
    store = site.cluster.data
    outdated: list[Mapping[str, FileStat]] = []
    files, delete = store.files, store.delete

    def delete_unseen(owner: str, collection: str, name: str) -> None:
        outdated[:] = [files(owner, collection)] * reads
        delete(owner, collection, name)

    monkeypatch.setattr(store, "delete", delete_unseen)
    monkeypatch.setattr(store, "files", lambda *of: outdated.pop() if outdated else files(*of))
    report = site.apply(DESTROY)
    if reads == 1000:
        assert [str(event.step.key) for event in report.failed] == ["clear algorithm.One"]
        assert report.exit_code == 4
        monkeypatch.undo()
        report = site.apply(DESTROY)
    assert report.exit_code == 0
    assert is_gone(site)
