"""`--report`: formats, the places that they are written to, and what happens if that fails."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import pytest
from harness import Cluster, Workspace

from algosync.cli.commands.drift import DriftReportOptions
from algosync.cli.options import ReportOptions
from algosync.cli.report_output import report_places, write_reports
from algosync.cli.terminal import Terminal
from algosync.core.error import UsageError
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.text import PAINT
from algosync.views import FORMATS
from algosync.views.subject import Planned

SUBJECT = Planned(Plan(PlanHeader("w", None, "https://api.b.com", "jane"), (), ()), {})


def written(*reports: str, coloured: bool = False) -> tuple[str, list[str]]:
    """What stdout gets, and the failures."""
    out = io.StringIO()
    terminal = Terminal(out, io.StringIO(), (coloured, coloured), live=False)
    terminal.hide("jane")
    write_reports(SUBJECT, report_places(reports), terminal)
    return out.getvalue(), terminal.lost


def test_stdout_gets_the_text_unless_a_report_takes_its_place() -> None:
    assert report_places([]) == report_places(["text"]) == report_places(["text:-"]) == {"-": "text"}
    assert report_places(["json"]) == report_places(["json:-"]) == report_places(["json", "json:-"]) == {"-": "json"}
    assert report_places(["json:a:b", "text:c"]) == {"-": "text", "a:b": "json", "c": "text"}


def test_json_is_a_report() -> None:
    assert ReportOptions(json=True).places == ReportOptions(report=["json"]).places == {"-": "json"}
    assert ReportOptions(json=True, report=["text:a"]).places == {"-": "json", "a": "text"}
    with pytest.raises(UsageError, match="stdout already gets the format json"):
        ReportOptions(json=True, report=["text"])


def test_only_drift_writes_a_folder_of_pages() -> None:
    assert DriftReportOptions(report=["html:a/"]).places == {"-": "text", "a/": "html"}
    with pytest.raises(UsageError, match="names a folder"):
        ReportOptions(report=["html:a/"])


@pytest.mark.parametrize(
    ("reports", "message", "hint"),
    [
        (["word\x1b[2J:a"], r"--report word\x1b[2J:a: the format is unknown", f"use one of: {', '.join(sorted(FORMATS))}"),
        ([""], "--report : the format is unknown", f"use one of: {', '.join(sorted(FORMATS))}"),
        (["json:"], "--report json: names no file", "use json, or json:FILE"),
        (["json", "text:-"], "--report text:-: stdout already gets the format json", "use text:FILE"),
        (["json:a", "text:a"], "--report text:a: this file already gets the format json", "use text:FILE"),
        (["html:a/"], "--report html:a/ names a folder", "name a file: only drift writes a folder of pages"),
        (["html:."], "--report html:. names a folder", "name a file: only drift writes a folder of pages"),
    ],
)
def test_wrong_reports(reports: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        report_places(reports)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_file_gets_the_text_of_its_format_without_secrets_and_colours(tmp_path: Path) -> None:
    text, document = tmp_path / "plan.txt", tmp_path / "plan.json"
    document.write_text("what was there before\n" * 99)
    shown, lost = written(f"text:{text}", f"json:{document}", coloured=True)
    assert lost == []
    assert PAINT.search(shown)
    assert text.read_text() == PAINT.sub("", shown)
    assert json.loads(document.read_text())["owner"] == "***"
    assert sorted(tmp_path.iterdir()) == [document, text]


def test_the_target_of_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    written(f"json:{tmp_path / 'link'}")
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "file").read_text())["owner"] == "***"


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    written(f"json:{pipe}")
    reader.join()
    assert pipe.is_fifo()
    assert json.loads(read[0])["owner"] == "***"


def test_a_file_that_cannot_be_written_names_its_option_and_the_others_are_written(tmp_path: Path) -> None:
    missing, folder, last = tmp_path / "missing" / "plan.json", tmp_path / "folder", tmp_path / "plan.json"
    folder.mkdir()
    shown, lost = written(f"json:{missing}", f"json:{folder}", "json:/dev/full", f"json:{last}")
    assert lost == [
        f"--report json:{missing}: No such file or directory",
        f"--report json:{folder}: Is a directory",
        "--report json:/dev/full: No space left on device",
    ]
    assert shown
    assert last.exists()


def test_a_file_stays_as_it_was_if_it_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "plan.json"
    file.write_text("before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert written(f"json:{file}")[1] == [f"--report json:{file}: No space left on device"]
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_plan_and_drift_write_reports_and_a_lost_one_never_lowers_the_exit_code(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    space = Workspace(tmp_path / "workspace", cluster.environ())
    space.algorithm("One")
    space.write([{"name": "One", "language": "python3"}])
    done = space.run("plan", "--report", "json:plan.json", "--detailed-exitcode")
    assert (done.returncode, "Plan: 3 to add" in done.stdout) == (2, True)
    assert json.loads((space.folder / "plan.json").read_text())["resource_changes"]
    assert json.loads(space.run("plan", "--report", "json").stdout)["resource_changes"]
    lost = "Error: the result could not be written: --report json:none/x: No such file or directory\n"
    for arguments, code in (["plan"], 1), (["plan", "--detailed-exitcode"], 2):
        done = space.run(*arguments, "--report", "json:none/x")
        assert (done.returncode, done.stderr[-len(lost) :], "Plan: 3 to add" in done.stdout) == (code, lost, True)
    assert space.run("apply", "--auto-approve").returncode == 0
    done = space.run("drift", "--json", "--report", "text:drift.txt")
    assert (done.returncode, json.loads(done.stdout)["drift"]) == (0, [])
    assert "No drift." in (space.folder / "drift.txt").read_text()
