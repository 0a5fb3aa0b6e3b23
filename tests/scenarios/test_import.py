"""Import: what is at the destination already is recorded, and the next apply goes on from it."""

from harness import PLAIN, Cluster, Workspace


def lost(workspace: Workspace) -> None:
    """One algorithm with a data file is there, and the state is lost."""
    workspace.algorithm("One")
    uri = workspace.data("models", "a.bin", b"a" * 1000)
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": 1}])
    workspace.apply()
    next((workspace.folder / "state").glob("*.json")).unlink()


def test_what_is_there_is_imported_and_what_differs_is_told(cluster: Cluster, workspace: Workspace) -> None:
    lost(workspace)
    workspace.algorithm("One", PLAIN.replace("1", "2"))
    with cluster.writes() as writes:
        one = workspace.run("import", "algorithm.One", "source.One")
        rest = workspace.run("import", "--all", "workflow")
    assert (one.returncode, rest.returncode, one.stderr, rest.stderr) == (0, 0, "", "")
    assert writes.lines == ()
    assert "algorithm.One: imported\nsource.One: imported\n\nImport complete! Resources: 2 imported." in one.stdout
    assert "algorithm.One: is recorded already\n" in rest.stdout
    assert "Import complete! Resources: 2 imported, 2 recorded already. Nothing was changed" in rest.stdout
    assert "the next apply makes 2 changes.\n\n  ~ source.One will be updated in-place\n      ~ src/One.py   +1 -1\n" in rest.stdout
    assert workspace.run("drift").returncode == 0
    assert workspace.actions() == {"source.One": "update", "version.One": "update"}
    assert "Objects have changed outside" not in workspace.apply()
    assert workspace.actions() == {}


def test_a_refused_import_records_nothing(workspace: Workspace) -> None:
    lost(workspace)
    done = workspace.run("import", "algorithm.One", "source.Ona")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "Error: nothing in this workflow is called source.Ona\n  did you mean source.One?\n"
    missing = workspace.run("import")
    assert missing.returncode == 64
    assert "nothing is named to import" in missing.stderr
    both = workspace.run("import", "--all", "source.One", "--workflow", "workflow.json")
    assert both.returncode == 64
    assert set(workspace.actions().values()) == {"adopt"}
