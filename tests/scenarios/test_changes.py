"""Minimal changes: algosync does what one edit needs, and nothing else."""

import pytest
from harness import PLAIN, Cluster, Workspace


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    """One algorithm with two data files, applied once."""
    workspace.algorithm("One")
    workspace.algorithm("Two")
    files = [workspace.data("models", "a.bin", b"a" * 1000), workspace.data("models", "b.bin", b"b" * 1000)]
    workspace.write(
        [
            {"name": "One", "language": "python3", "data_files": files, "test_payload": {"n": 1}},
            {"name": "Two", "language": "python3", "test_payload": 2},
        ]
    )
    workspace.apply()
    return workspace


def test_a_changed_line_needs_one_push_one_build_and_one_publish(cluster: Cluster, applied: Workspace) -> None:
    applied.algorithm("One", PLAIN.replace("1", "2"))
    done = applied.run("plan")
    assert "~ source.One\n      ~ src/One.py   +1 -1\n" in done.stdout
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in done.stdout
    builds = len(list((cluster.root / "builds").iterdir()))
    with cluster.writes() as writes:
        applied.apply()
    assert sorted(writes.lines) == [
        "GET /git/local/One.git/info/refs?service=git-receive-pack",
        "POST /git/local/One.git/git-receive-pack",
        "POST /v1/algorithms/local/One/versions",
    ]
    version = cluster.api().algorithms.published("local", "One")
    assert version is not None
    assert version.number == "0.2.0"
    assert builds_of(cluster, "One") == 2
    assert builds_of(cluster, "Two") == 1
    assert builds > 0
    assert applied.actions() == {}


def builds_of(cluster: Cluster, name: str) -> int:
    body = cluster.api().wire.json("GET", f"/v1/algorithms/local/{name}/builds").body
    assert isinstance(body, dict)
    return len(body["results"])


def test_a_changed_byte_needs_one_upload_and_a_version_that_loads_it(cluster: Cluster, applied: Workspace) -> None:
    applied.data("models", "a.bin", b"a" * 999 + b"A")
    with cluster.writes() as writes:
        output = applied.apply()
    assert [line for line in writes.lines if line.startswith("PUT")] == ["PUT /v1/data/local/One/a.bin"]
    assert (writes.count("POST", "git-receive-pack"), writes.count("POST", "/versions"), len(writes.lines)) == (1, 1, 4)
    assert "Plan: 0 to add, 2 to change, 0 to destroy.\nData: 1 file, 1.0 kB to upload (1.0 kB already there)." in output
    assert "version.One: Published 0.2.0" in output
    with cluster.api().data.open("local", "One", "a.bin") as download:
        assert b"".join(download.blocks) == b"a" * 999 + b"A"


def test_an_unchanged_file_is_not_read_again(cluster: Cluster, applied: Workspace) -> None:
    """Both stamps are trusted: the destination's since its verification, the source's because enough time has passed."""
    applied.settle_source()
    applied.apply()
    before = len(cluster.requests())
    applied.apply()
    paths = [str(r["path"]) for r in cluster.requests()[before:]]
    assert [path for path in paths if path.endswith(".bin")] == []


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({"details": {"label": "A better one"}}, ["PUT /v1/algorithms/local/One"]),
        (
            {"settings": {"network_access": "isolated"}},
            [
                "GET /git/local/One.git/info/refs?service=git-receive-pack",
                "POST /git/local/One.git/git-receive-pack",
                "POST /v1/algorithms/local/One/versions",
                "PUT /v1/algorithms/local/One",
            ],
        ),
    ],
)
def test_settings_that_need_a_publish_cause_one(
    cluster: Cluster, workspace: Workspace, change: dict[str, object], writes: list[str]
) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    workspace.apply()
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1, **change}])
    with cluster.writes() as seen:
        workspace.apply()
    assert sorted(seen.lines) == writes
    assert workspace.actions() == {}


def test_existing_objects_are_adopted_without_a_write(cluster: Cluster, applied: Workspace) -> None:
    state = next(path for path in (applied.folder / "state").iterdir() if path.suffix == ".json")
    state.unlink()
    assert set(applied.actions().values()) == {"adopt"}
    with cluster.writes() as writes:
        output = applied.apply()
    assert writes.lines == ()
    assert "8 to adopt" in output
    assert applied.actions() == {}


def test_an_archive_on_the_source_is_the_same_source(cluster: Cluster, workspace: Workspace) -> None:
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in {"src/__init__.py": b"", "src/One.py": PLAIN.encode(), "requirements.txt": b""}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    code = workspace.data("code", "One.tar.gz", buffer.getvalue())
    workspace.write([{"name": "One", "language": "python3", "code_path": code, "test_payload": 1}])
    workspace.apply()
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1}])
    assert workspace.actions() == {}
