"""The main job: create, build, test and publish algorithms, after which a plan is empty."""

import json

from harness import Cluster, Workspace

SHOUT = """
import Algorithmia

client = Algorithmia.client()


def apply(input):
    words = client.file("data://<user>/Shout/words.txt").getString().split()
    return [word.upper() for word in words if word in input]
"""
ORCHESTRATE = """
import Algorithmia


def apply(input):
    answer = Algorithmia.client().algo("<user>/Shout/latestPrivate").pipe(input).result
    if answer != ["HELLO"]:
        raise AssertionError("Shout said %r" % (answer,))
    return answer
"""
CLIENT = "algorithmia>=1.0.0,<2.0\nsix\n"


def two_algorithms(workspace: Workspace) -> None:
    workspace.algorithm("Shout", SHOUT, CLIENT)
    workspace.algorithm("Orchestrate", ORCHESTRATE, CLIENT)
    words = workspace.data("models", "words.txt", b"hello goodbye")
    workspace.write(
        [
            {"name": "Shout", "language": "python3", "data_files": [words], "test_payload": "hello world"},
            {"name": "Orchestrate", "language": "python3", "test_payload": "hello <algo>", "depends_on": ["Shout"]},
        ],
        test_info={"entrypoint": "Orchestrate", "tests": [{"name": "greets", "payload": "hello", "timeout": 60}]},
    )


def test_the_main_job_and_an_empty_plan_after_it(cluster: Cluster, workspace: Workspace) -> None:
    workspace.interpreter = True  # as users run it
    two_algorithms(workspace)
    with cluster.writes() as first:
        output = workspace.apply()
    assert "Plan: 7 to add, 0 to change, 0 to destroy." in output
    assert "Apply complete! Resources: 7 added, 0 changed, 0 destroyed." in output
    assert sorted(first.lines) == sorted(
        [
            "POST /v1/algorithms/local",
            "POST /v1/algorithms/local",
            "POST /v1/data/local",
            "PUT /v1/data/local/Shout/words.txt",
            *(
                f"{method} /git/local/{name}.git/{service}"
                for name in ("Shout", "Orchestrate")
                for method, service in (("GET", "info/refs?service=git-receive-pack"), ("POST", "git-receive-pack"))
            ),
            "POST /v1/algorithms/local/Shout/versions",
            "POST /v1/algorithms/local/Orchestrate/versions",
        ]
    )
    with cluster.writes() as second:
        output = workspace.apply()
    assert "No changes. Your destination matches the workflow.\nTests: 2 algorithm payloads, 1 workflow test." in output
    assert second.lines == ()
    calls = [r["path"] for r in cluster.requests() if str(r["path"]).startswith("/v1/algo/local/") and r["caller"] == "local"]
    tests = [str(path).partition("?")[0] for path in calls if "timeout=" in str(path)]
    assert tests[-3:] == ["/v1/algo/local/Shout/0.1.0", "/v1/algo/local/Orchestrate/0.1.0", "/v1/algo/local/Orchestrate/0.1.0"]


def test_the_payload_is_called_by_commit_hash_before_publishing(cluster: Cluster, workspace: Workspace) -> None:
    two_algorithms(workspace)
    workspace.apply()
    head = cluster.repository("Shout").head()
    posted = [str(r["path"]).partition("?")[0] for r in cluster.requests() if r["method"] == "POST"]
    assert posted.index(f"/v1/algo/local/Shout/{head}") < posted.index("/v1/algorithms/local/Shout/versions")


def test_timeouts_are_passed_to_the_cluster(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("Slow", "import time\n\n\ndef apply(input):\n    time.sleep(input)\n    return input\n")
    tests = [{"name": "too slow", "payload": 30, "timeout": 1}]
    workspace.write([{"name": "Slow", "language": "python3", "test_payload": 0}], test_info={"entrypoint": "Slow", "tests": tests})
    output = workspace.apply(code=3)
    assert "timed out after 1 second" in output
    assert cluster.api().algorithms.published("local", "Slow") is None


def test_plans_are_identical_byte_for_byte(workspace: Workspace) -> None:
    two_algorithms(workspace)
    documents = [workspace.plan() for _ in range(2)]
    for document in documents:
        document.pop("meta")
    assert json.dumps(documents[0]) == json.dumps(documents[1])


def test_the_exit_code_of_plan_says_whether_there_are_changes(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    assert workspace.run("plan").returncode == 0
    assert workspace.run("plan", "--detailed-exitcode").returncode == 2
    workspace.apply()
    assert workspace.run("plan", "--detailed-exitcode").returncode == 0


def test_without_approval_nothing_happens(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    with cluster.writes() as writes:
        done = workspace.run("apply", "--no-input")
    assert (done.returncode, writes.lines) == (1, ())
    assert "approval is required" in done.stderr


def test_test_calls_everything_and_writes_nothing(cluster: Cluster, workspace: Workspace) -> None:
    two_algorithms(workspace)
    workspace.apply()
    with cluster.writes() as writes:
        done = workspace.run("test")
    assert (done.returncode, writes.lines) == (0, ())
    assert done.stdout.count("passed") == 3


def test_run_only_tests_existing_algorithms(cluster: Cluster, workspace: Workspace) -> None:
    two_algorithms(workspace)
    document = json.loads((workspace.folder / "workflow.json").read_text())
    (workspace.folder / "workflow.json").write_text(json.dumps({**document, "run_only": True}))
    output = workspace.apply(code=1)
    assert "Error: Shout is not at the destination" in output
    assert "Error: Orchestrate is not at the destination" in output
    (workspace.folder / "workflow.json").write_text(json.dumps(document))
    workspace.apply()
    (workspace.folder / "workflow.json").write_text(json.dumps({**document, "run_only": True}))
    with cluster.writes() as writes:
        workspace.apply()
    assert writes.lines == ()


def test_a_target_without_its_version_is_applied_without_tests(cluster: Cluster, workspace: Workspace) -> None:
    two_algorithms(workspace)
    with cluster.writes() as writes:
        workspace.apply("--target", "algorithm.Shout")
    assert writes.lines == ("POST /v1/algorithms/local",)
    workspace.apply()
    assert workspace.actions() == {}


def test_an_unknown_target_is_a_usage_error(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    done = workspace.run("plan", "--target", "Nope")
    assert (done.returncode, done.stderr) == (64, "Error: nothing in this workflow is called Nope\n")
