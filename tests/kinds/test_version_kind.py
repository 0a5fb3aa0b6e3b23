"""The kind `version` on a cluster in memory: builds and publishing."""

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clusters import FakeTime
from fakes.releases import Release

from algosync.cluster.algorithms import Build, Version
from algosync.core.address import Address
from algosync.core.error import BuildFailed, ClusterError, Conflict, Denied, TimedOut, Unreachable
from algosync.core.event import Note
from algosync.core.planning.change import Action
from algosync.core.planning.schedule import Verb
from algosync.core.ports import Side
from algosync.core.workflow import AlgorithmSpec, Publish
from algosync.kinds import version

ADDRESS = Address("version", "One")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path).created()


def build(release: Release) -> str:
    return release.perform(Verb.BUILD, release.change("version")).detail


def notes(release: Release) -> list[str]:
    return [event.text for event in release.events if isinstance(event, Note)]


def requests(release: Release, operation: str) -> int:
    return release.cluster.algorithms.requests.count(f"{operation} One")


def test_a_release_ends_with_the_pushed_commit_published(release: Release) -> None:
    release.published()
    (found,) = release.there.versions
    assert found.commit == release.head
    assert found.settings["algorithm_callability"] == "private"
    record = release.ledger.records[ADDRESS]
    assert record.destination_stamp == f"0.1.0@{release.head}"
    assert record.attributes["version"] == "0.1.0"


def test_what_was_published_is_observed_and_read_as_desired(release: Release) -> None:
    change = release.published().change("version")
    assert change.before is not None
    assert change.after is not None
    assert change.before.stamp == release.ledger.records[ADDRESS].destination_stamp
    read = version.read(change.before, Side.DESTINATION, release.spec, release.context)
    assert read.digest == change.after.digest == release.ledger.records[ADDRESS].digest


def test_a_setting_that_takes_effect_with_a_version_changes_its_digest(release: Release) -> None:
    release.published()
    release.spec = replace(release.spec, publish=Publish(callability="public"))
    release.again()
    change = release.change("version")
    assert change.after is not None
    assert change.after.digest != release.ledger.records[ADDRESS].digest


def test_without_a_version_nothing_is_observed(release: Release) -> None:
    assert list(version.observed(release.spec, release.context)) == []
    assert requests(release, "published") == 1
    absent = AlgorithmSpec("Absent", "python3")
    assert list(version.observed(absent, release.context)) == []
    resource = replace(next(iter(version.desired(release.spec, release.context))), digest=None)
    assert version.read(resource, Side.DESTINATION, release.spec, release.context) is resource


def test_a_version_whose_commit_is_gone_is_not_read(release: Release) -> None:
    release.published()
    release.there.repository.rewrite()
    (have,) = version.observed(release.spec, release.again())
    assert version.read(have, Side.DESTINATION, release.spec, release.context).digest is None


def test_the_kind_of_version_is_explained(release: Release) -> None:
    change = release.pushed().change("version")
    assert version.explain(change, release.spec, release.context).details == {"publish": "minor"}
    adopted = replace(change, action=Action.ADOPT)
    assert version.explain(adopted, release.spec, release.context) is adopted
    assert version.verbs(change) == (Verb.BUILD, Verb.PUBLISH)


# --- the build ---


