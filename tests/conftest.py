"""Fixtures for all folders."""

import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import alone
import pytest
from harness import Cluster, Workspace, cluster_process

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell makes background processes ignore SIGINT, and all processes that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A destination cluster for one test."""
    with cluster_process(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, cluster: Cluster) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace(folder, cluster.environ())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    # In the worker only: the processes that a test starts belong to that test's slot.
    worker = getattr(item.config, "workerinput", None)
    if worker is None:
        return (yield)
    with alone.turn(worker["testrunuid"], alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    # Workers end before the process that started them. They are found by this plugin.
    if (session := config.pluginmanager.get_plugin("dsession")) is not None:
        alone.forget(session.nodemanager.testrunuid)
