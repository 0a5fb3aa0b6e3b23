"""Fixtures that every folder may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A destination of its own for one test."""
    with cluster_process(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, cluster: Cluster) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace(folder, cluster.environ())
