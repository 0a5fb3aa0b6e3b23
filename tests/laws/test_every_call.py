"""Every call of an apply in turn fails, or is the last one before the process dies. The next apply gets there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from state_places import FolderStates, ServerStates, StatePlace
from states_server import TerraformServer, terraform_server
from troubles import FAULTS, Troubles
from workflow_world import World

from algosync.core.report import Report

CHANGES: dict[str, Callable[[World], None]] = {
    "source": lambda world: world.write_code("A", "return None"),
    "data": lambda world: world.use_file("A", "a.bin", b"two"),
    "new algorithm": lambda world: world.add("B"),
}


@pytest.fixture
def undurable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)


def released(folder: Path, states: StatePlace) -> World:
    folder.mkdir()
    world = World(folder, states=states)
    world.add("A")
    world.use_file("A", "a.bin", b"one")
    assert isinstance(world.apply(), Report)
    return world


def trouble_at_every_call(
    folder: Path, change: Callable[[World], None], fault: str, states: Callable[[], StatePlace] = FolderStates
) -> int:
    """Returns the number of calls. `states`: makes the place of the states of one world."""
    number = 0
    while True:
        number += 1
        world = released(folder / str(number), states())
        before = world.releases()
        change(world)
        troubles = Troubles(fault, number)
        world.apply(troubles)
        if troubles.count < number:
            return number - 1
        ended = world.apply()
        assert isinstance(ended, Report), f"call {number}: {ended}"
        assert ended.exit_code == 0, f"call {number}: {ended.failed}"
        world.check_converged()
        assert world.plan().visible == (), f"call {number}"
        for name, (builds, versions) in world.releases().items():
            old_builds, old_versions = before.get(name, (0, 0))
            assert versions - old_versions == (name == "B" or len(world.specs) == 1), f"call {number}"
            assert builds - old_builds <= 2, f"call {number}"  # an unrecorded push costs another build


@pytest.mark.usefixtures("undurable")
@pytest.mark.parametrize("fault", ["dies after", "lost"])
def test_each_call_of_a_release(tmp_path: Path, fault: str) -> None:
    assert trouble_at_every_call(tmp_path, CHANGES["data"], fault) > 10


@pytest.mark.usefixtures("undurable")
@pytest.mark.parametrize("keeps_machine", [True, False])
def test_each_call_of_a_release_with_its_state_on_a_server(tmp_path: Path, keeps_machine: bool) -> None:
    """The process dies there. Its journal is there afterwards, or the machine was thrown away with it."""
    server: TerraformServer
    with terraform_server() as server:

        def states() -> StatePlace:
            return ServerStates(server, keeps_machine)

        assert trouble_at_every_call(tmp_path, CHANGES["data"], "dies after", states) > 10


@pytest.mark.extended
@pytest.mark.usefixtures("undurable")
@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("fault", ["dies before", "dies after", *FAULTS])
def test_each_call_of_each_change(tmp_path: Path, what: str, fault: str) -> None:
    assert trouble_at_every_call(tmp_path, CHANGES[what], fault) > 10
