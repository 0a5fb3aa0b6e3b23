"""On GitHub: the summary of a step, and annotations of failures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from harness import Workspace

from algosync import workflow
from algosync.cli.options import WorkflowOptions
from algosync.cli.report_output import diagnosed, report_places, write_reports
from algosync.cli.reporting.github import GitHub
from algosync.cli.terminal import Terminal, standard
from algosync.cli.workflow_file import read_workflow
from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Denied, Fault, Several, WorkflowError
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.plan import PlanHeader
from algosync.core.resource import Json
from algosync.views.subject import Drifted, DriftedAll, Failed

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


@dataclass(frozen=True)
class Command:
    """A command as GitHub's runner reads it."""

    properties: Mapping[str, str]
    message: str


def commands(text: str) -> list[Command]:
    found = []
    for line in text.splitlines():
        if line.startswith("::"):
            head, _, message = line[2:].partition("::")
            kind, _, told = head.partition(" ")
            assert kind == "error"
            pairs = (each.partition("=") for each in told.split(","))
            found.append(Command({name: unescaped(value) for name, _, value in pairs}, unescaped(message)))
    return found


def unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def told(error: AlgosyncError, folder: Path, **environ: str) -> list[Command]:
    terminal, err = at_github(folder / "summary")
    github = GitHub.of({"GITHUB_STEP_SUMMARY": str(folder / "summary"), **environ})
    with pytest.raises(AlgosyncError), diagnosed("plan", {}, replace(terminal, github=github)):
        raise error
    return commands(err.getvalue())


def test_each_fault_of_a_workflow_stands_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "repository" / "below"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    faults = (
        Fault(3, 7, "algorithms[0].x", "unknown-key", "the key 'x' is\n::error::not known", "did you mean y?"),
        Fault(4, 1, "$", "syntax", "not JSON", file="tests/a.json"),
        Fault(9, 1, "$", "syntax", "not JSON", file="../../elsewhere.json"),
    )
    found = told(WorkflowError("w,1:%.yaml", faults), tmp_path, GITHUB_WORKSPACE=str(tmp_path / "repository"))
    title = {"title": "algosync: plan"}
    assert [each.properties for each in found] == [
        {"file": "below/w,1:%.yaml", "line": "3", "col": "7", **title},
        title,
        {"file": "below/tests/a.json", "line": "4", "col": "1", **title},
    ]
    assert found[0].message.splitlines() == [
        "the key 'x' is\\x0a::error::not known",
        "did you mean y?",
        "w,1:%.yaml:3 algorithms[0].x [unknown-key]",
    ]
    assert "../../elsewhere.json:9" in found[1].message


@pytest.mark.parametrize(("line", "told_line"), [(2, {"line": "2"}), (None, {})])
def test_a_fault_of_a_template_stands_at_the_line_of_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int | None, told_line: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (found,) = told(WorkflowError("w.yaml.j2", (Fault(30, 7, "a", "type", "wrong", template_line=line),)), tmp_path)
    assert found.properties == {"file": "w.yaml.j2", **told_line, "title": "algosync: plan"}


def test_many_faults_are_counted_and_beside_another_error_none_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    many = WorkflowError("w.yaml", tuple(Fault(n, 1, "a", "type", "wrong") for n in range(1, 40)))
    found = told(many, tmp_path)
    assert [each.properties.get("line") for each in found] == [*map(str, range(1, 10)), None]
    assert found[-1].message == "and 30 other failures: see the summary of the job"
    (both,) = told(Several((many, Denied("no key"))), tmp_path)
    assert "no key" in both.message
    assert "wrong" in both.message


def test_of_several_workflows_each_has_one_or_one_for_each_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    broken = WorkflowError("w.yaml", (Fault(3, 1, "a", "type", "wrong"), Fault(4, 1, "b", "type", "wrong")))
    failed = Failed(broken, {**META, "command": "drift", "exit_code": 1, "workflow": "w (w.yaml)"})
    terminal, err = at_github(tmp_path / "summary")
    write_reports(DriftedAll("local", (drifted("a", "b"), failed), META), {}, terminal)
    found = [each.properties for each in commands(err.getvalue())]
    assert [each.get("line") for each in found] == ["3", None, "4"]
    assert [each["title"] for each in found if "line" in each] == ["algosync: drift"] * 2


def test_a_file_with_many_faults_leaves_room_for_the_other_workflows(tmp_path: Path) -> None:
    broken = WorkflowError("w.yaml", tuple(Fault(line, 1, "a", "type", "wrong") for line in range(1, 50)))
    failed = Failed(broken, {**META, "command": "drift", "exit_code": 1, "workflow": "many (m.yaml)"})
    terminal, err = at_github(tmp_path / "summary")
    write_reports(DriftedAll("local", (failed, drifted("a")), META), {}, terminal)
    titles = [each.properties["title"] for each in commands(err.getvalue())]
    assert titles[:2] == ["algosync: drift", f"algosync: {HEADER.workflow}"]
    assert len(titles) == 10


def test_a_failing_test_stands_where_the_workflow_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("w.yaml")
    path.write_text("algorithms:\n  - name: Hello\n    language: python3\n    tests:\n      - name: one\n        payload: 1\n")
    terminal, err = at_github(tmp_path / "summary")
    read_workflow(path, (workflow.variables((), (), {}), ()), (WorkflowOptions(environ={}), terminal))
    addresses = Address("test", "Hello", "one"), Address("test", "Hello", "two"), Address("data", "Hello", "one")
    findings = tuple(Finding(address, Drift.FAILING, reason="no") for address in addresses)
    write_reports(Drifted(HEADER, findings, META), {}, terminal)
    assert [each.properties.get("file") for each in commands(err.getvalue())] == ["w.yaml", None, None]
    assert commands(err.getvalue())[0].properties["line"] == "5"


def test_a_plan_that_fails_on_github(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    (tmp_path / "workflow.json").write_text('{"algorithms": [{"nam": "X"}]}')
    done = space.run("plan", environ={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    assert (done.returncode, done.stdout) == (1, "")
    assert "- Workflow: `workflow (workflow.json)`" in (tmp_path / "summary").read_text()
    found = commands(done.stderr)
    assert [each.properties["line"] for each in found] == ["1", "1", "1"]
    assert {each.properties["file"] for each in found} == {"workflow.json"}
    assert "the key 'nam' is not known here" in found[-1].message
    assert "### ❌ algosync plan" in (tmp_path / "summary").read_text()
