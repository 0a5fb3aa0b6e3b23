"""Rollback on a cluster in memory: the tree and settings of an earlier version become a new version."""

from __future__ import annotations

import inspect
import io
import shutil
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes.ledger import FakeLedger
from release_site import HEADER, Site, site_in

from algosync.cli.commands.rollback import rollback
from algosync.cli.session import CommandSession
from algosync.cli.terminal import Terminal
from algosync.cluster.algorithms import Version
from algosync.core.error import AlgosyncError, NotFound, PlanRefused
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.report import Report, fold
from algosync.core.workflow import AlgorithmSpec, GuardLimits, Publish, Settings, Workflow
from algosync.engine.apply import apply
from algosync.engine.plan import Scene
from algosync.engine.rollback import make_rollback_plan, rollback_workflow
from algosync.kinds import KINDS, PERFORMERS, Context
from algosync.kinds.rollback import EarlierVersion, LeftData, cannot_be_put_back, earlier_version, rollback_context

FIRST = b"def apply(input):\n    return input\n"
SECOND = b"def apply(input):\n    return [input]\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Two versions are published; they differ in source and settings."""
    site = site_in(tmp_path)
    site.code(SECOND)
    site.spec = replace(site.spec, settings=Settings(network_access="isolated"), publish=Publish(callability="public"))
    site.release()
    return site


def rollback_of(site: Site, number: str = "") -> tuple[Plan, Workflow, Scene[Context]]:
    workflow, scene = site.scene()
    earlier = EarlierVersion.of(site.algorithms.versions("jane", "One"), "One", number)
    spec = earlier_version(site.spec, earlier.target, scene.site)
    context = rollback_context(scene.site, spec, earlier)
    kinds = {**KINDS, "data": LeftData()}
    scene = Scene(kinds, {**PERFORMERS, **kinds}, context, 1)
    small = rollback_workflow(workflow, spec)
    notes = cannot_be_put_back(spec, earlier, context)
    return make_rollback_plan(small, scene, site.ledger.records, HEADER, notes), small, scene


def roll_back(site: Site, number: str = "") -> Report:
    plan, workflow, scene = rollback_of(site, number)
    with closing(apply(plan, workflow, scene, site.ledger)) as events:
        return fold(events, lambda: site.ledger.wrote)


def published(site: Site) -> Version:
    return site.algorithms.algorithms["One"].versions[0]


def code(site: Site, version: Version) -> bytes:
    return site.algorithms.algorithms["One"].repository.tree(version.commit)["src/One.py"].data


def actions(plan: Plan) -> dict[str, Action]:
    return {str(change.address): change.action for change in plan.visible}


def test_the_version_before_the_current_one_is_published_again(site: Site) -> None:
    plan, _, _ = rollback_of(site)
    assert set(actions(plan)) == {"algorithm.One", "source.One", "version.One"}
    assert set(actions(plan).values()) == {Action.UPDATE}
    (version,) = plan.versions
    assert version.reason == "rollback to 0.1.0"
    site.algorithms.calls.clear()
    assert roll_back(site).exit_code == 0
    now = published(site)
    assert (now.number, code(site, now)) == ("0.3.0", FIRST)
    assert (now.settings["network_access"], now.settings["algorithm_callability"]) == ("full", "private")
    assert site.algorithms.calls == [("jane/One", now.commit, "1")], "it is tested before it is published"
    assert not rollback_of(site, "0.1.0")[0].visible


def test_the_next_plan_shows_the_workflow_again_and_says_why(site: Site) -> None:
    roll_back(site)
    plan = site.plan()
    assert actions(plan)["source.One"] is Action.UPDATE
    assert plan.drifted == ()
    (version,) = plan.versions
    assert version.reason.startswith("it was rolled back from 0.2.0 to 0.1.0 at ")
    assert version.reason.endswith("and the workflow still has something else")
    site.release()
    assert code(site, published(site)) == SECOND
    assert site.plan().visible == ()


