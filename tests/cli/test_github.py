"""On GitHub: the summary of a step, and annotations of failures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from harness import Workspace

from algosync.cli.report_output import diagnosed, report_places, write_reports
from algosync.cli.reporting.github import GitHub
from algosync.cli.terminal import Terminal, standard
from algosync.core.address import Address
from algosync.core.error import Denied
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.plan import PlanHeader
from algosync.core.resource import Json
from algosync.views.subject import Drifted

HEADER = PlanHeader("w (w.yaml)", None, "https://api.b.com", "jane")
META: Mapping[str, Json] = {"timestamp": "2026-01-02T03:04:05+00:00", "algosync_version": "1", "exit_code": 2}


def at_github(summary: Path) -> tuple[Terminal, io.StringIO]:
    err = io.StringIO()
    return Terminal(io.StringIO(), err, (False, False), live=False, github=GitHub(summary)), err


def drifted(*names: str, reason: str = "403") -> Drifted:
    findings = (Finding(Address("data", "Hello", name), Drift.UNKNOWN, reason=reason) for name in names)
    return Drifted(HEADER, tuple(findings), META)


def test_the_summary_gets_the_markdown_of_each_command(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_text("# Before\n")
    terminal, _ = at_github(summary)
    for _ in range(2):
        write_reports(drifted("a"), report_places(["json"]), terminal)
    text = summary.read_text()
    assert text.startswith("# Before\n")
    assert text.count("### ❌ algosync drift: `w (w.yaml)`") == 2


def test_failures_are_annotations_and_no_text_of_others_is_a_command(tmp_path: Path) -> None:
    terminal, err = at_github(tmp_path / "summary")
    terminal.hide("s3cret-of-jane")
    hostile = "x\n::stop-commands::y,a:b%0A::error::z\r s3cret-of-jane"
    write_reports(drifted(hostile, reason=hostile), {}, terminal)
    (line,) = err.getvalue().splitlines()
    assert line.startswith("::error title=algosync%3A data.Hello[")
    head, _, message = line.removeprefix("::error ").partition("::")
    assert not {":", ","} & set(head)
    assert "%250A" in message
    assert "s3cret" not in line


def test_of_many_failures_the_last_annotation_counts_the_others(tmp_path: Path) -> None:
    terminal, err = at_github(tmp_path / "summary")
    write_reports(drifted(*map(str, range(50))), {}, terminal)
    lines = err.getvalue().splitlines()
    assert len(lines) == 10
    assert "and 41 other failures" in lines[-1]


def test_an_error_is_told_once(tmp_path: Path) -> None:
    terminal, err = at_github(tmp_path / "summary")
    with pytest.raises(Denied), diagnosed("versions", {}, terminal), diagnosed("versions", {"-": "json"}, terminal):
        raise Denied("no key", hint="look")
    assert err.getvalue().count("::error ") == 1
    assert (tmp_path / "summary").read_text().count("no key") >= 1


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    terminal, _ = at_github(tmp_path)
    write_reports(drifted(), {}, terminal)
    assert terminal.lost == ["GITHUB_STEP_SUMMARY: Is a directory"]


def test_elsewhere_nothing_is_written(tmp_path: Path) -> None:
    terminal, err = at_github(tmp_path / "summary")
    write_reports(drifted("a"), {}, replace(terminal, github=None))
    assert (err.getvalue(), list(tmp_path.iterdir())) == ("", [])
    assert standard({}).github is None
    assert standard({"GITHUB_STEP_SUMMARY": "x"}).github == GitHub(Path("x"))


def test_a_plan_that_fails_on_github(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    (tmp_path / "workflow.json").write_text('{"algorithms": [{"nam": "X"}]}')
    done = space.run("plan", environ={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    assert (done.returncode, done.stdout) == (1, "")
    command = next(line for line in done.stderr.splitlines() if line.startswith("::error title=algosync%3A plan::Error: "))
    assert "%0AError: the key 'nam' is not known here%0A" in command
    assert "### ❌ algosync plan" in (tmp_path / "summary").read_text()