def test_the_build_of_a_push_is_waited_for(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: "in-progress"
    release.pushed()

    def end() -> None:
        if release.time.now > 20:
            release.there.builds[0] = replace(release.there.builds[0], status="succeeded")

    release.time.during = end
    assert build(release) == release.head[:12]
    assert notes(release) == ["in-progress"]
    assert requests(release, "compile") == 0
    assert requests(release, "build_of") < 15  # pauses become longer


def test_a_failed_build_ends_with_the_end_of_its_log(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: "failed"
    release.pushed()
    with pytest.raises(BuildFailed) as caught:
        build(release)
    assert caught.value.log.splitlines()[0] == "line 60"
    assert len(caught.value.log.splitlines()) == 40
    assert requests(release, "compile") == 0


def test_a_build_that_failed_in_an_earlier_run_is_asked_for_again(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: "failed"
    release.pushed().again()
    release.cluster.algorithms.build_status = lambda commit: "succeeded"
    assert build(release) == release.head[:12]
    assert requests(release, "compile") == 1
    assert "compile version.One" in release.ledger.log


def test_a_build_that_nobody_started_is_asked_for(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: None
    release.pushed().again()
    release.cluster.algorithms.build_status = lambda commit: "succeeded"
    assert build(release) == release.head[:12]
    assert release.time.now == 0


def test_a_build_of_a_push_that_is_not_listed_is_asked_for_after_a_while(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: None
    release.pushed()
    release.cluster.algorithms.build_status = lambda commit: "succeeded"
    assert build(release) == release.head[:12]
    assert release.time.now > 30
    assert notes(release) == ["queued"]


def test_a_build_that_never_comes_is_given_up_at_the_deadline(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: None
    release.pushed()
    with pytest.raises(BuildFailed, match="did not end within 100 s") as caught:
        build(release)
    assert "--build-timeout" in str(caught.value.hint)
    assert requests(release, "compile") == 3


def test_the_old_build_is_not_taken_for_the_one_that_was_asked_for(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: "failed"
    release.pushed().again()
    release.cluster.algorithms.build_status = lambda commit: None

    def appear() -> None:
        release.there.builds.insert(0, Build("new", release.head, "succeeded"))

    release.time.during = appear
    assert build(release) == release.head[:12]
    assert notes(release) == ["queued"]


@pytest.mark.parametrize("error", [TimedOut("no answer in time"), Unreachable("broken off")])
def test_an_answer_to_a_compilation_may_be_lost(release: Release, error: ClusterError) -> None:
    release.cluster.algorithms.build_status = lambda commit: None
    release.pushed().again()
    release.cluster.algorithms.failures["compile"] = error
    release.time.during = lambda: release.there.builds.append(Build("b", release.head, "succeeded"))
    assert build(release) == release.head[:12]


def test_a_compilation_that_is_refused_ends_the_step(release: Release) -> None:
    release.cluster.algorithms.build_status = lambda commit: None
    release.pushed().again()
    release.cluster.algorithms.failures["compile"] = Denied("no")
    with pytest.raises(Denied):
        build(release)


# --- publishing ---


def test_a_commit_that_is_published_already_gets_an_empty_commit(release: Release) -> None:
    release.published()
    before = release.head
    outcome = release.perform(Verb.BUILD, release.change("version"))
    assert release.head != before
    assert outcome.detail == release.head[:12]
    release.perform(Verb.PUBLISH, release.change("version"))
    assert [found.commit for found in release.there.versions] == [release.head, before]


def test_a_push_after_the_test_is_not_published(release: Release) -> None:
    build(release.pushed())
    release.there.repository.push_behind("src/One.py", b"theirs")
    with pytest.raises(Conflict, match="somebody pushed since commit"):
        release.perform(Verb.PUBLISH, release.change("version"))
    assert release.there.versions == []


def test_a_version_of_another_commit_is_reported(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    build(release.pushed())
    theirs = Version("0.1.0", "f" * 40, {})
    monkeypatch.setattr(release.cluster.algorithms, "publish", lambda *arguments: theirs)
    with pytest.raises(Conflict, match=r"version 0\.1\.0 was published of commit ffffffffffff, which somebody else pushed"):
        release.perform(Verb.PUBLISH, release.change("version"))
    assert ADDRESS not in release.ledger.records


def test_missing_settings_of_a_version_are_read_as_the_platform_means_them(release: Release) -> None:
    release.published()
    release.there.versions[0] = replace(release.there.versions[0], settings={"algorithm_environment": 7})
    (found,) = version.observed(release.spec, release.again())
    assert found.attributes == {
        "callability": "private",
        "environment": None,
        "network_access": "",
        "pipeline_enabled": False,
        "version": "0.1.0",
        "commit": release.head,
    }


def test_a_clock_of_the_tests_moves_only_in_pauses() -> None:
    time = FakeTime()
    time.pause(2.5)
    assert time.clock() == 2.5