def test_a_workflow_that_follows_a_rollback_needs_no_version(site: Site) -> None:
    """The version that a rollback published has the data files, although its own plan names none."""
    roll_back(site)
    site.code(FIRST)
    site.spec = replace(site.spec, settings=Settings(), publish=Publish())
    site.release()
    assert (published(site).number, site.plan().visible) == ("0.3.0", ())
    records = [record for address, record in site.ledger.records.items() if address.kind != "data"]
    site.ledger = FakeLedger(records)
    site.release()
    assert published(site).number == "0.3.0"


def test_a_version_can_be_named(site: Site) -> None:
    roll_back(site)
    assert roll_back(site, "0.2.0").exit_code == 0
    assert (published(site).number, code(site, published(site))) == ("0.4.0", SECOND)


def test_a_rollback_that_fails_its_test_publishes_nothing(site: Site) -> None:
    site.algorithms.failing_payloads.add("1")
    assert roll_back(site).exit_code == 3
    assert published(site).number == "0.2.0"


def test_data_stays_as_it_is_and_the_plan_says_so(site: Site) -> None:
    site.use({"a.bin": b"newer a"})
    site.release()
    there = dict(site.live)
    plan, _, _ = rollback_of(site, "0.2.0")
    (note,) = [note for address, note in plan.notes() if str(address) == "version.One"]
    assert note == (
        "data files that were written after 0.2.0, or may have been, stay as they are, because their earlier bytes are not kept: "
        "a.bin, b.bin"
    )
    roll_back(site, "0.1.0")
    assert site.live == there
    assert {str(address) for address in site.ledger.records} >= {'data.One["a.bin"]', 'data.One["b.bin"]'}
    assert not any(str(change.address).startswith("data.") for change in site.plan().visible)


def interrupted(site: Site) -> None:
    site.use({"a.bin": b"newer a"})
    site.apply(until=lambda event: getattr(getattr(event, "step", None), "key", "") == 'verify data.One["a.bin"]')
    site.restart()


@pytest.mark.parametrize("number", ["0.1.0", "0.2.0"])
def test_kept_bytes_that_are_on_another_machine_are_named(site: Site, number: str) -> None:
    """0.2.0 is the current version, so nothing else would be said of its data."""
    interrupted(site)
    shutil.rmtree(site.folder / ".kept")
    notes = [note for address, note in rollback_of(site, number)[0].notes() if str(address) == "version.One"]
    assert notes[0].startswith("a.bin: an interrupted apply overwrote it at ")
    assert notes[0].endswith("not on this machine or not in this --keep-dir, so they cannot be put back")
    assert [note.rpartition(": ")[2] for note in notes[1:]] == (["b.bin"] if number == "0.1.0" else [])


def test_data_files_that_are_gone_are_named(site: Site) -> None:
    site.cluster.data.delete("jane", "One", "b.bin")
    notes = [note for _, note in rollback_of(site, "0.2.0")[0].notes()]
    assert notes == ["data files that are no longer at the destination do not come back: b.bin"]


def test_kept_bytes_of_an_interrupted_apply_are_put_back(site: Site) -> None:
    before = dict(site.live)
    site.use({"a.bin": b"newer a"})
    site.apply(until=lambda event: getattr(getattr(event, "step", None), "key", "") == 'verify data.One["a.bin"]')
    assert site.live != before
    site.restart()
    plan, _, _ = rollback_of(site)
    assert actions(plan)['data.One["a.bin"]'] is Action.UPDATE
    assert roll_back(site).exit_code == 0
    assert site.live == before
    assert code(site, published(site)) == FIRST


