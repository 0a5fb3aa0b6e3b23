"""Failures are reported in the cluster's own words, nothing published is changed, and the next run tries again."""

import pytest
from harness import PLAIN, Cluster, Workspace

RAISES = "def apply(input):\n    raise ValueError('no bananas today')\n"


def call(cluster: Cluster, name: str, reference: str) -> None:
    cluster.api().algorithms.call("local", name, reference, "1", 60)


def test_a_payload_that_raises_is_never_published(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    workspace.apply()
    workspace.algorithm("One", RAISES)
    output = workspace.apply(code=3)
    assert "Error: test.One: no bananas today" in output
    assert "│     raise ValueError('no bananas today')" in output
    assert "left out because of it: publish version.One" in output
    version = cluster.api().algorithms.published("local", "One")
    assert version is not None
    assert version.number == "0.1.0"
    call(cluster, "One", "0.1.0")
    assert workspace.actions() == {"version.One": "update"}
    with cluster.writes() as writes:
        assert "no bananas today" in workspace.apply(code=3)
    assert writes.lines == ()
    workspace.algorithm("One", PLAIN.replace("1", "3"))
    workspace.apply()
    assert workspace.actions() == {}


def test_a_failed_workflow_test_keeps_the_entrypoint_from_being_published(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One", "def apply(input):\n    return 1 / input\n")
    tests = [{"name": "zero", "payload": 0}, {"name": "one", "payload": 1}]
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}], test_info={"entrypoint": "One", "tests": tests})
    output = workspace.apply(code=3)
    assert 'Error: test.One["zero"]: division by zero' in output
    assert 'passed   test.One["one"]' in output
    assert cluster.api().algorithms.published("local", "One") is None
    workspace.algorithm("One", "def apply(input):\n    return input\n")
    workspace.apply()
    assert cluster.api().algorithms.published("local", "One") is not None


def test_a_failed_build_shows_its_log_and_the_others_continue(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("Bad", requirements="this is no requirement\n")
    workspace.algorithm("Above")
    workspace.algorithm("Good")
    workspace.write(
        [
            {"name": "Bad", "language": "python3", "test_payload": 1},
            {"name": "Above", "language": "python3", "test_payload": 1, "depends_on": ["Bad"]},
            {"name": "Good", "language": "python3", "test_payload": 1},
        ]
    )
    output = workspace.apply(code=4)
    assert "Error: version.Bad: the build of commit" in output
    assert "│ " in output.split("Error: version.Bad")[1]
    assert "this is no requirement" in output
    assert cluster.api().algorithms.published("local", "Good") is not None
    assert cluster.api().algorithms.published("local", "Above") is None
    assert workspace.actions() == {"version.Bad": "create", "version.Above": "create"}
    workspace.algorithm("Bad")
    workspace.apply()
    assert workspace.actions() == {}


def test_a_failed_build_is_repeated_without_a_push(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("Bad", requirements="this is no requirement\n")
    workspace.write([{"name": "Bad", "language": "python3", "test_payload": 1}])
    workspace.apply(code=4)
    with cluster.writes() as writes:
        workspace.apply(code=4)
    assert writes.lines == ("POST /v1/algorithms/local/Bad/compile",)


def test_a_missing_data_file_is_reported_before_any_change(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.data("models", "there.bin", b"x")
    files = ["data://.my/models/nowhere.bin", "data://.my/models/there.bin"]
    workspace.write([{"name": "One", "language": "python3", "data_files": files}])
    with cluster.writes() as writes:
        output = workspace.apply(code=1)
    assert writes.lines == ()
    assert "Error: One: the source has no data://.my/models/nowhere.bin" in output


def test_an_unavailable_environment_is_reported_before_any_change(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "Python 3.99"}])
    with cluster.writes() as writes:
        output = workspace.apply(code=1)
    assert writes.lines == ()
    assert "Error: One: the destination has no environment for 'Python 3.99'" in output
    assert "it offers: Python 2.7, Python 3.6, Python 3.7" in output


def test_a_wrong_key_is_not_shown_and_not_taken_for_absence(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    done = workspace.run("plan", environ={"DESTINATION_API_KEY": "simWRONGWRONGWRONGWRONGWRONG"})
    assert done.returncode == 1
    assert "401" in done.stderr
    assert "WRONG" not in done.stdout + done.stderr


def test_a_second_simultaneous_apply_is_refused(workspace: Workspace) -> None:
    let_go = workspace.waiting_algorithm("Slow")
    workspace.write([{"name": "Slow", "language": "python3", "test_payload": 1}])
    first = workspace.started("test.Slow: Testing")
    second = workspace.run("apply", "--auto-approve")
    let_go()
    first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 6)
    assert "in use by `algosync apply`" in second.stderr


@pytest.mark.parametrize(
    ("point", "code"),
    [("record.before@algorithm.One", 4), ("record.before@source.One", 4), ("state.before@state", 1), ("journal.removed@state", 4)],
)
def test_a_run_stops_if_it_cannot_record(cluster: Cluster, workspace: Workspace, point: str, code: int) -> None:
    """The disk fails below the journal: nothing more is written to the cluster, and the next run continues correctly."""
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    environ = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": f"{point}:error"}
    with cluster.writes() as writes:
        output = workspace.apply(code=code, environ=environ)
    assert "Traceback" not in output
    assert "Error: " in output
    if point.startswith("record.before@algorithm"):
        assert writes.lines == ("POST /v1/algorithms/local",)
    workspace.apply()
    assert workspace.actions() == {}
