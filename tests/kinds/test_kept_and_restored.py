"""Previous bytes of data files on a cluster in memory: when they go back, when they do not, and what is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER
from release_site import OLD, KilledError, Site, converges, site_in

from algosync.cluster.algorithms import Version
from algosync.cluster.data import Stored
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, TestFailed, TimedOut, Unreachable
from algosync.core.event import StepDone
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.planning.schedule import Verb
from algosync.core.planning.target import Selection, UnknownTarget
from algosync.core.report import Report
from algosync.core.resource import Json
from algosync.core.testing.case import TestCase
from algosync.core.workflow import Publish
from algosync.views.plan import change_rows

A = Address("data", "One", "a.bin")
BROKEN = {"a.bin": b"broken"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return site_in(tmp_path)


def stopped(site: Site, verb: Verb) -> None:
    """An apply that Ctrl-C ends after the first step of this verb. The next command begins."""
    site.apply(until=lambda event: isinstance(event, StepDone) and event.step.verb is verb)
    site.restart()


def verbs(site: Site, plan: Plan) -> list[Verb]:
    return [step.verb for step in site.steps(plan) if step.address == A]


def kept(site: Site) -> list[Path]:
    return [path for path in (site.folder / ".kept").rglob("[!.]*") if path.is_file()]


def notes(plan: Plan) -> list[str]:
    return [text for address, text in plan.notes() if address == A]


def private(site: Site) -> dict[str, Json]:
    return dict(site.ledger.records[A].private)


def restored(report: Report) -> list[str]:
    return [event.detail for event in report.done if event.step.verb is Verb.RESTORE and event.detail]


def theirs(site: Site) -> None:
    """Somebody else pushes and publishes a commit."""
    site.algorithms.during_call = lambda: None
    found = site.algorithms.algorithms["One"]
    commit = found.repository.push_behind("theirs.txt", b"theirs")
    site.algorithms.publish(OWNER, "One", commit, {"settings": {}})


def write_behind(site: Site) -> None:
    site.cluster.data.write(OWNER, "One", "a.bin", b"their")


def test_a_target_without_the_version_keeps_its_new_file(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    report = site.apply(wanted=Selection((str(A),)))
    assert (report.exit_code, site.live["a.bin"], site.published) == (0, b"new a", "0.1.0")
    assert kept(site) == []
    converges(site)
    assert site.published == "0.2.0"


def test_bytes_go_back_if_somebody_else_published_meanwhile(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    site.algorithms.during_call = lambda: theirs(site)
    assert site.apply().exit_code == 4
    assert (site.live, site.published) == (OLD, "0.2.0")


def test_a_file_that_we_left_overwritten_has_not_drifted(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    stopped(site, Verb.VERIFY)
    plan = site.plan()
    assert (plan.drifted, len(notes(plan))) == ((), 1)
    (change,) = (change for change in plan.changes if change.address == A)
    assert ("~", 'sha256 = "overwritten …" -> "fbb6b30b4173…"') in change_rows(change, str)
    assert verbs(site, plan) == [Verb.RECOVER, Verb.OVERWRITE, Verb.VERIFY, Verb.RESTORE]


@pytest.mark.parametrize("content", [b"new a", b"a longer one"])
def test_bytes_that_are_wanted_again_are_put_back_and_not_sent(site: Site, content: bytes) -> None:
    site.use({"a.bin": content})
    stopped(site, Verb.VERIFY)
    site.use({"a.bin": OLD["a.bin"]})
    plan = site.plan()
    assert (verbs(site, plan), plan.upload(), plan.live()) == ([Verb.RECOVER], (0, 0), ())
    converges(site)
    assert kept(site) == []


def test_a_kill_before_the_overwriting_leaves_nothing_to_recover(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    site.cluster.data.failures["put One"] = KilledError()  # type: ignore[assignment]  # not a failure: the end
    with suppress(KilledError):
        site.apply()
    site.cluster.data.failures.clear()
    site.restart()
    assert "previous" in private(site)
    assert notes(site.plan()) == []
    site.use({"a.bin": OLD["a.bin"]})
    converges(site)
    assert ("previous" in private(site), kept(site)) == (False, [])


def test_a_kill_after_the_publish_is_no_reason_to_restore(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    stopped(site, Verb.PUBLISH)
    site.apply()
    assert (site.live["a.bin"], "previous" in private(site), kept(site)) == (b"new a", False, [])


def test_a_later_version_of_somebody_else_is_no_reason_to_restore(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    stopped(site, Verb.PUBLISH)
    theirs(site)
    assert (site.apply().exit_code, site.live["a.bin"]) == (0, b"new a")


def test_an_overwrite_without_an_answer_is_put_back(site: Site) -> None:
    """The cluster stored the file, and the connection broke before it said so."""
    site.use({"a.bin": b"new a", "b.bin": b"new b!"})
    put = site.cluster.data.put

    def breaks(owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        stored = put(owner, collection, name, blocks, length)
        if name == "a.bin" and site.live[name] != OLD[name]:
            raise Unreachable("the connection broke")
        return stored

    site.cluster.data.put = breaks  # type: ignore[method-assign]  # one file's transfers fail after the last byte
    assert site.apply().exit_code == 4
    assert site.live == OLD
    site.cluster.data.put = put  # type: ignore[method-assign]
    converges(site)


def test_a_publish_without_an_answer_may_have_worked(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    publish = site.algorithms.publish

    def breaks(owner: str, name: str, commit: str, body: Mapping[str, object]) -> Version:
        publish(owner, name, commit, body)
        raise Unreachable("the connection broke")

    site.algorithms.publish = breaks  # type: ignore[method-assign]  # it publishes, and does not say so
    assert site.apply().exit_code == 4
    assert (site.live["a.bin"], site.published) == (b"new a", "0.2.0")
    assert ("previous" in private(site), kept(site)) == (False, [])
    site.algorithms.publish = publish  # type: ignore[method-assign]
    converges(site)
    assert site.published == "0.2.0"


def test_a_version_that_cannot_be_looked_up_decides_nothing(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    site.algorithms.failing_payloads.add("1")
    site.algorithms.during_call = lambda: site.algorithms.failures.update(published=Unreachable("gone"))
    assert site.apply().exit_code == 4
    assert (site.live["a.bin"], "previous" in private(site), len(kept(site))) == (b"new a", True, 1)
    site.algorithms.during_call = lambda: None
    del site.algorithms.failures["published"]
    site.algorithms.failing_payloads.clear()
    converges(site)


@pytest.mark.parametrize(
    ("error", "code", "held"), [(TestFailed("no"), 3, True), (TimedOut("slow"), 3, True), (Unreachable("gone"), 4, False)]
)
def test_only_a_test_that_failed_holds_a_change(site: Site, error: AlgosyncError, code: int, held: bool) -> None:
    site.use({"a.bin": b"new a"})
    site.algorithms.failures["call"] = error
    assert (site.apply().exit_code, site.live) == (code, OLD)
    assert bool(site.plan().held()) == held


@pytest.mark.parametrize("mended", ["data", "test", "timeout"])
def test_a_failed_test_of_the_workflow_holds_the_entrypoints_data(site: Site, mended: str) -> None:
    site.tests = (TestCase("t", "2"),)
    site.use({"a.bin": b"new a"})
    site.algorithms.failing_payloads.add("2")
    assert site.apply().exit_code == 3
    assert (site.live, site.published) == (OLD, "0.1.0")
    assert {str(change.address) for change in site.plan().held()} == {str(A), "version.One"}
    if mended == "data":
        site.use({"a.bin": b"mended"})
    else:
        site.tests = (TestCase("t", "3") if mended == "test" else TestCase("t", "2", timeout=7),)
    site.algorithms.failing_payloads.clear()
    assert site.plan().held() == ()
    converges(site)


def test_previous_bytes_stay_until_they_are_verified(site: Site) -> None:
    """The file cannot be read back after it was put back."""
    site.use({"a.bin": b"new a"})
    site.algorithms.failing_payloads.add("1")
    put = site.cluster.data.put

    def unreadable(owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        stored = put(owner, collection, name, blocks, length)
        if site.live["a.bin"] == OLD["a.bin"]:
            site.cluster.data.failures["open One"] = Unreachable("gone")
        return stored

    site.cluster.data.put = unreadable  # type: ignore[method-assign]  # from now on nothing can be read
    assert site.apply().exit_code == 4
    assert ("previous" in private(site), len(kept(site))) == (True, 1)
    site.cluster.data.put = put  # type: ignore[method-assign]
    site.cluster.data.failures.clear()
    site.algorithms.failing_payloads.clear()
    converges(site)
    assert kept(site) == []


def test_a_file_that_somebody_changed_meanwhile_stays(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    site.algorithms.failing_payloads.add("1")
    site.algorithms.during_call = lambda: write_behind(site)
    report = site.apply()
    (said,) = restored(report)
    assert said.startswith("not put back, because somebody changed the file")
    assert (report.exit_code, site.live["a.bin"]) == (3, b"their")
    assert ("previous" in private(site), kept(site)) == (False, [])
    assert [change.address for change in site.plan().drifted] == [A]


def test_a_file_that_somebody_changed_after_an_interrupt_stays(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    stopped(site, Verb.VERIFY)
    write_behind(site)
    assert (site.apply().exit_code, site.live["a.bin"]) == (1, b"their")
    assert [change.address for change in site.plan().drifted] == [A]
    converges(site)


@pytest.mark.parametrize("changed", [True, False])
def test_a_file_that_somebody_changed_after_an_interrupt_is_not_pruned(site: Site, *, changed: bool) -> None:
    site.use({"a.bin": b"new a"})
    stopped(site, Verb.VERIFY)
    if changed:
        write_behind(site)
    site.spec = replace(site.spec, data_files=site.spec.data_files[1:])
    assert site.apply(Selection(prune=True)).exit_code == (4 if changed else 0)
    assert site.live.get("a.bin") == (b"their" if changed else None)
    assert [change.address for change in site.plan(Selection(prune=True)).drifted] == ([A] if changed else [])


def test_on_another_machine_the_plan_says_that_the_bytes_are_missing(site: Site) -> None:
    site.use(BROKEN)
    stopped(site, Verb.VERIFY)
    for path in kept(site):
        path.unlink()
    site.use({"a.bin": b"mended"})
    plan = site.plan()
    (note,) = notes(plan)
    assert "cannot be put back" in note
    assert Verb.RECOVER not in verbs(site, plan)
    converges(site)


def test_after_a_release_elsewhere_the_bytes_do_not_come_back(site: Site) -> None:
    """The interrupted apply's kept bytes are on this machine. Another machine published the file meanwhile."""
    site.use({"a.bin": b"new a"})
    stopped(site, Verb.VERIFY)
    folder = site.folder / ".kept"
    folder.rename(site.folder / ".elsewhere")
    site.code(b"def apply(input):\n    return [input]\n")
    assert site.apply().exit_code == 0
    (site.folder / ".elsewhere").rename(folder)
    converges(site)
    assert (site.live["a.bin"], site.published) == (b"new a", "0.2.0")


