"""A failed test of the workflow is remembered: `plan` notes it, `drift` reports it, until it passes."""

from __future__ import annotations

import json
import signal

from harness import Cluster, Workspace


def test_a_failing_test_is_told_until_it_passes(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One", "def apply(input):\n    return 1 / input\n")
    algorithms: list[dict[str, object]] = [{"name": "One", "language": "python3", "test_payload": 1}]
    workspace.write(algorithms)
    workspace.apply()
    tests = [{"name": "zero", "payload": 0}, {"name": "one", "payload": 1}]
    workspace.write(algorithms, test_info={"entrypoint": "One", "tests": tests})
    assert workspace.run("drift").returncode == 0
    workspace.apply(code=3)

    shown = workspace.run("plan", "--detailed-exitcode")
    assert (shown.returncode, "No changes." in shown.stdout) == (0, True)
    assert 'Note: test.One["zero"] has failed since ' in shown.stdout
    checks = json.loads(workspace.run("plan", "--json").stdout)["checks"]
    assert [check["failing_since"] is None for check in checks] == [True, False, True]
    drift = workspace.run("drift")
    assert (drift.returncode, 'test.One["zero"] failed when it last ran' in drift.stdout) == (2, True)
    assert "division by zero" in drift.stdout
    assert workspace.run("test").returncode == 3

    workspace.write(algorithms, test_info={"entrypoint": "One", "tests": [{"name": "zero", "payload": 2}]})
    assert workspace.run("test").returncode == 0
    assert (workspace.run("drift").returncode, "has failed since" in workspace.run("plan").stdout) == (0, False)


def test_a_test_that_failed_before_a_signal_is_remembered(workspace: Workspace) -> None:
    workspace.algorithm("One", "def apply(input):\n    return 1 / input\n")
    opened = workspace.waiting_algorithm("Two")
    algorithms: list[dict[str, object]] = [
        {"name": "One", "language": "python3", "test_payload": 0},
        {"name": "Two", "language": "python3", "test_payload": 1},
    ]
    workspace.write(algorithms)
    process = workspace.started("test.Two: Testing")
    process.send_signal(signal.SIGINT)
    process.communicate()
    opened()
    assert process.returncode == 130
    assert "test.One has failed since" in workspace.run("plan").stdout


def test_a_full_disk_behind_the_results_is_a_warning(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    workspace.apply()
    for path in (workspace.folder / "state").glob("*.json.results"):
        path.unlink()
        path.symlink_to("/dev/full")
    done = workspace.run("apply", "--auto-approve")
    assert (done.returncode, "Apply complete!" in done.stdout) == (0, True)
    assert done.stderr.count("Warning: the results of the tests are not remembered: ") == 1


def test_a_workflow_that_only_runs_tests_has_its_failures_in_drift(workspace: Workspace) -> None:
    workspace.algorithm("One", "def apply(input):\n    return 1 / input\n")
    algorithms: list[dict[str, object]] = [{"name": "One", "language": "python3"}]
    workspace.write(algorithms)
    workspace.apply()
    tests = [{"name": "zero", "payload": 0}]
    workspace.write(algorithms, run_only=True, test_info={"entrypoint": "One", "tests": tests})
    elsewhere = ("--state", "elsewhere")
    assert workspace.run("drift", *elsewhere).returncode == 1
    assert workspace.run("test", *elsewhere).returncode == 3
    done = workspace.run("drift", *elsewhere)
    assert (done.returncode, 'test.One["zero"] failed when it last ran' in done.stdout) == (2, True)