def test_guards_refuse_a_rollback_as_they_refuse_an_apply(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted apply left ten files overwritten, and somebody changed the source at the destination."""
    site.use({f"{number}.bin": b"old" for number in range(10)})
    site.release()
    site.use({f"{number}.bin": b"newer" for number in range(10)})
    site.apply(until=lambda event: getattr(getattr(event, "step", None), "key", "").startswith("verify"))
    site.restart()
    site.algorithms.algorithms["One"].repository.push_behind("src/One.py", b"theirs")
    workflow, scene = site.scene()
    workflow = replace(workflow, guards=GuardLimits(max_overwrites=5))
    results = SimpleNamespace(read=lambda: ({}, ""))
    parts = {"workflow": workflow, "scene": scene, "ledger": site.ledger, "header": HEADER, "results": results}
    session = CommandSession(**parts, **dict.fromkeys(("in_progress", "loaded", "anchor")))  # type: ignore[arg-type]  # not asked
    terminal = Terminal(io.StringIO(), io.StringIO(), (False, False), live=False)
    monkeypatch.setattr("algosync.cli.applying.writing_session", lambda *_: nullcontext(session))
    log = list(site.ledger.log)
    options = {name: option.default for name, option in inspect.signature(rollback).parameters.items()}
    options |= {"context": SimpleNamespace(obj=terminal), "algorithm": "One", "to": "0.1.0"}
    with pytest.raises(PlanRefused, match=r"overwrites \d of 13 recorded resources .* at most 5% are allowed"):
        rollback(**{**options, "auto_approve": True})
    assert site.ledger.log == log
    with pytest.raises(AlgosyncError, match="approval is required"):
        rollback(**{**options, "allow": ["overwrites"], "no_input": True})


def test_files_of_others_stay(site: Site) -> None:
    repository = site.algorithms.algorithms["One"].repository
    repository.push_behind("NOTES.txt", b"theirs")
    repository.push_behind("README.md", b"edited")
    assert roll_back(site).exit_code == 0
    tree = repository.tree(published(site).commit)
    assert (tree["NOTES.txt"].data, tree["README.md"].data, tree["src/One.py"].data) == (b"theirs", b"edited", FIRST)


def test_a_version_whose_commit_is_gone_is_refused(site: Site) -> None:
    site.algorithms.algorithms["One"].repository.rewrite()
    with pytest.raises(NotFound, match=r"the repository of One has no commit of version 0\.1\.0"):
        rollback_of(site)


@pytest.mark.parametrize(
    ("count", "number", "message"),
    [
        (0, "", "One has no published version"),
        (1, "", "One has no earlier version"),
        (2, "0.3.0", "One has no version 0.3.0"),
    ],
)
def test_what_is_not_published_is_not_found(count: int, number: str, message: str) -> None:
    versions = [Version(f"0.{place}.0", "c" * 40, {}) for place in range(1, count + 1)]
    with pytest.raises(NotFound) as refused:
        EarlierVersion.of(versions, "One", number)
    assert refused.value.message == message
    assert refused.value.hint


@pytest.mark.parametrize(("second", "newer"), [("04", False), ("05", True)])
def test_a_file_written_in_the_second_of_the_build_may_be_newer(site: Site, second: str, newer: bool) -> None:
    """A listing cuts off the fraction of the second, so such a file would seem to be older than the build."""
    site.cluster.data.modified = f"2026-11-30T09:00:{second}.000Z"
    versions = [Version("0.1.0", "c" * 40, {}), Version("0.2.0", "d" * 40, {}, "2026-11-30T09:00:05.700Z")]
    notes = cannot_be_put_back(site.spec, EarlierVersion.of(versions, "One"), site.scene()[1].site)
    assert any("a.bin, b.bin" in note for note in notes) is newer


def test_versions_are_ordered_by_their_numbers() -> None:
    versions = [Version(number, "c" * 40, {}) for number in ("0.10.0", "0.9.0", "1.0.0")]
    found = EarlierVersion.of(versions, "One")
    assert (found.target.number, found.current.number, found.following) == ("0.10.0", "1.0.0", versions[2])
    assert EarlierVersion.of(versions, "One", "1.0.0").following is None


def test_only_the_workflows_tests_of_this_algorithm_belong_to_it() -> None:
    specs = (AlgorithmSpec("One", "python3"), AlgorithmSpec("Two", "python3"))
    workflow = Workflow("w", "/", specs, entrypoint="Two")
    assert rollback_workflow(workflow, specs[0]).entrypoint is None
    assert rollback_workflow(workflow, specs[1]).entrypoint == "Two"