def test_what_the_test_said_is_redacted_before_it_is_recorded(site: Site) -> None:
    site.redacted = lambda value: value.replace("hunter2hunter2", "***") if isinstance(value, str) else value
    site.algorithms.failures["call"] = TestFailed("hunter2hunter2 is wrong" + "!" * 5000)
    site.use({"a.bin": b"new a"})
    assert site.apply().exit_code == 3
    failure = str(private(site)["failed"])
    assert "*** is wrong" in failure
    assert "hunter2" not in failure
    assert len(failure) < 1000


def test_a_change_that_was_sent_without_kept_bytes_is_not_held_later(site: Site) -> None:
    site.use(BROKEN)
    assert site.apply().exit_code == 3
    site.spec = replace(site.spec, publish=Publish(restore_data=False))
    assert site.apply(wanted=Selection(replace=(str(A),))).exit_code == 3
    assert private(site).keys() & {"failed", "previous"} == set()


def test_bytes_that_changed_since_the_plan_are_not_taken_for_the_recorded_ones(site: Site) -> None:
    site.use({"a.bin": b"new a"})
    opened = site.cluster.data.open

    def other(owner: str, collection: str, name: str) -> object:
        site.cluster.data.open = opened  # type: ignore[method-assign]
        site.cluster.data.write(OWNER, "One", "a.bin", b"their")
        return opened(owner, collection, name)

    site.cluster.data.open = other  # type: ignore[method-assign, assignment]  # somebody writes right before it is kept
    assert (site.apply().exit_code, site.live["a.bin"]) == (4, b"their")
    assert kept(site) == []
    converges(site)


