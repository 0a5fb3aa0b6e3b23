"""`--summary-file`: numbers for a pipeline, whatever the outcome of the command."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
from documents import check_document
from harness import Workspace


def summary(workspace: Workspace) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((workspace.folder / "summary.json").read_text())
    check_document("summary", document)
    assert document.pop("format_version") == "1.0"
    assert document.pop("timestamp")
    return document


def some(counts: dict[str, int]) -> dict[str, int]:
    return {action: number for action, number in counts.items() if number}


SUMMARY = ("--summary-file", "summary.json")


def test_a_plan_and_two_applies(workspace: Workspace) -> None:
    uri = workspace.data("models", "w.bin", b"12345")
    workspace.algorithm("One", "def apply(input):\n    return 1 / input\n")
    tests = [{"name": "zero", "payload": 0}, {"name": "one", "payload": 1}]
    algorithm = {"name": "One", "language": "python3", "test_payload": 1, "data_files": [uri]}
    workspace.write([algorithm], test_info={"entrypoint": "One", "tests": tests})
    assert workspace.run("plan", "--detailed-exitcode", *SUMMARY).returncode == 2
    planned = summary(workspace)
    assert (planned["command"], planned["exit_code"], some(planned["planned"])) == ("plan", 2, {"create": 4})
    assert (planned["bytes_to_upload"], planned["bytes_uploaded"], planned["applied"], planned["tests"]) == (5, None, None, None)
    workspace.apply(*SUMMARY, code=3)
    failed = summary(workspace)
    assert (failed["exit_code"], some(failed["applied"])) == (3, {"create": 3})
    assert (failed["bytes_to_upload"], failed["bytes_uploaded"]) == (5, 5)
    assert failed["tests"] == {"passed": 2, "failed": 1, "skipped": 0, "gates": []}
    workspace.algorithm("One")
    workspace.apply(*SUMMARY)
    fine = summary(workspace)
    assert (fine["exit_code"], some(fine["applied"]), fine["tests"]["passed"]) == (0, {"create": 1, "update": 1}, 3)


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_it_is_written_although_the_destination_refuses(command: str, workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    assert workspace.run(command, *SUMMARY, environ={"DESTINATION_API_KEY": "wrong"}).returncode == 1
    found = summary(workspace)
    assert (found["exit_code"], found["planned"], found["applied"]) == (1, None, None)


def test_a_file_that_cannot_be_written_never_lowers_the_exit_code(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    lost = ("--summary-file", "nowhere/summary.json")
    message = "Error: the result could not be written: --summary-file "
    for arguments, code in (((), 1), (("--detailed-exitcode",), 2)):
        done = workspace.run("plan", *arguments, *lost)
        assert (done.returncode, message in done.stderr, "3 to add" in done.stdout) == (code, True, True)
    assert workspace.run("plan", "--summary-file", ".").returncode == 64


def test_a_signal_leaves_a_summary(workspace: Workspace) -> None:
    release = workspace.waiting_algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    workspace.environ["ALGOSYNC_SUMMARY_FILE"] = "summary.json"
    process = workspace.started("test.One: Testing...")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    release()
    assert process.stderr is not None
    process.stderr.close()
    found = summary(workspace)
    assert (found["exit_code"], some(found["applied"])) == (130, {"create": 2})
    assert found["tests"] == {"passed": 0, "failed": 0, "skipped": 1, "gates": []}
