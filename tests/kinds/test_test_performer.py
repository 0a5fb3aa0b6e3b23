"""Tests of algorithms: which version they call, as whom, and how long a new commit is waited for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.ledger import FakeLedger
from fakes.releases import Release

from algosync.cluster.algorithms import Version
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied, NotFound, TestFailed, TimedOut, Unexpected
from algosync.core.event import Event, Note
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.case import TestCase
from algosync.kinds import test


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path).published()


def call(
    release: Release,
    *,
    candidate: bool,
    payload: str = '"data://.my/One/x"',
    tell: Callable[[Event], None] = lambda _: None,
) -> str:
    address = Address("test", "One")
    check = Check(address, TestCase("", payload, 300), of_algorithm=True, candidate=candidate)
    return test.perform(Step(address, Verb.TEST, check=check), release.spec, release.context, tell).detail


def publish_by_others(release: Release, number: str) -> None:
    commit = "b" * 40
    release.there.versions.insert(0, Version(number, commit, {}))
    release.again()


def test_a_candidate_is_called_by_its_commit(release: Release) -> None:
    assert call(release, candidate=True) == f"commit {release.head[:12]}"
    assert release.cluster.algorithms.calls == [("jane/One", release.head, '"data://.my/One/x"')]


def test_a_published_version_is_called_by_its_exact_number(release: Release) -> None:
    assert call(release, candidate=False) == "version 0.1.0"
    assert [reference for _, reference, _ in release.cluster.algorithms.calls] == ["0.1.0"]


def test_what_another_state_published_is_called_and_named_beside_the_recorded_version(release: Release) -> None:
    publish_by_others(release, "0.2.0")
    assert call(release, candidate=False) == "version 0.2.0, not the recorded 0.1.0"
    assert [reference for _, reference, _ in release.cluster.algorithms.calls] == ["0.2.0"]
    release.cluster.algorithms.failing_payloads.add("1")
    with pytest.raises(TestFailed) as caught:
        call(release, candidate=False, payload="1")
    assert caught.value.called == "One, version 0.2.0, not the recorded 0.1.0"
    assert "somebody else published this version: algosync plan shows" in str(caught.value.hint)


def test_an_algorithm_that_was_created_again_has_another_version_of_the_same_number(release: Release) -> None:
    recorded, released = release.head, release.there
    released.versions[:] = [Version("0.1.0", "b" * 40, {})]
    release.again()
    assert call(release, candidate=False) == f"version 0.1.0, not the recorded one of commit {recorded[:12]}"


def test_many_tests_of_one_algorithm_ask_once_for_its_published_version(release: Release) -> None:
    release.cluster.algorithms.requests.clear()
    for _ in range(5):
        call(release, candidate=False)
    asked = [request.partition(" ")[0] for request in release.cluster.algorithms.requests]
    assert asked == ["published", *["call"] * 5]


def test_what_a_plan_has_seen_published_is_called_without_another_request(release: Release) -> None:
    """`apply`, where an algorithm gets no new version: what somebody published since then was in no plan."""
    release.context.destination.published("One")
    release.there.versions.insert(0, Version("0.2.0", "b" * 40, {}))
    release.cluster.algorithms.requests.clear()
    assert call(release, candidate=False) == "version 0.1.0"
    assert [request.partition(" ")[0] for request in release.cluster.algorithms.requests] == ["call"]


def test_a_key_that_may_only_call_tests_the_recorded_version_and_says_so(release: Release) -> None:
    publish_by_others(release, "0.2.0")
    release.cluster.algorithms.failures["published"] = Denied("GET versions: 403", status=403)
    told: list[Event] = []
    assert call(release, candidate=False, tell=told.append) == "version 0.1.0"
    (note,) = (event.text for event in told if isinstance(event, Note))
    assert note == "the recorded version 0.1.0 is called, because the key may not list what is published: GET versions: 403"
    release.ledger = FakeLedger()
    release.again()
    with pytest.raises(Denied):
        call(release, candidate=False)


def test_without_a_record_the_published_number_is_asked_for(release: Release) -> None:
    release.ledger = FakeLedger()
    release.again()
    assert call(release, candidate=False) == "version 0.1.0"
    release.there.versions.clear()
    release.again()
    with pytest.raises(NotFound, match="One has no published version to test at the destination"):
        call(release, candidate=False)


def test_another_caller_is_told_the_owner(release: Release) -> None:
    release.cluster.key_owner = "robot"
    release.again()
    call(release, candidate=True)
    assert release.cluster.algorithms.calls[0][2] == '"data://jane/One/x"'


def test_a_failing_algorithm_fails_the_test(release: Release) -> None:
    release.cluster.algorithms.failing_payloads.add("1")
    with pytest.raises(TestFailed) as caught:
        call(release, candidate=True, payload="1")
    assert (caught.value.called, caught.value.payload) == (f"One, commit {release.head[:12]}", "1")


def test_a_candidate_that_cannot_be_called_yet_is_waited_for(release: Release) -> None:
    builds = list(release.there.builds)
    release.there.builds.clear()

    def appear() -> None:
        if release.time.now > 5:
            release.there.builds[:] = builds

    release.time.during = appear
    assert call(release, candidate=True) == f"commit {release.head[:12]}"
    release.there.builds.clear()
    release.time.during = lambda: None
    with pytest.raises(NotFound):
        call(release, candidate=True)


def test_a_published_version_that_is_missing_is_not_waited_for(release: Release) -> None:
    release.there.versions.clear()
    before = release.time.now
    with pytest.raises(NotFound):
        call(release, candidate=False)
    assert release.time.now == before


def test_a_step_without_a_check_is_an_error_of_the_caller(release: Release) -> None:
    step = replace(Step(Address("test", "One"), Verb.TEST))
    with pytest.raises(ValueError, match="has no check"):
        test.perform(step, release.spec, release.context, lambda _: None)


@pytest.mark.parametrize(
    "error",
    [
        TestFailed("Algorithm timed out after 60 seconds", error_type="TimeoutError"),
        TimedOut("no complete reply within 90 s", hint="look at DESTINATION_API_ADDRESS"),
        Unexpected("504", status=504),
    ],
)
def test_after_a_timeout_the_key_of_the_workflow_and_its_value_are_named(release: Release, error: AlgosyncError) -> None:
    release.cluster.algorithms.failures["call"] = error
    check = Check(Address("test", "One", "t"), TestCase("", "1", 60), of_algorithm=False)
    step = Step(check.address, Verb.TEST, check=check)
    with pytest.raises(type(error)) as caught:
        test.perform(step, release.spec, release.context, lambda _: None)
    assert "its `timeout:` in the workflow is 60 s: give it more, at most 3000 s" in str(caught.value.hint)
    with pytest.raises(type(error)) as caught:
        call(release, candidate=False)
    assert "a test_payload may take 300 s; a test of test_info.tests has its own `timeout:`" in str(caught.value.hint)


def test_a_named_test_of_an_algorithm_has_a_timeout_of_its_own(release: Release) -> None:
    release.cluster.algorithms.failures["call"] = TestFailed("too late", error_type="TimeoutError")
    check = Check(Address("test", "One", "t"), TestCase("t", "1", 60), of_algorithm=True)
    with pytest.raises(TestFailed) as caught:
        test.perform(Step(check.address, Verb.TEST, check=check), release.spec, release.context, lambda _: None)
    assert caught.value.hint == "its `timeout:` in the workflow is 60 s: give it more, at most 3000 s"


def test_other_failures_do_not_speak_of_the_timeout(release: Release) -> None:
    for error in (TestFailed("boom", error_type="AlgorithmError"), Unexpected("500", status=500)):
        release.cluster.algorithms.failures["call"] = error
        with pytest.raises(type(error)) as caught:
            call(release, candidate=False)
        assert not caught.value.hint


def test_a_version_that_is_not_there_is_named_with_the_side_the_host_and_the_next_step(release: Release) -> None:
    missing = NotFound("POST /v1/algo/jane/One/0.1.0: 404 No such algorithm", status=404, hint="api.b.com answered; look at X")
    release.cluster.algorithms.failures["call"] = missing
    with pytest.raises(NotFound) as caught:
        call(release, candidate=False)
    assert caught.value.message.startswith("the destination has no One, version 0.1.0, or its key may not call it: POST")
    assert (
        caught.value.hint == "algosync plan shows what is missing, and algosync apply publishes it; api.b.com answered; look at X"
    )


def test_the_payload_in_an_error_is_the_workflows_own_text(release: Release) -> None:
    """The redactor may know only that text."""
    release.cluster.key_owner = "robot"
    release.again()
    release.cluster.algorithms.failing_payloads.add('"data://jane/One/x"')
    with pytest.raises(TestFailed) as caught:
        call(release, candidate=True)
    assert caught.value.payload == '"data://.my/One/x"'
