"""What a command leaves in the history: who, when, counts and versions, without secrets; and what `history` shows of it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from documents import check_document

from algosync.cli.commands.history import HistoryOptions, chosen
from algosync.cli.history.run_log import RunLog, ci_run, keep_log
from algosync.cli.history.shown import past_runs, runs_with_this
from algosync.cli.history.since import since
from algosync.cli.remembered_results import remembering
from algosync.cli.session import CommandSession
from algosync.cli.summary_file import Summary
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import TestFailed, UsageError
from algosync.core.event import Event, StepDone, StepFailed
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.redaction import Redactor
from algosync.core.resource import Record, Resource
from algosync.core.results.past_run import COMMANDS, PastRun, PublishedVersion
from algosync.core.workflow import Workflow
from algosync.state import ResultsDocument, TestResults, parse_address
from algosync.state.history import History
from algosync.views.document import json_text
from algosync.views.listings.history import history_document, history_lines

FILE, VERSION, CHECK = Address("data", "One", "a.bin"), Address("version", "One"), Address("test", "One")
CHANGES = [Change(each, Action.CREATE, None, Resource(each, {})) for each in (FILE, VERSION)]
UPLOAD, VERIFY = (Step(FILE, verb, CHANGES[0]) for verb in (Verb.UPLOAD, Verb.VERIFY))
PUBLISH = Step(VERSION, Verb.PUBLISH, CHANGES[1])
RECORDS = {VERSION: Record(VERSION, digest="d", source_stamp=None, destination_stamp="1.0.0@abc")}
META = {"timestamp": "2026-11-30T12:00:00+00:00", "algosync_version": "1", "workflow": "w", "state": "here"}
RUN = PastRun("apply", "w", "me@here", "2026-11-30T12:00:00+00:00", 1.5, 0)


def terminal(err: io.StringIO | None = None) -> Terminal:
    return Terminal(io.StringIO(), err or io.StringIO(), (False, False), live=False)


def beside(folder: Path) -> ResultsDocument:
    return ResultsDocument(lambda name: parse_address(str(folder))(name, "algosync apply"), "w.json")


def ran(folder: Path, events: Sequence[Event], told: Terminal, exit_code: int, log: RunLog | None = None) -> tuple[PastRun, ...]:
    """The history after a command with these events."""
    results = TestResults(lambda name: parse_address(str(folder))(name, "algosync apply"), "w.json")
    log = keep_log(log or RunLog("apply", "w"), results.document, {"GITHUB_RUN_ID": "7"}, told)
    steps = (UPLOAD, VERIFY, PUBLISH)
    log.summary = Summary("apply", Plan(PlanHeader("w", None, "local", "me"), tuple(CHANGES), ()))
    parts = {"workflow": Workflow("w", "/", ()), "results": results, "log": log, "ledger": SimpleNamespace(records=RECORDS)}
    list(remembering(log.summary.noting(events, steps), cast("CommandSession", SimpleNamespace(**parts)), told))
    for write in told.endings:
        write(exit_code)
    return History(beside(folder)).read()[0]


def test_a_run_has_who_when_counts_and_versions(tmp_path: Path) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    ends = [StepDone(UPLOAD, 1.0), StepDone(VERIFY, 1.0), StepDone(Step(CHECK, Verb.TEST), 1.0), StepDone(PUBLISH, 1.0, "1.0.0")]
    ends_badly = StepFailed(Step(Address("test", "One", "b"), Verb.TEST), 1.0, TestFailed("no"))
    (run,) = ran(tmp_path, [*ends, ends_badly], terminal(), 3)
    assert (run.command, run.workflow, run.exit_code, run.ci) == ("apply", "w", 3, "GitHub run 7")
    assert run.by.count("@") == 1
    assert before <= datetime.fromisoformat(run.at) <= datetime.now(timezone.utc)
    counts = {"added": 2, "changed": 0, "destroyed": 0, "tests_passed": 1, "tests_failed": 1, "published": 1}
    assert dict(run.counts) == counts
    assert run.versions == (PublishedVersion("One", "1.0.0", "abc"),)


def session_of(folder: Path, log: RunLog) -> CommandSession:
    return cast("CommandSession", SimpleNamespace(results=SimpleNamespace(document=beside(folder)), log=log))


def test_a_page_shows_the_runs_before_and_the_command_itself(tmp_path: Path) -> None:
    History(beside(tmp_path)).add(RUN)
    log = RunLog("drift", "w", started_at="2026-11-30T13:00:00+00:00")
    page = {"-": "text", "r.html": "html"}
    assert runs_with_this(session_of(tmp_path, log), page, 2, terminal()) == (RUN,), "it has done nothing yet"
    log.begin(findings=7)
    before, itself = runs_with_this(session_of(tmp_path, log), page, 2, terminal())
    assert (before, itself.command, itself.exit_code, dict(itself.counts)) == (RUN, "drift", 2, {"findings": 7})
    assert History(beside(tmp_path)).read()[0] == (RUN,), "nothing is written"


def test_other_formats_read_no_history_and_a_damaged_one_is_a_warning(tmp_path: Path) -> None:
    History(beside(tmp_path)).add(RUN)
    Path(beside(tmp_path).where).write_bytes(b"no JSON")
    err = io.StringIO()
    assert past_runs(beside(tmp_path), {"-": "json", "r.xml": "junit"}, terminal(err)) == ()
    assert err.getvalue() == ""
    assert past_runs(beside(tmp_path), {"-": "html"}, terminal(err)) == ()
    assert err.getvalue().startswith("Warning: the report does not show the history: ")


def test_an_interrupted_run_counts_what_was_finished(tmp_path: Path) -> None:
    (run,) = ran(tmp_path, [StepDone(UPLOAD, 1.0)], terminal(), 130)
    assert (run.exit_code, run.counts["added"], run.failed) == (130, 0, True)


def test_a_command_that_did_nothing_has_no_entry(tmp_path: Path) -> None:
    told = terminal()
    keep_log(RunLog("apply", "w"), beside(tmp_path), {}, told)
    for write in told.endings:
        write(5)
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_in_the_history(tmp_path: Path) -> None:
    told = terminal()
    told.hide("s3cretsecret")
    address = Address("version", "One_s3cretsecret")
    publish = StepDone(Step(address, Verb.PUBLISH, replace(CHANGES[1], address=address)), 1.0, "1.0.0")
    (run,) = ran(tmp_path, [publish], told, 0, RunLog("apply", "w s3cretsecret"))
    assert (run.workflow, run.versions[0].algorithm) == ("w ***", "One_***")
    assert all(b"s3cret" not in path.read_bytes() for path in tmp_path.iterdir())


def test_an_entry_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "w.json.results").mkdir()
    err = io.StringIO()
    told = terminal(err)
    log = keep_log(RunLog("drift", "w"), beside(tmp_path), {}, told)
    log.begin(findings=1)
    told.endings[0](2)
    assert err.getvalue().startswith("Warning: this command is not in the history: ")


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, ""),
        ({"GITHUB_RUN_ID": "12"}, "GitHub run 12"),
        ({"CI_PIPELINE_ID": "9\x1b"}, "GitLab pipeline 9\\x1b"),
        ({"GITHUB_RUN_ID": " "}, ""),
    ],
)
def test_the_run_of_a_ci_system_is_named(environ: dict[str, str], told: str) -> None:
    assert ci_run(environ) == told


NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("90m", "2026-11-30T10:30:00+00:00"),
        ("12h", "2026-11-30T00:00:00+00:00"),
        ("2w", "2026-11-16T12:00:00+00:00"),
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T02:00:00+02:00", "2026-11-01T00:00:00+00:00"),
    ],
)
def test_a_time_is_an_age_a_day_or_a_time(text: str, told: str) -> None:
    assert since(text, NOW).isoformat() == told


@pytest.mark.parametrize("text", ["yesterday", "7", "7y", "2026-13-01", "2026-11-01T02:00:00", "99999d"])
def test_another_text_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        since(text, NOW)


RUNS = [
    replace(RUN, at=f"2026-11-{day:02}T12:00:00+00:00", command=command, exit_code=code)
    for day, command, code in ((1, "apply", 0), (2, "drift", 2), (3, "apply", 4), (4, "test", 3))
]
RUNS[1] = replace(RUNS[1], by="jane@there")
RUNS[2] = replace(RUNS[2], ci="GitHub run 7", versions=(PublishedVersion("A", "1.0.0", "c"),))
RUNS[3] = replace(RUNS[3], versions=(PublishedVersion("A", "2.0.0", "c"),))


@pytest.mark.parametrize(
    ("options", "days"),
    [
        (HistoryOptions(), [1, 2, 3, 4]),
        (HistoryOptions(command=["apply", "test"]), [1, 3, 4]),
        (HistoryOptions(failed=True), [3, 4]),
        (HistoryOptions(limit=2), [3, 4]),
        (HistoryOptions(limit=1, command=["apply"]), [3]),
        (HistoryOptions(since="2026-11-02T12:00:00Z"), [2, 3, 4]),
        (HistoryOptions(since="2026-11-02", until="2026-11-03"), [2, 3]),
        (HistoryOptions(until="2026-11-02T11:00:00Z"), [1]),
        (HistoryOptions(exit_code=[0, 3]), [1, 4]),
        (HistoryOptions(by="JANE"), [2]),
        (HistoryOptions(by="run 7"), [3]),
        (HistoryOptions(by="somebody"), []),
        (HistoryOptions(published="A"), [3, 4]),
        (HistoryOptions(published="1.0.0"), [3]),
        (HistoryOptions(published="A 2.0.0"), [4]),
        (HistoryOptions(published="A 1"), []),
    ],
)
def test_options_choose_entries_and_the_newest_is_last(options: HistoryOptions, days: list[int]) -> None:
    assert [int(run.at[8:10]) for run in chosen(RUNS, options, NOW)] == days


def test_the_table_has_a_row_for_each_run() -> None:
    versions = tuple(PublishedVersion(name, "1.0.0", "c") for name in ("A\x1b", "B", "C", "D"))
    counts = {"added": 3, "destroyed": 0, "published": 200, "tests_passed": 2, "tests_failed": 1}
    runs = [
        replace(RUN, counts=counts, versions=versions, ci="GitHub run 7"),
        replace(RUN, command="drift", counts={"findings": 2}),
    ]
    assert list(history_lines(runs)) == [
        "WHEN (UTC)           COMMAND  EXIT  TOOK  BY                      WHAT",
        "2026-11-30 12:00:00  apply    0     1.5s  me@here (GitHub run 7)  "
        "3 added, A\\x1b 1.0.0, B 1.0.0, C 1.0.0, 197 more versions, 2 passed, 1 failed",
        "2026-11-30 12:00:00  drift    0     1.5s  me@here                 2 differ",
    ]
    assert list(history_lines([])) == []


def test_the_document_fits_its_schema() -> None:
    runs = [replace(run, versions=(PublishedVersion("A", "1.0.0", "c"),), counts={"added": 1}) for run in RUNS]
    document = json.loads(json_text(history_document(runs, META), Redactor()))
    check_document("history", document)
    assert [run["failed"] for run in document["runs"]] == [False, False, True, True]
    assert {run.command for run in RUNS} <= set(COMMANDS)
