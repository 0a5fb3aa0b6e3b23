"""Another user changes the cluster at the same time: algosync neither overwrites nor publishes changes since the plan."""

import time

import pytest
from harness import Cluster, Workspace

from algosync.cli.clusters import git_host
from algosync.cli.options import ClusterOptions
from algosync.cluster.address import parse
from algosync.cluster.connection import connect
from algosync.core.credential import credential
from algosync.net import Net


def test_a_push_during_the_test_is_not_published(cluster: Cluster, workspace: Workspace) -> None:
    let_go = workspace.waiting_algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 4}])
    process = workspace.started("test.One: Testing")
    cluster.push_behind("One", "src/One.py", b"def apply(input):\n    return 'hijacked'\n")
    let_go()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "somebody pushed since" in errors
    assert cluster.api().algorithms.published("local", "One") is None
    workspace.apply()
    assert workspace.actions() == {}


def test_two_files_of_one_size_and_second_are_two_files(cluster: Cluster, workspace: Workspace) -> None:
    """The source is a cluster, whose stamps are only a size and a time in seconds."""
    api = cluster.api()
    api.data.create_collection("local", "models")
    while True:
        for name, content in (("v1.bin", b"1" * 100), ("v2.bin", b"2" * 100)):
            api.data.put("local", "models", name, [content], 100)
        page = api.wire.json("GET", "/v1/data/local/models").body
        assert isinstance(page, dict)
        if len({entry["last_modified"] for entry in page["files"]}) == 1:
            break
    time.sleep(2.1)  # until the stamps of the source are trusted
    workspace.environ |= {"SOURCE_API_KEY": cluster.key, "ALGOSYNC_ALLOW": "same-cluster"}
    workspace.algorithm("One")

    def write(name: str) -> None:
        files = [{"source": f"data://.my/models/{name}", "name": "model.bin"}]
        source = {"cluster_address": cluster.url}
        workspace.write([{"name": "One", "language": "python3", "data_files": files}], source_info=source)

    write("v1.bin")
    workspace.apply()
    assert workspace.actions() == {}
    write("v2.bin")
    assert workspace.actions() == {'data.One["model.bin"]': "update", "version.One": "update"}
    workspace.apply()
    with api.data.open("local", "One", "model.bin") as download:
        assert b"".join(download.blocks) == b"2" * 100


@pytest.mark.parametrize(
    ("flag", "named", "used"),
    [
        ("", "https://api.x.com", True),
        ("https://api.x.com", "https://api.x.com", True),
        ("https://api.y.com", "https://api.x.com", False),
    ],
)
def test_a_git_address_belongs_to_the_cluster_that_the_environment_names(flag: str, named: str, used: bool) -> None:
    environ = {"DESTINATION_API_ADDRESS": named, "DESTINATION_GIT_ADDRESS": "https://code.x.com"}
    url = flag or named
    cluster = connect(
        parse(url, "test"),
        credential("simkey", "test"),
        Net(),
    )
    given = git_host(ClusterOptions(destination=flag, environ=environ), url, cluster).url
    assert (given == "https://code.x.com") == used


def test_a_git_address_is_never_used_for_a_local_cluster() -> None:
    environ = {"DESTINATION_API_ADDRESS": "local", "DESTINATION_GIT_ADDRESS": "https://code.x.com"}
    cluster = connect(
        parse("http://127.0.0.1:9", "test"),
        credential("simkey", "test"),
        Net(),
    )
    assert git_host(ClusterOptions(environ=environ), "local", cluster).url == "http://127.0.0.1:9"
