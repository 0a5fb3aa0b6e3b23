"""An apply died after it had overwritten a data file. Then its state moves; the next apply still finds the previous bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.clusters import OWNER
from troubles import Troubles
from workflow_world import SOURCE, World, stored

from algosync.cli.state.mv import moved_records
from algosync.core.planning.schedule import Verb
from algosync.core.report import Report
from algosync.state import Patience, journal_path, parse_address
from algosync.state.exchange import rename

ONE, TWO = b"one", b"two!"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("os.fsync", lambda _: None)
    world = World(tmp_path)
    world.add("A")
    world.use_file("A", "a.bin", ONE)
    world.apply()
    world.use_file("A", "a.bin", TWO)
    at = 0
    while stored(world.cluster.data, OWNER, "A")["a.bin"] == ONE:
        at += 1
        world.apply(Troubles("dies after", at))
    return world


def moved(world: World, old: str, new: str) -> None:
    """`algosync state mv`."""
    with world.session(Troubles(), exclusive=True) as session:
        found = moved_records(session.records, old, new)
        session.replace_records(found, found.values())
    world.seat.acknowledged.clear()


def puts_back(world: World, name: str) -> None:
    (note,) = [text for address, text in world.plan().notes() if (address.kind, address.algorithm) == ("data", name)]
    assert note.endswith("its previous bytes are put back before anything else")
    ended = world.apply()
    assert isinstance(ended, Report)
    assert ended.exit_code == 0, ended.failed
    (told,) = [done.detail for done in ended.done if done.step.verb is Verb.RECOVER]
    assert told.startswith("put back; ")
    world.check_converged()
    assert world.plan().visible == ()
    assert list((world.machine / "kept").glob("*/*/*")) == []


def test_after_state_mv_and_back(world: World) -> None:
    moved(world, "A", "B")
    moved(world, "B", "A")
    puts_back(world, "A")


def test_after_state_mv_to_an_algorithm_that_was_made_by_hand(world: World) -> None:
    (file,) = world.specs.pop("A").data_files
    world.algorithms.create(OWNER, "B", {"label": "B"}, {"network_access": "full"})
    world.cluster.data.write(OWNER, "B", "a.bin", TWO)
    world.cluster.data.readers[OWNER, "B"] = ("algo://.my/*",)
    moved(world, "A", "B")
    world.add("B")
    world.store.write(SOURCE, "B", "a.bin", b"three")
    world.specs["B"] = replace(world.specs["B"], data_files=(replace(file, source="data://.my/B/a.bin"),))
    puts_back(world, "B")
    assert stored(world.cluster.data, OWNER, "A")["a.bin"] == TWO, "nothing is recorded of it any more"


def test_after_state_rename(world: World) -> None:
    create = parse_address(str(world.machine / "state"))
    old, new = (create(name, "algosync state rename") for name in (world.seat.name, "other.json"))
    home = world.folder / "journals"
    rename((old, journal_path(old, home)), (new, journal_path(new, home)), Patience())
    world.seat.name = "other.json"
    puts_back(world, "A")
