"""The first plan after an upgrade is empty: a state of an older version, beside the clusters that it describes.

`state_before_releases.json` was written by an apply to a local cluster, before releases got an order. Commits, times
and the lineage were replaced. A change of what a record means keeps this test, and adds a state of the version before it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.clusters import OWNER, PYTHON, FakeAlgorithm, FakeCluster, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore

from algosync.cluster.algorithms import Build, Version
from algosync.core.codec import decode_state
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.testing.case import TestCase
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Workflow
from algosync.engine.drift import find_drift
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context

STATE = Path(__file__).with_name("state_before_releases.json")
COMMITS = {"Shout": "2" * 40, "Relay": "1" * 40}
DATA = {"words.txt": b"hello goodbye", "zeros.bin": bytes(3000), "empty.bin": b""}
REQUIREMENTS = "algorithmia>=1.0.0,<2.0\nsix\n"
CODE = {
    "Shout": """import Algorithmia

client = Algorithmia.client()


def apply(input):
    words = client.file("data://local/Shout/words.txt").getString().split()
    return [word.upper() for word in words if word in input]
""",
    "Relay": """import Algorithmia


def apply(input):
    return Algorithmia.client().algo("local/Shout/latestPrivate").pipe(input).result
""",
}
SETTINGS = {"source_visibility": "closed", "license": "apl", "network_access": "full", "pipeline_enabled": True}
SPECS = (
    AlgorithmSpec(
        "Shout",
        "python3",
        details=Details("Shout"),
        data_files=tuple(DataFile(f"data://.my/models/{name}", name) for name in DATA),
        tests=(TestCase("", '"hello world"'),),
    ),
    AlgorithmSpec("Relay", "python3", details=Details("Relay"), tests=(TestCase("", '"hello"'),), depends_on=("Shout",)),
)
HEADER = PlanHeader("workflow", "file://source", "local", OWNER)


def source_in(folder: Path) -> FakeStore:
    """The code beside the workflow. Returns the store of data files, with the recorded times."""
    for name, code in CODE.items():
        source = folder / "algorithms" / name
        (source / "src").mkdir(parents=True)
        (source / "src" / f"{name}.py").write_text(code)
        (source / "src" / "__init__.py").touch()
        (source / "requirements.txt").write_text(REQUIREMENTS)
    store = FakeStore()
    for file, data in DATA.items():
        store.write("quality", "models", file, data)
        store.set_stamp("quality", "models", file, f"{len(data)}@1767225600000000000@1767225600000000000")
    return store


def destination() -> FakeCluster:
    """What the recorded apply has left."""
    cluster = FakeCluster()
    for name, commit in COMMITS.items():
        code = {f"src/{name}.py": CODE[name], "src/__init__.py": "", "requirements.txt": REQUIREMENTS}
        found = FakeAlgorithm({"label": name}, {**SETTINGS, "algorithm_environment": PYTHON.id})
        found.repository.hold(commit, {path: Blob(text.encode()) for path, text in code.items()}, "algosync <algosync@localhost>")
        found.builds.append(Build("build-1", commit, "succeeded"))
        found.versions.append(Version("0.1.0", commit, {**found.settings, "algorithm_callability": "private"}))
        cluster.algorithms.algorithms[name] = found
    for file, data in DATA.items():
        cluster.data.write(OWNER, "Shout", file, data)
        cluster.data.set_stamp(OWNER, "Shout", file, f"{len(data)}@2026-01-01T00:00:00.000Z")
    return cluster


class Upgrade:
    """The next command after the upgrade."""

    def __init__(self, folder: Path) -> None:
        self.ledger = FakeLedger(decode_state(STATE.read_bytes()).records.values())
        self.flow = Workflow("workflow", str(folder), SPECS, entrypoint="Relay")
        self.folder, self.store, self.cluster = folder, source_in(folder), destination()

    def scene(self, *, recorded_only: bool = False) -> Scene[Context]:
        context = context_of(
            self.cluster,
            *SPECS,
            folder=self.folder,
            store=self.store,
            ledger=self.ledger,
            source_name="file://source",
            recorded_only=recorded_only,
        )
        return Scene(KINDS, PERFORMERS, context, 1)

    def plan(self) -> Plan:
        return make_plan(self.flow, self.scene(), self.ledger.records, HEADER)


@pytest.fixture
def upgrade(tmp_path: Path) -> Upgrade:
    return Upgrade(tmp_path)


def test_the_first_plan_is_empty_and_reads_no_file(upgrade: Upgrade) -> None:
    plan = upgrade.plan()
    refreshed = [str(change.address) for change in plan.changes if change.action is not Action.NONE]
    assert (plan.visible, refreshed) == ((), ["algorithm.Shout"])  # its record does not have the ACL of the collection yet
    assert len(plan.changes) == len(upgrade.ledger.records) == 9
    assert not any(note for _, note in plan.notes())
    assert (upgrade.store.opened, upgrade.cluster.data.opened) == ([], [])


def test_nothing_has_drifted(upgrade: Upgrade) -> None:
    assert find_drift(upgrade.flow, upgrade.scene(recorded_only=True), upgrade.ledger.records) == ()


def test_a_change_after_the_upgrade_is_all_that_the_plan_has(upgrade: Upgrade) -> None:
    """The old records take part in the comparison: the plan is not empty because nothing is compared."""
    upgrade.store.write("quality", "models", "words.txt", b"hello again!!")
    changed = {str(change.address): change.action for change in upgrade.plan().visible}
    assert changed == {'data.Shout["words.txt"]': Action.UPDATE, "version.Shout": Action.UPDATE}
