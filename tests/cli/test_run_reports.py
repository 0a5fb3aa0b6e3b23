"""Reports of a run: what is collected while events pass by, and where it is written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from documents import check_document
from harness import Workspace

from algosync.cli.applying import carried_out as carry_out
from algosync.cli.interrupt import Signalled
from algosync.cli.reporting.github import GitHub
from algosync.cli.reporting.run_report import RunReport
from algosync.cli.session import CommandSession
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import Corrupt, Denied
from algosync.core.event import CaseDone, Event, Note, Progress, StepDone, StepFailed, StepStarted
from algosync.core.planning.plan import Check, Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.read_back import ReadBack
from algosync.core.report import fold
from algosync.core.testing.answer import Answer, CaseResult, Mismatch
from algosync.core.testing.case import CaseFile, TestCase
from algosync.core.workflow import Workflow
from algosync.engine import apply as engine

TEST, DATA = Address("test", "Hello", "t"), Address("data", "Hello", "w")
CHECK = Check(TEST, TestCase("t", cases=CaseFile("t.jsonl", "0" * 64, 5000)), of_algorithm=True)
CALLS, UPLOAD = Step(TEST, Verb.TEST, check=CHECK), Step(DATA, Verb.UPLOAD)
PLAN = Plan(PlanHeader("w (w.yaml)", None, "https://api.b.com", "jane"), (), (CHECK,), compared=False)


def terminal(github: GitHub | None = None) -> Terminal:
    return Terminal(io.StringIO(), io.StringIO(), (False, False), live=False, github=github)


def called(number: int, *, passed: bool) -> CaseDone:
    mismatches = () if passed else (Mismatch("equals", "$", "1", "2"),)
    return CaseDone(CALLS, CaseResult(number, f"c{number}", "1", Answer("json", b"2", 0.01), mismatches))


def carried_out(events: list[Event], places: Mapping[str, str], used: Terminal) -> None:
    run = RunReport.of("test", places, used)
    run.begin(PLAN)
    report = fold(run.watching(events), lambda: False)
    run.write(PLAN, report, report.exit_code, None)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_of_many_calls_all_that_failed_are_listed(tmp_path: Path) -> None:
    events: list[Event] = [called(n, passed=n % 10 != 0) for n in range(1, 5001)]
    carried_out([*events, StepDone(CALLS, 1.0)], {"-": "text", str(tmp_path / "r.json"): "json"}, terminal())
    document = json.loads((tmp_path / "r.json").read_text())
    check_document("run", document)
    check_document("report", document)
    (test,) = document["tests"]
    assert (test["calls"], len(test["cases"])) == (5000, 500)
    assert {case["outcome"] for case in test["cases"]} == {"failed"}


def test_events_are_written_as_they_come_and_coalesced(tmp_path: Path) -> None:
    path, seen = tmp_path / "e.jsonl", []

    def events() -> Iterator[Event]:
        yield StepStarted(UPLOAD)
        seen.append(len(path.read_text().splitlines()))
        yield from (Progress(UPLOAD, done, 10_000) for done in range(10_001))
        yield from (Note(UPLOAD, "waiting") for _ in range(100))
        yield StepFailed(UPLOAD, 1.0, Denied("no \x1b", hint="look"))
        yield from (called(number, passed=number != 77) for number in range(1, 101))
        yield StepDone(CALLS, 1.0)

    run = RunReport.of("apply", {"-": "text", str(path): "jsonl"}, terminal())
    run.begin(PLAN)
    run.write(PLAN, fold(run.watching(events()), lambda: True), 4, None)
    assert seen == [2], "the line of an event is in the file when the event is seen"
    found = lines(path)
    kinds = [line["type"] for line in found]
    assert (kinds[0], kinds[1], kinds[-1]) == ("start", "started", "end")
    assert {kind: kinds.count(kind) for kind in ("progress", "note", "call", "failed")} == {
        "progress": 11,
        "note": 1,
        "call": 8,
        "failed": 1,
    }
    assert found[-1]["exit_code"] == 4
    for line in found:
        check_document("event", line)


def test_a_stream_of_a_run_that_breaks_off_ends_with_the_error(tmp_path: Path) -> None:
    def events() -> Iterator[Event]:
        yield StepStarted(UPLOAD)
        raise Corrupt("the state is damaged")

    run = RunReport.of("apply", {"-": "text", str(tmp_path / "e.jsonl"): "jsonl"}, terminal())
    run.begin(PLAN)
    with pytest.raises(Corrupt):
        fold(run.watching(events()), lambda: True)
    end = lines(tmp_path / "e.jsonl")[-1]
    assert (end["type"], end["exit_code"], end["good"]) == ("end", 1, False)
    assert "the state is damaged" in str(end)


def test_with_another_format_on_stdout_texts_for_people_go_to_stderr() -> None:
    used = terminal()
    run = RunReport.of("test", {"-": "json"}, used)
    run.terminal.result("for people")
    run.terminal.hide("jane")
    run.begin(PLAN)
    run.write(PLAN, fold([], lambda: False), 0, None)
    document = json.loads(used.out.getvalue())  # type: ignore[attr-defined]  # a StringIO
    assert (document["owner"], document["meta"]["exit_code"], document["meta"]["command"]) == ("***", 0, "test")
    assert used.err.getvalue() == "for people\n"  # type: ignore[attr-defined]  # a StringIO


def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    used = terminal()
    carried_out([StepDone(CALLS, 1.0)], {"-": "text", str(tmp_path / "no" / "e"): "jsonl"}, used)
    assert len(used.lost) == 1


def test_apply_and_test_write_reports(workspace: Workspace) -> None:
    """With JSON on stdout, stdout is one document, also if the command fails."""
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    done = workspace.run(
        "apply", "--auto-approve", "--json", "--report", "junit:r.xml", "--report", "jsonl:e.jsonl", "--report", "html:r.html"
    )
    document = json.loads(done.stdout)
    check_document("run", document)
    assert (done.returncode, document["meta"]["exit_code"], document["meta"]["command"]) == (0, 0, "apply")
    assert "algosync will perform the following actions" in done.stderr
    assert (workspace.folder / "r.xml").read_text().startswith("<?xml")
    assert lines(workspace.folder / "e.jsonl")[-1]["exit_code"] == 0
    tested = json.loads(workspace.run("test", "--report", "json").stdout)
    check_document("run", tested)
    assert [test["outcome"] for test in tested["tests"]] == ["done"]
    assert "1 run from " in (workspace.folder / "r.html").read_text()
    for command in ("plan", "show", "drift"):
        assert workspace.run(command, "--report", "html:r.html").returncode == 0
        runs = 3 if command == "drift" else 2
        assert f"{runs} runs from " in (workspace.folder / "r.html").read_text(), "apply, test, and itself if it is remembered"
    failed = workspace.run(
        "apply", "--json", "--report", "junit:r.xml", "--report", "jsonl:e.jsonl", "--no-input", "--replace", "source.One"
    )
    check_document("diagnostics", json.loads(failed.stdout))
    assert json.loads(failed.stdout)["meta"]["exit_code"] == failed.returncode == 1
    assert json.loads(failed.stdout)["meta"]["workflow"] == "workflow (workflow.json)"
    assert "approval is required" in (workspace.folder / "r.xml").read_text()
    assert "approval is required" in (workspace.folder / "e.jsonl").read_text()


@pytest.mark.parametrize("approved", [False, True])
def test_after_an_interrupt_the_next_command_is_told(monkeypatch: pytest.MonkeyPatch, *, approved: bool) -> None:
    """A saved plan is stale when a part of it is done, so the same command would be refused."""

    def interrupted(*_: object) -> Iterator[Event]:
        yield StepStarted(UPLOAD)
        raise Signalled(2)

    monkeypatch.setattr(engine, "apply", interrupted)
    monkeypatch.setattr(engine, "schedule_of", lambda *_: SimpleNamespace(steps=()))
    log, flow = SimpleNamespace(command="apply", begin=lambda: None, note=lambda *_: None), Workflow("w", "/", ())
    scene = SimpleNamespace(site=SimpleNamespace(read_back=ReadBack.FULL))
    session = SimpleNamespace(workflow=flow, scene=scene, ledger=SimpleNamespace(wrote=True), results=None, log=log)
    used = terminal()
    run = RunReport.of("apply", {"-": "text"}, used)
    run.approved = approved
    with pytest.raises(Signalled):
        carry_out(replace(PLAN, checks=()), cast("CommandSession", session), used, None, run)
    last = used.err.getvalue().splitlines()[-1] if isinstance(used.err, io.StringIO) else ""
    assert last.startswith("Everything done so far is recorded")
    assert last.endswith("It has only what is left." if approved else "run the same command again to continue from here.")
