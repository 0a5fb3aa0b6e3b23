"""Laws of worlds where others work at the same time, clocks jump, and keys are replaced.

- A second apply on the same state is refused and changes nothing. Readers see every acknowledged record.
- Of two applies on two states, each notices what the other one changed: no record tells another content than the destination has
  under its stamp. The next applies of both get there.
- Clocks of this machine and of the servers may jump: every law holds.
- A new key of the same owner changes no plan. With the key of another owner it is another state, and nothing of the first one is
  touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fakes.clusters import OWNER
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from test_laws_of_worlds import CONTENTS, EDITS, FILES, LINES, NAMES, Worlds, run
from troubles import Troubles
from workflow_world import SOURCE, Seat, World

from algosync.core.error import LockHeld
from algosync.core.report import Report
from algosync.core.secret import Secret
from algosync.core.workflow import DataFile

EDITS_OF_CONTENT = st.one_of(
    st.tuples(st.just("replace_file"), NAMES, FILES, CONTENTS),
    st.tuples(st.just("write_code"), NAMES, LINES),
)
"""Edits that leave the same resources to be managed."""
JUMPS = st.sampled_from([-40 * 365 * 86400.0, -86400.0, -3.0, 3.0, 86400.0, 40 * 365 * 86400.0])
APARTS = st.sampled_from([-86400.0, -3.0, -1.0, -0.5, 0.0, 0.1, 0.5, 0.9, 2.0, 3.0, 3600.0])
MACHINES = st.sampled_from([(0.0,), (0.0, 0.09), (0.05, 0.0, -0.04)])
PACES = st.sampled_from([0.01, 0.1, 0.4, 0.9])
CALLS = st.integers(1, 40)


class Neighbours(Worlds):
    """`other` is a second machine with a state of its own on the same destination."""

    def __init__(self) -> None:
        super().__init__()
        self.first_seat = self.world.seat
        self.other = Seat(self.folder / "other")
        self.keys = 0

    def replace_file(self, name: str, file: str, content: bytes) -> None:
        if name in self.world.specs and any(each.name == file for each in self.world.specs[name].data_files):
            self.use_file(name, file, content)

    @rule(at=CALLS, changes=st.lists(EDITS, min_size=1, max_size=3))
    def apply_twice_on_one_state(self, at: int, changes: list[tuple[object, ...]]) -> None:
        """The second one begins before a call of the first one."""
        self.edit(changes)

        def second() -> None:
            there = self.world.algorithms.everything(), repr(self.world.cluster.data._collections)
            assert isinstance(self.world.apply(), LockHeld)
            assert there == (self.world.algorithms.everything(), repr(self.world.cluster.data._collections))
            self.world.plan()

        self.apply_well(Troubles("meanwhile", at, meanwhile=second))

    @rule(at=CALLS, changes=st.lists(EDITS, min_size=1, max_size=3), edits=st.lists(EDITS_OF_CONTENT, max_size=2))
    def apply_on_two_states(self, at: int, changes: list[tuple[object, ...]], edits: list[tuple[object, ...]]) -> None:
        """The second one begins before a call of the first one, and may have newer sources."""
        self.edit(changes)
        two_applies(self.world, self.other, at, lambda: self.edit(edits))
        self.edited()

    @rule(local=JUMPS, apart=APARTS, machines=MACHINES, pace=PACES)
    def clocks_jump(self, local: float, apart: float, machines: tuple[float, ...], pace: float) -> None:
        clocks = self.world.clocks
        clocks.local = max(clocks.local + local, 0.0)
        clocks.apart, clocks.machines, clocks.pace = apart, machines, pace

    @rule()
    def replace_the_key(self) -> None:
        """The plan is the same. Records may be refreshed, as a listing may have other stamps than the one before."""
        before = [(change.address, change.action) for change in self.world.plan().visible]
        self.keys += 1
        self.world.seat.key = Secret(f"simNEW{self.keys}")
        assert before == [(change.address, change.action) for change in self.world.plan().visible]

    @precondition(lambda self: self.world.specs)
    @rule()
    def apply_with_the_key_of_another_owner(self) -> None:
        """What the first owner has is compared by `World.apply`."""
        serial = self.world.seat.serial
        with self.world.seated(Seat(self.first_seat.machine, owner="jim")):
            succeeds(self.world)
            self.world.check_converged()
            self.world.check_nothing_planned()
        assert self.world.seat.owner == OWNER
        self.world.check_state()
        assert self.world.seat.serial == serial


def succeeds(world: World) -> None:
    ended = world.apply()
    assert isinstance(ended, Report), ended
    assert ended.exit_code == 0, [(str(each.step.key), each.error) for each in ended.failed]


def two_applies(world: World, other: Seat, at: int, edit: Callable[[], None]) -> int:
    """An apply, and another one on another state before its call of the number `at`. `edit` is done before that one.

    Returns the number of calls of the first one.
    """
    seats = (other, world.seat)

    def second() -> None:
        specs = dict(world.specs)
        with world.seated(other):
            edit()
            succeeds(world)  # without records, it adopts what the first one has written, and leaves the version to it
        world.specs = specs

    world.algorithms.alone = False
    troubles = Troubles("meanwhile", at, meanwhile=second)
    world.apply(troubles)
    assert not world.data.overwritten_unseen(world.seat.machine)
    world.algorithms.loaded.clear()  # each state knows only its own calls
    world.algorithms.alone = True
    for check in (World.check_truth, succeeds, World.check_converged, World.check_nothing_planned):
        for seat in seats:
            with world.seated(seat):
                check(world)
    return troubles.count


def of_another_source(world: World, file: str) -> None:
    """Two workflows have different content for the same file."""
    world.store.write(SOURCE, "Other", file, b"six")
    spec = world.specs["A"]
    files = {each.name: each for each in spec.data_files} | {file: DataFile(f"data://.my/Other/{file}", file)}
    world.specs["A"] = replace(spec, data_files=tuple(files.values()))


CHANGES: dict[str, Callable[[World], None]] = {
    "same": lambda world: None,
    "file": lambda world: of_another_source(world, "a.bin"),
    "new file": lambda world: of_another_source(world, "b.bin"),
    "code": lambda world: world.write_code("A", "return [input]"),
}


@pytest.fixture
def undurable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)


def second_at_every_call(folder: Path, what: str, *, known: bool) -> int:
    """Returns the number of calls. `known`: the second state has records, too."""
    at = 0
    while True:
        at += 1
        place = folder / str(at)
        place.mkdir()
        world = World(place)
        other = Seat(place / "other")
        world.add("A")
        world.use_file("A", "a.bin", b"one")
        for seat in (world.seat, other) if known else (world.seat,):
            with world.seated(seat):
                succeeds(world)
        world.write_code("A", "return None")
        world.use_file("A", "a.bin", b"two")
        world.use_file("A", "b.bin", b"two")
        if two_applies(world, other, at, partial(CHANGES[what], world)) < at:
            return at - 1


@pytest.mark.usefixtures("undurable")
def test_a_second_apply_at_each_call(tmp_path: Path) -> None:
    assert second_at_every_call(tmp_path, "file", known=True) > 20


@pytest.mark.extended
@pytest.mark.usefixtures("undurable")
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("what", CHANGES)
def test_another_second_apply_at_each_call(tmp_path: Path, what: str, *, known: bool) -> None:
    assert second_at_every_call(tmp_path, what, known=known) > 20


def test_laws_of_a_few_neighbours() -> None:
    run(Neighbours, 20, 10)


@pytest.mark.extended
def test_laws_of_many_neighbours() -> None:
    run(Neighbours, int(os.environ.get("LAW_EXAMPLES", "60")), 25)
