"""Fixtures for all folders."""

import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import alone
import hypothesis
import pytest
from harness import Cluster, Workspace, cluster_process

EXTENDED = (
    "attacks/test_answers_fuzz.py",
    "attacks/test_git_answers_fuzz.py",
    "attacks/test_sink_cluster.py",
    "attacks/test_workflow_fuzz.py",
    "cli/test_doctor.py",
    "conformance/",
    "emulator/test_build_jail.py",
    "emulator/test_fan_out.py",
    "emulator/test_git_clients.py",
    "emulator/test_interpreters.py",
    "emulator/test_jail.py",
    "emulator/test_mutated_requests.py",
    "emulator/test_page_browser.py",
    "emulator/test_survival.py",
    "faults/",
    "inputs/",
    "mutants/test_wrong_versions_on_a_cluster.py",
    "perf/",
    "planted/",
    "scenarios/test_apply_saved_plan.py",
    "scenarios/test_cluster_failures.py",
    "scenarios/test_compare.py",
    "scenarios/test_crash.py",
    "scenarios/test_dask_executor.py",
    "scenarios/test_data_release.py",
    "scenarios/test_drift.py",
    "scenarios/test_early_days.py",
    "scenarios/test_import.py",
    "scenarios/test_model_release.py",
    "scenarios/test_moved_during_apply.py",
    "scenarios/test_one_plan.py",
    "scenarios/test_plan_shows.py",
    "scenarios/test_random_changes.py",
    "scenarios/test_release_failures.py",
    "scenarios/test_remote_state.py",
    "scenarios/test_rollback.py",
    "scenarios/test_signals.py",
    "scenarios/test_state_commands.py",
    "scenarios/test_summary_file.py",
    "scenarios/test_swapped_labels.py",
    "scenarios/test_world_failures.py",
    "scenarios/test_world_proxy.py",
    "secrets/test_canaries.py",
    "sources/archive/test_mutations.py",
    "sources/archive/test_packers.py",
    "state/test_state_crashes.py",
)
"""Files and folders of extended tests. Single tests have the marker `extended` or `needs`."""

PLACES = ":".join(
    (os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
)
"""Where programs may be: servers of Debian's packages are outside the usual PATH."""

# A limit in seconds for one example would fail on a busy machine.
hypothesis.settings.register_profile("algosync", deadline=None)
hypothesis.settings.load_profile("algosync")

# Tests start many processes. Each of them would compile every module that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

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
    """Mark the extended tests before pytest selects tests by their markers."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).as_posix().startswith(EXTENDED):
            item.add_marker("extended")
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
