"""A kind is one module and one line in `KINDS`: this adds one, and plans and applies it through the engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from fakes.clusters import FakeCluster, FakeTime, context_of
from fakes.ledger import FakeLedger

from algosync.core.address import Address
from algosync.core.codec import decode_state, encode_state
from algosync.core.error import Corrupt
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.plan import Plan, PlanHeader, targeted
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Kind, Outcome, Side, Tell
from algosync.core.report import Report, fold
from algosync.core.resource import KindTraits, Record, Resource, digest_of
from algosync.core.state import State
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.apply import apply
from algosync.engine.drift import find_drift
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context


class LabelKind:
    """The added module: a label beside each algorithm, kept in a dictionary instead of on a cluster."""

    TRAITS = KindTraits(needs=frozenset({"algorithm"}))

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}

    def desired(self, spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
        yield self._resource(spec, spec.language)

    def observed(self, spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
        if spec.name in self.labels:
            yield self._resource(spec, self.labels[spec.name])

    def read(self, resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
        return resource

    def explain(self, change: Change, spec: AlgorithmSpec, context: Context) -> Change:
        return change

    def trace(self, finding: Finding, spec: AlgorithmSpec, context: Context) -> Finding:
        return finding

    def verbs(self, change: Change) -> tuple[Verb, ...]:
        return (Verb.CONFIGURE,)

    def perform(self, step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
        with context.ledger.writing(step.address, step.verb.value):
            self.labels[spec.name] = spec.language
        (now,) = self.observed(spec, context)
        return Outcome((Record(now.address, now.digest or "", now.stamp, now.stamp, None, now.attributes),))

    def _resource(self, spec: AlgorithmSpec, label: str) -> Resource:
        digest = digest_of(label)
        return Resource(Address("label", spec.name), {"label": label}, stamp=digest, digest=digest)


class Program:
    """The kinds with the added one, on a cluster in memory."""

    def __init__(self, folder: Path) -> None:
        for name in ("One", "Two"):
            module = folder / "algorithms" / name / "src" / f"{name}.py"
            module.parent.mkdir(parents=True)
            module.write_text("def apply(input):\n    return input\n")
        specs = (AlgorithmSpec("One", "python3", tests=(TestCase("", "1"),)), AlgorithmSpec("Two", "python3", depends_on=("One",)))
        self.workflow = Workflow("w", str(folder), specs, entrypoint="Two", tests=(TestCase("t", "2"),))
        self.label = LabelKind()
        self.kinds: dict[str, Kind[Context]] = {**KINDS, "label": self.label}  # the one line
        self.cluster, self.ledger, self.time = FakeCluster(), FakeLedger(), FakeTime()

    def scene(self) -> Scene[Context]:
        folder = Path(self.workflow.folder)
        context = context_of(self.cluster, *self.workflow.algorithms, folder=folder, ledger=self.ledger, time=self.time)
        return Scene(self.kinds, {**PERFORMERS, **self.kinds}, context, 2)

    def plan(self) -> Plan:
        return make_plan(self.workflow, self.scene(), self.ledger.records, PlanHeader("w", None, "local", "jane"))

    def apply(self) -> Report:
        return fold(apply(self.plan(), self.workflow, self.scene(), self.ledger), lambda: self.ledger.wrote)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_it_is_planned_applied_and_recorded(program: Program) -> None:
    plan = program.plan()
    assert {str(c.address) for c in plan.visible if c.address.kind == "label"} == {"label.One", "label.Two"}
    report = program.apply()
    assert report.exit_code == 0
    assert report.completed()[Action.CREATE] == 8
    assert program.label.labels == {"One": "python3", "Two": "python3"}
    assert len(report.tests) == 2
    assert program.plan().visible == ()


def test_it_drifts_and_is_mended(program: Program) -> None:
    program.apply()
    program.label.labels["One"] = "theirs"
    found = find_drift(program.workflow, program.scene(), program.ledger.records)
    assert [(str(f.address), f.drift) for f in found] == [("label.One", Drift.CHANGED)]
    plan = program.plan()
    assert [str(c.address) for c in plan.drifted] == ["label.One"]
    program.apply()
    assert program.plan().visible == ()


def test_a_target_brings_what_it_needs(program: Program) -> None:
    kept = {str(c.address) for c in targeted(program.plan(), ["label.One"]).changes}
    assert kept == {"label.One", "algorithm.One"}
    kept = {str(c.address) for c in targeted(program.plan(), ["test.One"]).changes}
    assert kept == {"algorithm.One", "source.One", "version.One", "label.One"}


def test_its_records_are_stored(program: Program) -> None:
    program.apply()
    state = State("lineage", 1, program.ledger.records)
    assert decode_state(encode_state(state)).records == program.ledger.records


def test_without_it_its_records_are_refused_instead_of_forgotten(program: Program) -> None:
    program.apply()
    del program.kinds["label"]
    with pytest.raises(Corrupt, match=r"a record of an unknown kind: label\.One"):
        program.plan()
    with pytest.raises(Corrupt):
        find_drift(program.workflow, program.scene(), program.ledger.records)
