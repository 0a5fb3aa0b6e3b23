"""The lines of an apply: each event, the tests, the failures and the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import PLAN, plain

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, BuildFailed, Denied, TestFailed, Unexpected, Unreachable
from algosync.core.event import Event, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Check, Plan
from algosync.core.planning.schedule import Step, Verb
from algosync.core.planning.target import Mode
from algosync.core.redaction import Redactor
from algosync.core.report import Report, fold
from algosync.core.resource import Resource
from algosync.core.testing.case import TestCase
from algosync.core.text import PAINT
from algosync.views.progress import event_line, title, transfer
from algosync.views.report import closing_lines, failure_lines, interrupted_line, outcome_lines

DATA, VERSION = Address("data", "One", "w.pb"), Address("version", "One")
UPLOAD, BUILD = Step(DATA, Verb.UPLOAD), Step(VERSION, Verb.BUILD)
RESTORE, RECOVER, OVERWRITE = (Step(DATA, verb) for verb in (Verb.RESTORE, Verb.RECOVER, Verb.OVERWRITE))
CLEAR = Step(Address("algorithm", "One"), Verb.CLEAR)
CLEARED = "algorithm.One: Collection checked after 0.0s: it stays, because it has 1 file"
PUBLISH = Step(VERSION, Verb.PUBLISH, Change(VERSION, Action.CREATE, None, Resource(VERSION)))


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StepStarted(UPLOAD), 'data.One["w.pb"]: Uploading...'),
        (Progress(UPLOAD, 1, 2), None),
        (Note(BUILD, "in the queue\x07"), "version.One: Building: in the queue\\x07"),
        (StepDone(PUBLISH, 0.44, "0.1.0"), "version.One: Published 0.1.0 after 0.4s"),
        (StepDone(BUILD, 75), "version.One: Built after 1m15s"),
        (StepFailed(BUILD, 3, BuildFailed("it failed", log="x")), "version.One: Building FAILED after 3.0s: it failed"),
        (StepStarted(RESTORE), None),
        (StepDone(RESTORE, 1), None),
        (StepDone(RESTORE, 1, "put back; so"), 'data.One["w.pb"]: Previous bytes checked after 1.0s: put back; so'),
        (StepStarted(RECOVER), 'data.One["w.pb"]: Putting previous bytes back...'),
        (StepDone(RECOVER, 1, "not put back, as"), 'data.One["w.pb"]: Previous bytes checked after 1.0s: not put back, as'),
        (StepDone(RECOVER, 1), 'data.One["w.pb"]: Previous bytes checked after 1.0s'),
        (StepStarted(OVERWRITE), 'data.One["w.pb"]: Overwriting...'),
        (StepDone(OVERWRITE, 1), 'data.One["w.pb"]: Overwritten after 1.0s'),
        (StepDone(CLEAR, 0.01, "it stays, because it has 1 file"), CLEARED),
        (StepDone(CLEAR, 0.01), "algorithm.One: Collection checked after 0.0s"),
        (
            StepDone(Step(CLEAR.address, Verb.DELETE), 0, "it was gone already"),
            "algorithm.One: Destroyed after 0.0s: it was gone already",
        ),
        (StepFailed(RESTORE, 1, Unreachable("gone")), 'data.One["w.pb"]: Checking previous bytes FAILED after 1.0s: gone'),
        (StepSkipped(PUBLISH, BUILD.key), "version.One: Publishing skipped: build version.One did not succeed"),
    ],
)
def test_the_line_of_an_event(event: Event, line: str | None) -> None:
    shown = event_line(event)
    assert (None if shown is None else PAINT.sub("", shown)) == line


def test_a_title_has_the_latest_note() -> None:
    assert title(BUILD) == "version.One: Building"
    assert title(BUILD, "compiling") == "version.One: Building: compiling"


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (80, "██████████░░░░░░░░░░ 50.0 MB of 100.0 MB 1.0 MB/s 50s left"),
        (58, "██████████░░░░░░░░░░ 50.0 MB of 100.0 MB 1.0 MB/s 50s left"),
        (57, "50% 1.0 MB/s 50s left"),
        (21, "50% 1.0 MB/s 50s left"),
        (20, "50%"),
        (1, "50%"),
    ],
)
def test_a_transfer_fits_its_room(room: int, text: str) -> None:
    assert transfer(50_000_000, 100_000_000, 1e6, 50.0, room) == text


def test_a_transfer_that_just_began_has_no_rate() -> None:
    assert transfer(0, 100, None, None, 80) == "░░░░░░░░░░░░░░░░░░░░ 0 B of 100 B"


def step(name: str, check: Check | None = None) -> Step:
    return Step(Address("test", "One", name), Verb.TEST, check=check)


NAMES = ("first", "second", "third")
CHECKS = tuple(Check(Address("test", "One", name), TestCase(name, "1"), of_algorithm=False) for name in NAMES)
TESTED = Plan(PLAN.header, (Change(DATA, Action.ADOPT, None, None),), CHECKS)
EVENTS: list[Event] = [
    StepFailed(step("second"), 12.0, Unexpected("boom")),
    StepDone(step("first"), 0.5, "version 0.1.0"),
    StepSkipped(step("third"), "x"),
]


def test_tests_are_listed_in_the_order_of_the_plan() -> None:
    assert plain(outcome_lines(fold(EVENTS, lambda: False), TESTED)) == (
        "\nTests\n"
        '  passed   test.One["first"]     0.5s  version 0.1.0\n'
        '  error    test.One["second"]     12s\n'
        '  skipped  test.One["third"]\n'
    )


def test_without_tests_there_is_no_list_of_them() -> None:
    assert list(outcome_lines(Report(), TESTED)) == []


def test_failures_of_one_cause_are_told_once_with_what_was_left_out() -> None:
    refused = [Denied("403", hint="look at DESTINATION_API_KEY", request_id="r-1") for _ in range(2)]
    events: list[Event] = [
        StepFailed(UPLOAD, 1, refused[0]),
        StepFailed(BUILD, 1, BuildFailed("it failed", log="line")),
        StepFailed(Step(Address("source", "Two"), Verb.PUSH), 1, refused[1]),
        StepSkipped(PUBLISH, BUILD.key),
        StepSkipped(step("first"), UPLOAD.key),
    ]
    assert plain(failure_lines(fold(events, lambda: True), str)) == (
        "\n"
        'Error: data.One["w.pb"]: 403\n'
        "  request id r-1\n"
        "  look at DESTINATION_API_KEY\n"
        "  the same for: source.Two\n"
        '  left out because of it: test.One["first"]\n'
        "Error: version.One: it failed\n"
        "  │ line\n"
        "  the same source fails again: fix the source or its requirements.txt\n"
        "  left out because of it: publish version.One\n"
        "2 steps left out in all.\n"
    )


def test_an_address_stands_once_in_a_message() -> None:
    report = fold([StepFailed(UPLOAD, 1, AlgosyncError('data.One["w.pb"]: somebody changed it'))], lambda: True)
    assert plain(failure_lines(report, str)) == '\nError: data.One["w.pb"]: somebody changed it\n'
    assert plain([event_line(report.failed[0]) or ""]) == 'data.One["w.pb"]: Uploading FAILED after 1.0s: somebody changed it\n'


def test_a_failed_test_shows_what_was_called_and_what_it_printed() -> None:
    error = TestFailed("boom", error_type="AlgorithmError", trace="Traceback", printed="loading\nloaded\n")
    error.called, error.payload = "One, commit abc", "y" * 390 + "s3cret-of-some-length"
    redactor = Redactor()
    redactor.hide("s3cret-of-some-length")
    assert plain(failure_lines(fold([StepFailed(step("a"), 1, error)], lambda: True), redactor.redact)) == (
        "\n"
        'Error: test.One["a"]: boom\n'
        "  (AlgorithmError)\n"
        "  called: One, commit abc\n"
        f"  payload: {'y' * 390}***\n"
        "  │ Traceback\n"
        "  it printed:\n"
        "  │ loading\n"
        "  │ loaded\n"
        "  the same code fails again: fix the algorithm, its data or the payload\n"
    )


def test_without_failures_nothing_is_said_of_them() -> None:
    assert list(failure_lines(fold([StepDone(UPLOAD, 1)], lambda: True), str)) == []


@pytest.mark.parametrize(
    ("events", "wrote", "lines"),
    [
        ([StepDone(PUBLISH, 1)], True, ["Apply complete! Resources: 1 added, 0 changed, 0 destroyed, 1 adopted."]),
        (
            [StepFailed(PUBLISH, 1, AlgosyncError("no"))],
            True,
            [
                "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed, 1 adopted.",
                "Not published: One. What was published before stays in use.",
                "What is done is recorded. Fix what the errors name, then run the same command again. It does only what is left.",
            ],
        ),
        (
            [StepFailed(PUBLISH, 1, Unreachable("no"))],
            True,
            [
                "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed, 1 adopted.",
                "Not published: One. What was published before stays in use.",
                "What is done is recorded. Run the same command again. It does only what is left.",
            ],
        ),
        (
            [StepFailed(PUBLISH, 1, AlgosyncError("no"))],
            False,
            [
                "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed, 1 adopted.",
                "Not published: One. What was published before stays in use.",
            ],
        ),
    ],
)
def test_the_closing_lines(events: list[Event], wrote: bool, lines: list[str]) -> None:
    assert plain(closing_lines(fold(events, lambda: wrote), TESTED)).splitlines() == ["", *lines]


def test_after_a_failed_test_the_versions_that_wait_for_it_are_named() -> None:
    other = Step(Address("version", "Two"), Verb.PUBLISH)
    failed = StepFailed(step("x", replace(CHECKS[1], of_algorithm=True)), 1, TestFailed("boom"))
    events: list[Event] = [failed, StepSkipped(PUBLISH, failed.step.key), StepSkipped(other, failed.step.key)]
    report = fold(events, lambda: True)
    assert report.exit_code == 3
    assert "Not published: One, Two. What was published before stays in use.\n" in plain(closing_lines(report, TESTED))


@pytest.mark.parametrize(
    ("error", "begins"), [(Unreachable("no"), "Make a new plan"), (AlgosyncError("no"), "Fix what the errors")]
)
def test_a_saved_plan_is_not_applied_twice(error: AlgosyncError, begins: str) -> None:
    report = fold([StepDone(UPLOAD, 1), StepFailed(PUBLISH, 1, error)], lambda: True)
    last = plain(closing_lines(report, TESTED, approved=True)).splitlines()[-1]
    assert last.startswith(f"What is done is recorded. {begins}")
    assert last.endswith("ake a new plan (algosync plan --out FILE) and apply it. It has only what is left.")


def test_after_an_interrupt_an_approved_plan_is_stale_if_a_part_of_it_is_done() -> None:
    again = "run the same command again"
    for approved, wrote in ((False, False), (False, True), (True, False)):
        assert again in interrupted_line(approved=approved, wrote=wrote)
    line = interrupted_line(approved=True, wrote=True)
    assert line.startswith("Everything done so far is recorded, and so the plan is stale now: make a new plan (algosync plan --out")
    assert again not in line


def test_a_failed_test_of_the_workflow_names_what_is_published_already() -> None:
    one, two = (
        StepDone(Step(Address("version", name), Verb.PUBLISH), 1, number) for name, number in (("One", "1.2.0"), ("Two", "0.3.0"))
    )
    told = "Published before the workflow's tests: One 1.2.0, Two 0.3.0."
    failed: list[Event] = [one, two, StepFailed(step("second", CHECKS[1]), 1, Unexpected("boom"))]
    assert told in plain(closing_lines(fold(failed, lambda: True), TESTED))
    assert "Published before" not in plain(closing_lines(fold([one, two], lambda: True), TESTED))
    payload: list[Event] = [one, StepFailed(step("x", replace(CHECKS[1], of_algorithm=True)), 1, Unexpected("boom"))]
    assert "Published before" not in plain(closing_lines(fold(payload, lambda: True), TESTED))


def test_a_destroy_that_failed_is_no_apply() -> None:
    failed: list[Event] = [StepFailed(Step(DATA, Verb.DELETE), 1, Unexpected("boom"))]
    plan = replace(TESTED, mode=Mode.DESTROY)
    assert plain(closing_lines(fold(failed, lambda: True), plan)).startswith("\nDestroy incomplete. Resources: ")


def test_an_apply_that_leaves_held_changes_is_not_complete() -> None:
    plan = Plan(PLAN.header, (Change(DATA, Action.HOLD, Resource(DATA), Resource(DATA)),), ())
    assert plain(closing_lines(fold([], lambda: False), plan)).splitlines() == [
        "",
        "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed.",
        'Left as it is, because its test failed before: data.One["w.pb"]. '
        "Change the data, the source or the test, or use --replace.",
    ]
