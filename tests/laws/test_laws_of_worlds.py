"""Laws of plan and apply in random worlds: edits on both sides, missing stamps, failed calls, deaths, a lost state.

- After an apply the plan is empty, and the destination is what the workflow says, byte for byte.
- After a failed call, or the death of the process at any call, the next apply gets there, too.
- What the workflow does not have is never touched.
- Equal input gives equal plans, byte for byte.
- Between two edits an algorithm gets at most one version and one build, and another build after a push that was not recorded.
- All this holds for a state on a server, too: whether the machine with the journal is there afterwards or was thrown away.
- The state loads after everything and has every acknowledged record. Its serial grows by one for each change; its lineage stays.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from fakes.clusters import OWNER
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from state_places import FolderStates, ServerStates, StatePlace
from states_server import TerraformServer, terraform_server
from troubles import FAULTS, Troubles
from workflow_world import SOURCE, THEIRS, World, stored

from algosync.core.report import Report
from algosync.core.testing.case import TestCase
from algosync.core.workflow import Settings

NAMES = st.sampled_from(["A", "B"])
FILES = st.sampled_from(["a.bin", "b.bin"])
CONTENTS = st.sampled_from([b"one", b"two", b"three", b""])  # two of one size
LINES = st.sampled_from(["return input", "return [input]", "return None"])
LABELS, PATHS = st.sampled_from("XY"), st.sampled_from([THEIRS, "src/A.py", "src/more.py"])
READERS = st.sampled_from([(), ("algo://.my/*",), ("user://*",), ("user://jim",)])
EDITS = st.one_of(
    st.tuples(st.just("add_algorithm"), NAMES),
    st.tuples(st.just("remove_algorithm"), NAMES),
    st.tuples(st.just("depend"), NAMES, NAMES),
    st.tuples(st.just("use_file"), NAMES, FILES, CONTENTS),
    st.tuples(st.just("drop_file"), NAMES, FILES),
    st.tuples(st.just("write_code"), NAMES, LINES),
    st.tuples(st.just("change_settings"), NAMES, st.sampled_from(["full", "isolated"]), st.booleans(), LABELS),
    st.tuples(st.just("change_tests"), st.integers(0, 2)),
)
EDITS_BY_HAND = st.one_of(
    st.tuples(st.just("write_there"), NAMES, FILES | st.just("theirs.bin"), CONTENTS),
    st.tuples(st.just("delete_there"), NAMES, FILES),
    st.tuples(st.just("push_there"), NAMES, PATHS, CONTENTS),
    st.tuples(st.just("configure_there"), NAMES, st.booleans(), LABELS),
    st.tuples(st.just("delete_algorithm_there"), NAMES),
    st.tuples(st.just("share_there"), NAMES, READERS),
    st.tuples(st.just("hide_stamp"), st.booleans(), NAMES, FILES, st.integers(1, 3)),
)
"""Edits as methods of the machine and their arguments."""
EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "0"))
TROUBLES = st.sampled_from(["dies before", "dies after", *FAULTS])


class Worlds(RuleBasedStateMachine):
    """`known` has the number of builds and versions at the last edit, `troubles` what went wrong since."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.nothing_durable = mock.patch.object(os, "fsync", return_value=None)  # nobody pulls the plug here
        self.nothing_durable.start()
        self.world = World(self.folder, states=self.place())
        self.payloads = 1
        self.edited()

    def place(self) -> StatePlace:
        return FolderStates()

    def teardown(self) -> None:
        self.nothing_durable.stop()
        shutil.rmtree(self.folder)

    def edited(self) -> None:
        self.known, self.troubles = self.world.releases(), 0

    # Edits of the workflow and its source.

    @initialize(name=NAMES, file=FILES, content=CONTENTS, there=CONTENTS | st.none())
    def first(self, name: str, file: str, content: bytes, there: bytes | None) -> None:
        """Something that is not managed, and a first algorithm. Its file may be there already."""
        world = self.world
        world.algorithms.create(OWNER, "Theirs", {"label": "Theirs"}, {"network_access": "full"})
        world.cluster.data.write(OWNER, "Theirs", "a.bin", b"theirs")
        world.cluster.data.write(OWNER, name, "theirs.bin", b"theirs")
        world.cluster.data.readers[OWNER, name] = ("algo://.my/*",)
        if there is not None:
            world.cluster.data.write(OWNER, name, file, there)
        world.add(name)
        world.use_file(name, file, content)
        self.edited()

    def add_algorithm(self, name: str) -> None:
        if name not in self.world.specs:
            self.world.add(name)
            self.edited()

    def remove_algorithm(self, name: str) -> None:
        if self.world.specs.pop(name, None):
            self.world.specs = {n: replace(s, depends_on=()) for n, s in self.world.specs.items()}
            self.edited()

    def depend(self, name: str, on: str) -> None:
        specs = list(self.world.specs)
        if name in specs and on in specs[: specs.index(name)]:
            self.world.specs[name] = replace(self.world.specs[name], depends_on=(on,))
            self.edited()

    def use_file(self, name: str, file: str, content: bytes) -> None:
        if name in self.world.specs:
            self.world.use_file(name, file, content)
            self.edited()

    def drop_file(self, name: str, file: str) -> None:
        if name in self.world.specs:
            self.world.drop_file(name, file)
            self.edited()

    def write_code(self, name: str, line: str) -> None:
        self.world.write_code(name, line)
        self.edited()

    def change_settings(self, name: str, access: str, pipeline: bool, label: str) -> None:
        if spec := self.world.specs.get(name):
            wanted = Settings(network_access="full" if access == "full" else "isolated", pipeline_enabled=pipeline)
            self.world.specs[name] = replace(spec, settings=wanted, details=replace(spec.details, label=label))
            self.edited()

    def change_tests(self, number: int) -> None:
        self.world.tests = tuple(TestCase(f"t{each}", "1") for each in range(number)) if self.world.specs else ()
        self.edited()

    # Edits by hand at the destination, and what it does not tell.

    def write_there(self, name: str, file: str, content: bytes) -> None:
        self.world.cluster.data.write(OWNER, name, file, content)
        self.world.cluster.data.readers.setdefault((OWNER, name), ("algo://.my/*",))
        self.edited()

    def delete_there(self, name: str, file: str) -> None:
        if file in stored(self.world.cluster.data, OWNER, name):
            self.world.cluster.data.delete(OWNER, name, file)
            self.edited()

    def push_there(self, name: str, path: str, content: bytes) -> None:
        if found := self.world.algorithms.algorithms.get(name):
            found.repository.push_behind(path, content)
            self.edited()

    def configure_there(self, name: str, pipeline: bool, label: str) -> None:
        if found := self.world.algorithms.algorithms.get(name):
            self.world.algorithms.update(OWNER, name, {"label": label}, {**found.settings, "pipeline_enabled": pipeline})
            self.edited()

    def delete_algorithm_there(self, name: str) -> None:
        if self.world.algorithms.algorithms.pop(name, None):
            loaded = self.world.algorithms.loaded
            self.world.algorithms.loaded = {key: files for key, files in loaded.items() if key[0] != name}
            self.edited()

    def share_there(self, name: str, readers: tuple[str, ...]) -> None:
        if (OWNER, name) in self.world.cluster.data.readers:
            self.world.cluster.data.readers[OWNER, name] = readers

    def hide_stamp(self, side: bool, name: str, file: str, listings: int) -> None:
        store, owner = (self.world.store, SOURCE) if side else (self.world.cluster.data, OWNER)
        if file in stored(store, owner, name):
            store.hide_stamp(owner, name, file, listings)

    def edit(self, edits: list[tuple[object, ...]]) -> None:
        for method, *given in edits:
            getattr(self, str(method))(*given)

    # Commands.

    @rule(edits=st.lists(EDITS, min_size=1, max_size=3))
    def edit_the_workflow(self, edits: list[tuple[object, ...]]) -> None:
        self.edit(edits)

    @rule(edits=st.lists(EDITS_BY_HAND, min_size=1, max_size=3))
    def edit_the_destination(self, edits: list[tuple[object, ...]]) -> None:
        self.edit(edits)

    @rule()
    def lose_the_state(self) -> None:
        self.world.lose_state()
        self.edited()

    @rule()
    def plan(self) -> None:
        self.world.plan()

    @rule(fault=TROUBLES, at=st.integers(1, 30))
    def apply_with_trouble(self, fault: str, at: int) -> None:
        self.world.apply(Troubles(fault, at))
        self.troubles += 1
        self.check_releases()

    @precondition(lambda self: self.world.specs)
    @rule(name=NAMES)
    def apply_with_a_failing_test(self, name: str) -> None:
        """The payload of the test is mended afterwards."""
        if spec := self.world.specs.get(name):
            payload = str(spec.test_payload)
            self.world.algorithms.failing_payloads.add(payload)
            ended = self.world.apply()
            assert isinstance(ended, Report)
            assert ended.exit_code in (3, 4)
            self.world.algorithms.failing_payloads.clear()
            self.payloads += 1
            self.world.specs[name] = replace(self.world.specs[name], tests=(TestCase("", str(self.payloads)),))
            self.edited()

    @rule()
    def apply(self) -> None:
        self.apply_well(Troubles())

    def apply_well(self, troubles: Troubles) -> None:
        """`troubles`: none that the apply notices."""
        ended = self.world.apply(troubles)
        assert isinstance(ended, Report), ended
        assert ended.exit_code == 0, [(str(each.step.key), each.error) for each in ended.failed]
        self.world.check_converged()
        plan = self.world.plan()
        assert plan.visible == ()
        self.check_releases()

    def check_releases(self) -> None:
        for name, (builds, versions) in self.world.releases().items():
            known_builds, known_versions = self.known.get(name, (0, 0))
            assert versions - known_versions <= 1, f"{name} was published {versions - known_versions} times"
            assert builds - known_builds <= 1 + self.troubles, f"{name} was built {builds - known_builds} times"


def run(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    shrinks = [] if "LAW_EXAMPLES" in os.environ else [Phase.shrink]  # shrinking takes minutes
    chosen = settings(
        phases=[Phase.explicit, Phase.generate, *shrinks],
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_laws_in_a_few_worlds() -> None:
    run(Worlds, 40, 12)


@pytest.mark.extended
def test_laws_in_many_worlds() -> None:
    run(Worlds, EXAMPLES or 60, 25)


@pytest.mark.parametrize("keeps_machine", [True, False])
def test_laws_with_a_state_on_a_server(keeps_machine: bool) -> None:
    server: TerraformServer
    with terraform_server() as server:

        class RemoteWorlds(Worlds):
            def place(self) -> StatePlace:
                return ServerStates(server, keeps_machine)

        run(RemoteWorlds, EXAMPLES or 5, 12)
