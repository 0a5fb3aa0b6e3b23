"""Options of `algosync test`: which tests run, baselines that are accepted, and cases that are recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from algosync.answers import accepted, judge, read_baseline
from algosync.cli.report_output import replace_file
from algosync.cli.testing.accepting import AcceptedFile, Accepting, has_baseline, without_baseline
from algosync.cli.testing.options import TestOptions
from algosync.cli.testing.recording import append, recording_of
from algosync.cli.testing.selection import TestSelection
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.event import CaseDone, Event, Measured
from algosync.core.planning.plan import Check, Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.redaction import Redactor
from algosync.core.testing.answer import Answer, Called, CallFailure, CaseResult, Mismatch
from algosync.core.testing.case import Baseline, CaseFile, Expectation, Limit, Load, TestCase
from algosync.core.testing.timing import Timing
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.views.accepted import accepted_lines

TIMING = Timing(calls=2, errors=0, total=1.0, cold=0.5, p50=0.5, p95=0.5, p99=0.5, max=0.5)
BASE = Expectation(baseline=Baseline("tests/one.json"))
CASES = (
    TestCase("", "1"),
    TestCase("greets", "1", expect=BASE),
    TestCase("greets well", "1", load=Load(repeat=5)),
    TestCase("cases", cases=CaseFile("c.jsonl", "0", 1)),
)
CHECKS = tuple(Check(Address("test", "One", case.name or None), case, of_algorithm=True) for case in CASES)
PLAN = Plan(PlanHeader("w", None, "local", "me"), (), CHECKS)


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (TestSelection(), ["", "greets", "greets well", "cases"]),
        (TestSelection(("greets",)), ["greets"]),
        (TestSelection(("greets*",)), ["greets", "greets well"]),
        (TestSelection(("test.One",)), [""]),
        (TestSelection(('test.One["greets"]', "cas*")), ["greets", "cases"]),
        (TestSelection(bench=True), ["greets well"]),
        (TestSelection(accept=lambda check: has_baseline(check, lambda *_: (CASES[1],))), ["greets", "cases"]),
        (TestSelection(accept=lambda check: has_baseline(check, lambda *_: (CASES[0],))), ["greets"]),
        (TestSelection(("greets*",), frozenset({CHECKS[2].address, CHECKS[3].address})), ["greets well"]),
        (TestSelection(failed=frozenset()), []),
    ],
)
def test_a_test_runs_if_it_meets_all_options(selection: TestSelection, names: list[str]) -> None:
    assert [check.case.name for check in selection.of(PLAN).checks] == names


@pytest.mark.parametrize("selection", [TestSelection(("nope",)), TestSelection(("greets",), bench=True)])
def test_options_that_fit_no_test_are_refused(selection: TestSelection) -> None:
    with pytest.raises(UsageError):
        selection.of(PLAN)


def test_recording_goes_with_no_option_that_chooses_tests() -> None:
    TestOptions(record=("a", "1"))
    with pytest.raises(UsageError):
        TestOptions(record=("a", "1"), bench=True)


def answered(body: str, number: int = 1, expect: Expectation = BASE, mismatches: tuple[Mismatch, ...] = ()) -> CaseResult:
    return CaseResult(number, "", "1", Answer("json", body.encode()), mismatches, expect=expect)


def step(case: TestCase = CASES[1]) -> Step:
    check = Check(Address("test", "One", case.name), case, of_algorithm=True)
    return Step(check.address, Verb.TEST, check=check)


def accepting(folder: Path, results: Iterable[CaseResult], case: TestCase = CASES[1], secret: str = "") -> list[AcceptedFile]:
    redactor = Redactor()
    redactor.hide(secret)
    collecting = Accepting(folder, judge, accepted, redactor.holds)
    events: list[Event] = [*(CaseDone(step(case), result) for result in results), Measured(step(case), Called("1", "c"), TIMING)]
    assert list(collecting.watching(events)) == events
    return list(collecting.write(replace_file))


def test_an_answer_is_written_to_its_baseline(tmp_path: Path) -> None:
    (file,) = accepting(tmp_path, [answered('{"b": 1.50, "a": 2}')])
    assert (file.path, file.changed, file.refused) == ("tests/one.json", True, "")
    text = (tmp_path / "tests" / "one.json").read_text()
    assert json.loads(text)["answer"] == {"a": 2, "b": 1.5}
    assert "1.50" in text
    assert read_baseline(text).timing is None
    met = replace(BASE, baseline=Baseline("tests/one.json", text))
    (again,) = accepting(tmp_path, [answered('{"a": 2, "b": 1.50}', expect=met)])
    assert (again.changed, again.refused) == (False, "")
    (other,) = accepting(tmp_path, [answered('{"a": 3}', expect=met)])
    assert other.changed


def test_what_is_ignored_makes_no_difference(tmp_path: Path) -> None:
    ignoring = replace(BASE, ignore=("$.id",))
    accepting(tmp_path, [answered('{"a": 1, "id": 7}', expect=ignoring), answered('{"a": 1, "id": 8}', 2, ignoring)])
    text = (tmp_path / "tests" / "one.json").read_text()
    met = replace(ignoring, baseline=Baseline("tests/one.json", text))
    (file,) = accepting(tmp_path, [answered('{"a": 1, "id": 9}', expect=met)])
    assert not file.changed
    assert (tmp_path / "tests" / "one.json").read_text() == text


@pytest.mark.parametrize("path", ["../one.json", "/elsewhere/one.json", "link/one.json"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "workflow"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    path = str(tmp_path / path[1:]) if path.startswith("/") else path
    (file,) = accepting(folder, [answered("1", expect=replace(BASE, baseline=Baseline(path)))])
    assert file.refused == "it is neither in the workflow's folder nor in the current one"
    assert {place.name for place in tmp_path.iterdir()} == {"workflow"}


def test_the_measures_are_kept_if_a_limit_compares_with_them(tmp_path: Path) -> None:
    compared = replace(CASES[1], load=Load(repeat=2, limits=(Limit("p95_vs_baseline", 1.25),)))
    accepting(tmp_path, [answered("1")], compared)
    assert read_baseline((tmp_path / "tests" / "one.json").read_text()).timing == TIMING


@pytest.mark.parametrize(
    ("results", "refused"),
    [
        ([answered("1", mismatches=(Mismatch("max_seconds"),))], "the test failed, so its answer is not accepted"),
        ([answered("1"), answered("2", 2)], "calls 1 and 2 were answered differently"),
        ([answered('"hunter2hunter2"')], "the answer holds a sensitive value"),
        ([answered("{")], ""),
    ],
)
def test_a_baseline_that_cannot_stand_is_not_written(tmp_path: Path, results: list[CaseResult], refused: str) -> None:
    (file,) = accepting(tmp_path, results, secret="hunter2hunter2")
    assert file.refused.startswith(refused)
    assert file.refused
    assert not (tmp_path / "tests").exists()


def test_a_baseline_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tests").write_text("a file")
    with pytest.raises(AlgosyncError, match="cannot be written"):
        accepting(tmp_path, [answered("1")])


def test_nothing_is_compared_with_a_baseline_that_is_about_to_be_replaced() -> None:
    old = Expectation(baseline=Baseline("b", accepted(Answer("json", b"1"))), max_seconds=1.0)
    answer = Answer("json", b"2", seconds=2.0)
    assert {mismatch.expectation for mismatch in judge(old, answer)} == {"baseline", "max_seconds"}
    assert {mismatch.expectation for mismatch in without_baseline(judge)(old, answer)} == {"max_seconds"}


def test_accepted_baselines_are_listed() -> None:
    here = Address("test", "One", "greets")
    files = [AcceptedFile("a", here, changed=True), AcceptedFile("b", here), AcceptedFile("c\x1b", here, refused="no \x1b")]
    lines = list(accepted_lines(files, str))
    assert lines[3] == '  unchanged  b  test.One["greets"]'
    assert lines[-1] == "1 file written. Look at the difference before you commit it."
    assert "\x1b[31;1m" not in lines[4][20:]
    assert "c\\x1b" in lines[4]


FLOW = Workflow("w", "/", (AlgorithmSpec("One", "python3"), AlgorithmSpec("Two", "python3")), entrypoint="Two")


def test_a_recording_calls_the_named_algorithm_or_the_entrypoint() -> None:
    assert recording_of("One.hello", "1", FLOW).algorithm == "One"
    assert recording_of("hello", "1", FLOW).algorithm == "Two"
    assert recording_of("hello", "1", replace(FLOW, algorithms=FLOW.algorithms[:1], entrypoint=None)).algorithm == "One"
    with pytest.raises(UsageError, match="several algorithms"):
        recording_of("hello", "1", replace(FLOW, entrypoint=None))
    with pytest.raises(UsageError, match="no algorithm Nope"):
        recording_of("Nope.hello", "1", FLOW)


@pytest.mark.parametrize(("name", "payload"), [("../x", "1"), ("One.", "1"), ("a/b", "1"), ("x", "Ada"), ("x", "{"), ("x", "NaN")])
def test_a_name_or_a_payload_that_cannot_be_used_is_refused(name: str, payload: str) -> None:
    with pytest.raises(UsageError):
        recording_of(name, payload, FLOW)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("../x", "x"), ("tests/hello.jsonl", "hello"), ("x.jsonl", "x"), ("a\\b", "b"), ("../..", ""), ("..", ""), ("", "")],
)
def test_a_path_in_the_place_of_the_name_of_a_recording_is_told_as_that(name: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        recording_of(name, "1", FLOW)
    assert caught.value.message == f"--record {name}: this cannot be the name of a file in the folder tests"
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"did you mean --record {meant}?" if meant else "goes to tests/hello.jsonl")


@pytest.mark.parametrize(
    ("payload", "answer", "row"),
    [
        ('"Ada"', Answer("json", b'{"a":\n 1.50}'), '{"payload": "Ada", "expect": {"equals": {"a":  1.50}}}'),
        ("[1,\n2]", Answer("text", "line\nü".encode()), '{"payload": [1, 2], "expect": {"equals": "line\\n\\u00fc"}}'),
    ],
)
def test_a_recorded_case_is_one_line_with_numbers_as_they_were_sent(payload: str, answer: Answer, row: str) -> None:
    assert recording_of("x", payload, FLOW).row(answer) == row + "\n"
    json.loads(row)


def test_bytes_are_recorded_by_their_digest_and_errors_not_at_all() -> None:
    recording = recording_of("x", "1", FLOW)
    assert set(json.loads(recording.row(Answer("binary", b"\x00")))["expect"]) == {"content_type", "sha256"}
    with pytest.raises(AlgosyncError, match="the call failed, so there is no answer to record: boom"):
        recording.row(Answer("", b"", failure=CallFailure("boom")))


def test_a_workflow_that_names_the_file_needs_no_advice() -> None:
    recording = recording_of("hello", "1", FLOW)
    assert list(recording.lines_for(FLOW))[-1] == "      - cases: tests/hello.jsonl"
    named = TestCase("t", cases=CaseFile("./tests/hello.jsonl", "0", 1))
    assert list(recording.lines_for(replace(FLOW, tests=(named,)))) == []


def test_a_line_is_added_to_a_file_that_may_lack_its_last_line_break(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "hello.jsonl"
    write: Callable[[str], None] = lambda line: append(path, line, replace_file)  # noqa: E731  # short for the three below
    write("1\n")
    path.write_text("0")
    write("1\n")
    write("2\n")
    assert path.read_text() == "0\n1\n2\n"


def test_no_line_is_lost_if_two_commands_add_one_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "hello.jsonl"
    other = Thread(target=append, args=(path, "second\n", Path.write_bytes))

    def slowly(path: Path, data: bytes) -> None:
        other.start()
        other.join(0.1)  # as long as it takes to read the file
        path.write_bytes(data)

    append(path, "first\n", slowly)
    other.join()
    assert path.read_text() == "first\nsecond\n"
