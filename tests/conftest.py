"""Fixtures that every folder may use."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell gives that to what it starts in the background, and so it would be in everything that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
