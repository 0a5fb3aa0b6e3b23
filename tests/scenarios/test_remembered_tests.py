"""A failed test of the workflow is remembered: `plan` notes it, `drift` reports it, until it passes."""

from __future__ import annotations

import json

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
