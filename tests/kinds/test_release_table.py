"""A release on a cluster in memory: each kind of change with each failure. Workers load the data at the first call of a version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from release_site import OLD, KilledError, Site, converges, expected, site_in

from algosync.core.address import Address
from algosync.core.error import Denied, Unexpected
from algosync.core.event import StepDone
from algosync.core.planning.schedule import Verb
from algosync.core.planning.target import Selection, UnknownTarget
from algosync.core.testing.case import TestCase
from algosync.core.workflow import Publish, PublishReason, Settings


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path)


CHANGES: dict[str, Callable[[Site], None]] = {
    "source": lambda site: site.code(b"def apply(input):\n    return [input]\n"),
    "settings": lambda site: setattr(site, "spec", replace(site.spec, settings=Settings(pipeline_enabled=False))),
    "one file": lambda site: site.use({"a.bin": b"new a"}),
    "several files": lambda site: site.use({"a.bin": b"new a!", "b.bin": b"new b!"}),
    "a new file": lambda site: site.use({"c.bin": b"new c"}),
}
"""What changed since the release."""


def kept_old(live: dict[str, bytes]) -> bool:
    """Files of the published version have their previous bytes; new ones stay."""
    return all(live[name] == content for name, content in OLD.items())


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_goes_wrong(site: Site, what: str) -> None:
    CHANGES[what](site)
    converges(site)
    assert site.published == "0.2.0"
    assert all("previous" not in record.private for record in site.ledger.records.values())
    assert not any(path.is_file() for path in (site.folder / ".kept").rglob("[!.]*"))


def build_fails(site: Site) -> Iterator[int]:
    site.algorithms.build_status = lambda _: "failed"
    yield 4
    site.algorithms.build_status = lambda _: "succeeded"


def call_is_denied(site: Site) -> Iterator[int]:
    site.algorithms.failures["call"] = Denied("the key may not call")
    yield 4
    del site.algorithms.failures["call"]


def payload_fails(site: Site) -> Iterator[int]:
    """It is mended by a different payload."""
    site.algorithms.failing_payloads.add("1")
    yield 3
    site.spec = replace(site.spec, tests=(TestCase("", "2"),))


def somebody_pushes(site: Site) -> Iterator[int]:
    repository = site.algorithms.algorithms["One"].repository
    site.algorithms.during_call = lambda: suppress_second(site, lambda: repository.push_behind("theirs.txt", b"theirs"))
    yield 4
    site.algorithms.during_call = lambda: None


def suppress_second(site: Site, act: Callable[[], object]) -> None:
    site.algorithms.during_call = lambda: None
    act()


WRONG: dict[str, Callable[[Site], Iterator[int]]] = {
    "the build fails": build_fails,
    "the test fails": payload_fails,
    "the test cannot be carried out": call_is_denied,
    "a conflict before the publish": somebody_pushes,
}
"""What goes wrong, and the exit code; then it is mended."""


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("what", CHANGES)
def test_nothing_is_published_and_the_mended_change_converges(site: Site, what: str, wrong: str) -> None:
    CHANGES[what](site)
    case = WRONG[wrong](site)
    code = next(case)
    report = site.apply()
    assert report.exit_code == code
    assert (site.published, kept_old(site.live)) == ("0.1.0", True)
    assert next(case, None) is None
    converges(site)


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("verb", [Verb.PUSH, Verb.BUILD, Verb.OVERWRITE, Verb.VERIFY, Verb.TEST])
def test_ctrl_c_after_each_step(site: Site, what: str, verb: Verb) -> None:
    CHANGES[what](site)
    site.apply(until=lambda event: isinstance(event, StepDone) and event.step.verb is verb)
    if site.published == "0.1.0":
        site.restart()
    converges(site)


@pytest.mark.parametrize("what", CHANGES)
def test_a_kill_before_each_record(site: Site, tmp_path: Path, what: str) -> None:
    CHANGES[what](site)
    before = site.commits
    site.apply()
    for number in range(1, site.commits - before + 1):
        again = site_in(tmp_path / str(number))
        CHANGES[what](again)
        again.killed_at = again.commits + number
        with suppress(KilledError):
            again.apply()
        again.restart()
        converges(again)


@pytest.mark.parametrize("what", ["one file", "several files"])
def test_a_restore_that_fails_is_done_by_the_next_apply(site: Site, what: str) -> None:
    CHANGES[what](site)
    site.algorithms.failing_payloads.add("1")
    site.algorithms.during_call = lambda: site.cluster.data.failures.update({"put One": Unexpected("no room")})
    assert site.apply().exit_code == 4
    assert (site.published, kept_old(site.live)) == ("0.1.0", False)
    assert "previous" in site.ledger.records[Address("data", "One", "a.bin")].private
    site.cluster.data.failures.clear()
    site.algorithms.during_call = lambda: None
    site.algorithms.failing_payloads.clear()
    converges(site)


def test_a_broken_file_is_held_until_something_changes(site: Site) -> None:
    site.use({"a.bin": b"broken"})
    assert site.apply().exit_code == 3
    assert (site.published, kept_old(site.live)) == ("0.1.0", True)
    held = {str(change.address) for change in site.plan().held()}
    assert held == {'data.One["a.bin"]', "version.One"}
    calls = len(site.algorithms.calls)
    site.apply()
    assert (site.published, kept_old(site.live), len(site.algorithms.calls) - calls) == ("0.1.0", True, 1)
    site.use({"a.bin": b"mended"})
    converges(site)


@pytest.mark.parametrize("on", [frozenset({"source", "settings"}), frozenset({"source"}), frozenset({"settings"})])
def test_a_change_that_makes_no_version_is_done_without_one(site: Site, on: frozenset[PublishReason]) -> None:
    """Nothing is kept, because no version decides about it. The next plan is empty."""
    site.spec = replace(site.spec, publish=Publish(on=on))
    number = site.published
    site.use({"a.bin": b"new a"})
    report = site.apply()
    assert (report.exit_code, site.published, site.live) == (0, number, expected(site))
    assert all(step.step.verb is not Verb.RESTORE for step in report.done)
    assert site.plan().visible == ()


@pytest.mark.parametrize(
    ("pattern", "done"),
    [
        ('data.One["a.bin"]', {"overwrite", "verify", "build", "test", "publish", "restore"}),
        ("source.One", {"push", "build", "test", "publish"}),
        ("version.One", {"build", "test", "publish"}),
    ],
)
def test_what_is_replaced_is_written_again_though_it_is_equal(site: Site, pattern: str, done: set[str]) -> None:
    assert {step.step.verb.value for step in site.apply(Selection(replace=(pattern,))).done} == done
    assert (site.published, site.live, site.plan().visible) == ("0.2.0", OLD, ())


@pytest.mark.parametrize(
    ("pattern", "reason"), [("algorithm.One", "cannot be replaced"), ('data.One["z.bin"]', "nothing in this workflow is called")]
)
def test_what_cannot_be_replaced_is_refused(site: Site, pattern: str, reason: str) -> None:
    with pytest.raises(UnknownTarget, match=reason):
        site.apply(Selection(replace=(pattern,)))


def test_a_file_that_is_too_large_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits count the files of one algorithm, in the order of the plan."""
    monkeypatch.setattr("algosync.core.planning.plan.KEPT_OF_ALGORITHM", 7)
    site.use({"a.bin": b"new a", "b.bin": b"new b"})
    keeps = {change.address.name: change.details["keep"] for change in site.plan().live()}
    assert keeps == {"a.bin": True, "b.bin": False}
    site.algorithms.failing_payloads.add("1")
    assert site.apply().exit_code == 3
    assert site.live == {"a.bin": b"old a", "b.bin": b"new b"}