def test_the_name_of_an_algorithm_replaces_all_that_can_be_replaced(site: Site) -> None:
    wanted = Selection(replace=("One",))
    updated = {str(c.address) for c in site.plan(wanted).changes if c.action is Action.UPDATE}
    assert updated == {str(A), 'data.One["b.bin"]', "source.One", "version.One"}
    assert site.apply(wanted).exit_code == 0
    assert (site.published, site.live, site.plan().visible) == ("0.2.0", OLD, ())


def test_nothing_is_replaced_if_nothing_is_compared(site: Site) -> None:
    with pytest.raises(UnknownTarget, match="run_only"):
        site.plan(Selection(replace=("One",)), run_only=True)


@pytest.mark.parametrize("kind", ["data", "source", "version"])
def test_a_held_change_is_tried_again_if_it_is_named(site: Site, kind: str) -> None:
    site.use(BROKEN)
    site.apply()
    calls = len(site.algorithms.calls)
    name = str(A) if kind == "data" else f"{kind}.One"
    assert site.apply(wanted=Selection(replace=(name,))).exit_code == 3
    commit = site.algorithms.calls[-1][1]
    assert (len(site.algorithms.calls) - calls, commit == site.algorithms.algorithms["One"].repository.head()) == (1, True)
    assert (site.live, {c.action for c in site.plan().visible}) == (OLD, {Action.HOLD})


