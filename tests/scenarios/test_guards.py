"""Workflows that a plan refuses, and values that it hides, before anything is written."""

from harness import Cluster, Workspace

KEY = "simKEYKEYKEYKEYKEYKEYKEYKEY1"


def test_a_key_is_sent_to_the_named_cluster_only(workspace: Workspace) -> None:
    workspace.algorithm("One")
    algorithm: dict[str, object] = {"name": "One", "language": "python3", "data_files": ["data://.my/models/a.bin"]}
    workspace.write([algorithm], source_info={"cluster_address": "http://127.0.0.1:9"})
    done = workspace.run("plan", environ={"SOURCE_API_KEY": KEY, "SOURCE_API_ADDRESS": "https://api.example.com"})
    assert done.returncode == 64
    assert "the workflow's source is http://127.0.0.1:9, but SOURCE_API_ADDRESS names another cluster" in done.stderr


def test_a_file_missing_at_the_source_is_reported_with_its_owner(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.data("models", "a.bin", b"a")
    workspace.write([{"name": "One", "language": "python3", "data_files": ["data://.my/models/b.bin"]}])
    done = workspace.run("plan")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Error: One: the source has no data://.my/models/b.bin (line 10 of the workflow)",
        "  did you mean data://.my/models/a.bin? the source is file://source, where `.my` is quality",
    ]


def test_a_key_in_the_source_is_not_pushed(workspace: Workspace, cluster: Cluster) -> None:
    workspace.algorithm("One", f"KEY = '{cluster.key}'\n\n\ndef apply(input):\n    return input\n")
    workspace.write([{"name": "One", "language": "python3"}])
    with cluster.writes() as writes:
        output = workspace.apply(code=1)
    assert "Error: One: src/One.py holds an API key" in output
    assert cluster.key not in output
    assert writes.lines == ()


def test_a_source_without_its_main_module_is_refused(workspace: Workspace) -> None:
    workspace.algorithm("Other")
    workspace.write([{"name": "One", "language": "python3", "code_path": "file://algorithms/Other"}])
    done = workspace.run("plan")
    assert done.returncode == 1
    assert "Error: One: there is no src/One.py, which the platform starts; there is src/Other.py" in done.stderr


def test_an_earlier_sensitive_value_is_hidden_too(workspace: Workspace) -> None:
    workspace.algorithm("One")
    algorithm = "{name: One, language: python3, details: {summary: 'is {{ token }}'}}"
    (workspace.folder / "w.yaml.j2").write_text(f"variables:\n  token: {{sensitive: true}}\nalgorithms:\n  - {algorithm}\n")
    workspace.apply("w.yaml.j2", "--var", "token=hunter2hunter2")
    for arguments in (["plan", "w.yaml.j2"], ["plan", "w.yaml.j2", "--json"], ["apply", "w.yaml.j2", "--auto-approve"]):
        done = workspace.run(*arguments, "--var", "token=newtokennew")
        assert done.returncode == 0
        assert "hunter2" not in done.stdout + done.stderr
        assert "newtoken" not in done.stdout + done.stderr
        assert "summary" in done.stdout
