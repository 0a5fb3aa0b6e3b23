"""`kill -9` of apply before and after every remote write and every record: the same command then converges.

For each source digest there is one build and one version. Recorded objects are never sent again.
"""

import json
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process

FILES = {"a.bin": b"a" * 300_000, "b.bin": b"b" * 10, "empty.bin": b""}
FIRST = [
    "create.before@algorithm.One",
    "create.after@algorithm.One",
    "record.before@algorithm.One",
    "record.after@algorithm.One",
    'collection.before@data.One["*"]',
    'collection.after@data.One["*"]',
    'upload.before@data.One["a.bin"]',
    'upload.after@data.One["a.bin"]',
    'record.before@data.One["a.bin"]',
    'record.after@data.One["a.bin"]',
    'upload.after@data.One["b.bin"]',
    'record.after@data.One["b.bin"]',
    'upload.after@data.One["empty.bin"]',
    'record.after@data.One["empty.bin"]',
    "push.before@source.One",
    "push.after@source.One",
    "record.before@source.One",
    "record.after@source.One",
    "publish.before@version.One",
    "publish.after@version.One",
    "record.before@version.One",
    "record.after@version.One",
    "create.after@algorithm.Two",
    "push.after@source.Two",
    "publish.after@version.Two",
    "state.before@state",
    "state.after_write@state",
    "state.after@state",
    "journal.removed@state",
]
# A second apply, of a change that needs an empty commit because its settings take effect with the next publish.
SECOND = [
    "configure.before@algorithm.One",
    "configure.after@algorithm.One",
    "push.before@source.One",
    "push.after@source.One",
    "record.after@source.One",
    "publish.before@version.One",
    "publish.after@version.One",
]


def write_workflow(workspace: Workspace, **settings: str) -> None:
    uris = [workspace.data("models", name, content) for name, content in FILES.items()]
    workspace.write(
        [
            {"name": "One", "language": "python3", "data_files": uris, "test_payload": 1, "settings": settings},
            {"name": "Two", "language": "python3", "test_payload": 2},
        ]
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> object:
    with cluster_process(tmp_path_factory.mktemp("shared") / "cluster") as cluster:
        yield cluster


@pytest.fixture
def fresh(running: Cluster, tmp_path: Path) -> Workspace:
    """A workspace on the module's cluster, which is emptied first. Starting a cluster for each point would take too long."""
    api = running.api()
    for name in ("One", "Two"):
        for path in (f"/v1/algorithms/local/{name}", f"/v1/data/local/{name}?force=true"):
            delete_if_there(api.wire, path)
    workspace = Workspace(tmp_path, running.environ())
    workspace.algorithm("One")
    workspace.algorithm("Two")
    write_workflow(workspace)
    return workspace


def delete_if_there(wire: object, path: str) -> None:
    from algosync.cluster.wire import Wire
    from algosync.core.error import NotFound

    assert isinstance(wire, Wire)
    try:
        wire.json("DELETE", path)
    except NotFound:
        return


def kill_at(workspace: Workspace, point: str) -> None:
    """Kill an apply at this point. `*` stands for the first data file."""
    points = [point.replace("*", name) for name in FILES] if "*" in point else [point]
    environ = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": ";".join(f"{p}:kill" for p in points)}
    done = workspace.run("apply", "--auto-approve", "--parallelism", "2", environ=environ)
    assert done.returncode == -9, f"{point} was not reached\n{done.stdout}\n{done.stderr}"


def recorded_files(workspace: Workspace) -> set[str]:
    """The data files that the next run finds in the journal or the state."""
    from algosync.state import open_session

    folder = workspace.folder / "state"
    name = next((path.name.removesuffix(".journal") for path in folder.glob("*.journal")), None)
    name = name or next((path.name for path in folder.glob("*.json")), None)
    if name is None:
        return set()
    with open_session(str(folder), name, exclusive=False) as session:
        return {str(a.name) for a in session.records if a.kind == "data"}


def check(cluster: Cluster, versions: int, more_builds: int) -> None:
    """The cluster has exactly the desired objects, with one build and one version for each source and settings.

    `more_builds`: how many additional builds an algorithm may have.
    """
    api = cluster.api()
    for name, count in (("One", versions), ("Two", 1)):
        for listing, most in (("builds", count + more_builds), ("versions?published=true", count)):
            body = api.wire.json("GET", f"/v1/algorithms/local/{name}/{listing}").body
            assert isinstance(body, dict)
            assert count <= len(body["results"]) <= most, (name, listing, json.dumps(body))
    for name, content in FILES.items():
        with api.data.open("local", "One", name) as download:
            assert b"".join(download.blocks) == content


def converges(cluster: Cluster, workspace: Workspace, versions: int, more_builds: int = 0) -> None:
    recorded = recorded_files(workspace)
    with cluster.writes() as writes:
        workspace.apply()
    sent = {line.rpartition("/")[2] for line in writes.lines if line.startswith("PUT /v1/data/")}
    assert sent & recorded == set()
    check(cluster, versions, more_builds)
    assert workspace.actions() == {}
    with cluster.writes() as writes:
        workspace.apply()
    assert writes.lines == ()


def is_unrecorded_push(point: str) -> bool:
    """Whether a commit may be pushed and not recorded. Somebody may have called it, so another one is tested and published."""
    return point.startswith(("push.after@", "record.before@source"))


@pytest.mark.parametrize("point", FIRST)
def test_the_first_apply_killed(running: Cluster, fresh: Workspace, point: str) -> None:
    kill_at(fresh, point)
    converges(running, fresh, versions=1, more_builds=is_unrecorded_push(point))


@pytest.mark.parametrize("point", SECOND)
def test_a_change_of_settings_killed(running: Cluster, fresh: Workspace, point: str) -> None:
    fresh.apply()
    write_workflow(fresh, network_access="isolated")
    kill_at(fresh, point)
    converges(running, fresh, versions=2, more_builds=is_unrecorded_push(point))


def test_the_points_are_complete(running: Cluster, fresh: Workspace) -> None:
    """The points above include every kind of point of a complete run."""
    log = fresh.folder / "points"
    environ = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT_LOG": str(log)}
    fresh.apply(environ=environ)
    write_workflow(fresh, network_access="isolated")
    fresh.apply(environ=environ)
    passed = {place_of(line) for line in log.read_text().splitlines()}
    covered = {place_of(point) for point in (*FIRST, *SECOND)}
    assert passed - covered == set()


def place_of(point: str) -> str:
    """The action and the kind of its object: `upload.after@data`."""
    return point.partition(".")[0] + "." + point.partition(".")[2].partition(".")[0]