@pytest.mark.parametrize("content", [b"broken", b"mended"])
def test_a_file_that_was_changed_right_before_the_apply_is_held_by_its_digest(site: Site, content: bytes) -> None:
    site.store.young = 1  # the listing of the apply has no stamp for it
    site.use(BROKEN)
    assert site.apply().exit_code == 3
    if content != BROKEN["a.bin"]:
        site.use({"a.bin": content})
    site.store.young = 0
    assert bool(site.plan().held()) == (content == BROKEN["a.bin"])


@pytest.mark.parametrize("what", ["data", "code", "payload"])
def test_a_held_change_is_tried_again_when_something_changes(site: Site, what: str) -> None:
    site.use(BROKEN)
    site.apply()
    if what == "data":
        site.use({"b.bin": b"new b"})
    elif what == "code":
        site.code(b"def apply(input):\n    return [input]\n")
    else:
        site.spec = replace(site.spec, tests=(TestCase("", "2"),))
    assert site.plan().held() == ()
    site.use({"a.bin": b"mended"})
    converges(site)


def test_a_failure_remembers_nothing_that_depends_on_a_secret(site: Site) -> None:
    """The same test with another secret is the same: a fingerprint of a secret could be guessed."""

    def redacted(value: Json) -> Json:
        return value.replace("secret-1", "***").replace("secret-2", "***") if isinstance(value, str) else value

    site.redacted = redacted
    site.use(BROKEN)
    found = []
    for secret in ("secret-1", "secret-2"):
        site.spec = replace(site.spec, tests=(TestCase("", f'"{secret}"'),))
        assert site.apply(Selection(replace=(str(A),))).exit_code == 3
        failure = private(site)["failed"]
        assert isinstance(failure, Mapping)
        found.append(failure["candidate"])
    assert found[0] == found[1]


def test_a_file_that_somebody_changed_during_the_build_is_not_overwritten(site: Site) -> None:
    """The new file was uploaded before the build. No bytes are kept, so only a listing tells it."""
    site.spec = replace(site.spec, publish=Publish(restore_data=False))
    site.use({"a.bin": b"new a", "c.bin": b"new c"})

    def build(commit: str) -> str:
        site.cluster.data.write(OWNER, "One", "a.bin", b"their")
        return "succeeded"

    site.code(b"def apply(input):\n    return [input]\n")
    site.algorithms.build_status = build
    assert (site.apply().exit_code, site.live["a.bin"], site.published) == (4, b"their", "0.1.0")
