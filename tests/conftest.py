"""Fixtures for all folders."""

import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import alone
import pytest
from harness import Cluster, Workspace, cluster_process

PLACES = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"
"""Where programs may be: servers of Debian's packages are outside the usual PATH."""

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Apply the marker `needs` before pytest selects tests by their markers."""
    for item in items:
        programs = [program for marker in item.iter_markers("needs") for program in marker.args]
        if programs:
            item.add_marker("extended")
            missing = [program for program in programs if shutil.which(program, path=PLACES) is None]
            item.add_marker(pytest.mark.skipif(bool(missing), reason=f"this machine has no {', '.join(missing)}"))


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
