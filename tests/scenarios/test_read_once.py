"""What is read from the source once: counted by the source itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process
from world import put

FILES = {"small.bin": b"weights" * 100, "big.bin": bytes(range(256)) * 8192}  # in one piece, and in several


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Cluster]:
    with cluster_process(tmp_path / "source") as running:
        for name, content in FILES.items():
            put(running, "models", name, content)
        yield running


@pytest.fixture
def site(workspace: Workspace, source: Cluster, tmp_path: Path) -> Workspace:
    """Three algorithms have the same files. Each run has a cache of its own."""
    workspace.environ.update(source.environ("SOURCE"))
    workspace.environ["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    files = [f"data://.my/models/{name}" for name in FILES]
    for name in ("First", "Second", "Third"):
        workspace.algorithm(name)
    algorithms: list[dict[str, object]] = [
        {"name": name, "language": "python3", "data_files": files} for name in ("First", "Second", "Third")
    ]
    workspace.write(algorithms, source_info={"cluster_address": source.url})
    return workspace


def reads(source: Cluster) -> Counter[str]:
    paths = [str(request["path"]) for request in source.requests() if request["method"] == "GET"]
    return Counter(path.rpartition("/")[2] for path in paths if path.endswith(".bin"))


def stored(cluster: Cluster, algorithm: str) -> dict[str, bytes]:
    data, found = cluster.api().data, {}
    for name in FILES:
        with data.open(cluster.user, algorithm, name) as download:
            found[name] = b"".join(download.blocks)
    return found


def test_files_of_three_algorithms_are_read_once(site: Workspace, source: Cluster, cluster: Cluster, tmp_path: Path) -> None:
    site.apply("--target", "data.*")
    assert reads(source) == dict.fromkeys(FILES, 1)
    assert all(stored(cluster, name) == FILES for name in ("First", "Second", "Third"))
    assert list((tmp_path / "cache" / "algosync" / "runs").iterdir()) == []


def test_with_a_cache_another_run_reads_nothing(site: Workspace, source: Cluster, cluster: Cluster, tmp_path: Path) -> None:
    time.sleep(4.1)  # the stamp of a younger file is not trusted
    site.environ["ALGOSYNC_CACHE"] = "1"
    site.apply("--target", "data.*")
    with cluster_process(tmp_path / "second") as second:
        site.environ.update(second.environ())
        site.apply("--target", "data.*", "--state", "second")
        assert reads(source) == dict.fromkeys(FILES, 1)
        assert all(stored(second, name) == FILES for name in ("First", "Second", "Third"))
        for path in (tmp_path / "cache" / "algosync" / "blobs").glob("*[0-9a-f]"):
            if path.is_file():
                path.write_bytes(b"X" * path.stat().st_size)
        site.apply("--target", "data.*", "--state", "second", "--replace", "First")
        assert stored(second, "First") == FILES
    assert reads(source) == dict.fromkeys(FILES, 2)
