"""Gates on the command line: a missing extra is told before anything is called, and the summary has the metric."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from jsonschema import Draft202012Validator

from algosync.cli.doctor import machine_checks
from algosync.cli.summary_file import Summary
from algosync.cli.testing.context import cases_of, require_extras
from algosync.core.address import Address
from algosync.core.error import TestFailed, UsageError
from algosync.core.event import Event, Measured, StepDone, StepFailed
from algosync.core.planning.plan import Check, Plan, PlanHeader
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.answer import Called
from algosync.core.testing.case import Expectation, Metric, QualityGate, TestCase
from algosync.core.testing.gate import GateOutcome, GateScore, Interval, LabelledCase
from algosync.core.testing.timing import Timing
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.workflow import NamedFiles, TestInputs, load

if TYPE_CHECKING:
    from algosync.cli.doctor.examination import Examination

HEADER = PlanHeader("w", None, "local", "jane")
TIMING = Timing(calls=2, errors=0, total=1.0, cold=0.5, p50=0.5, p95=0.5, p99=0.5, max=0.5)


def plan_of(*metrics: Metric) -> Plan:
    cases = [TestCase(metric, gate=QualityGate(metric, at_least=0.5)) for metric in metrics]
    return Plan(HEADER, (), tuple(Check(Address("test", "One", case.name), case, of_algorithm=True) for case in cases))


def test_a_missing_extra_is_named_before_anything_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    require_extras(plan_of("f1"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    require_extras(plan_of("exact"))
    with pytest.raises(UsageError, match="the metric f1 of a gate: the library scikit-learn is not installed") as caught:
        require_extras(plan_of("exact", "f1"))
    assert caught.value.hint == "pip install 'algosync[metrics]'"


@pytest.mark.parametrize(("metric", "status"), [("f1", "failed"), ("exact", "note")])
def test_doctor_needs_the_extra_of_a_gate(metric: Metric, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "_extras", lambda: {"metrics": ["scikit-learn"]})
    monkeypatch.setattr(machine_checks, "_installed", lambda name: False)
    case = TestCase("g", gate=QualityGate(metric, at_least=0.5))
    found = Workflow("w", "", (AlgorithmSpec("One", "python3", tests=(case,)),))
    examination = SimpleNamespace(options=SimpleNamespace(state="state"), sites={}, workflow=found)
    (diagnosis,) = machine_checks.extras(cast("Examination", examination))
    assert (diagnosis.status, diagnosis.hint) == (status, "pip install 'algosync[metrics]'")


def test_the_cases_of_a_gate_have_their_label_and_their_slice(tmp_path: Path) -> None:
    (tmp_path / "labelled.csv").write_text("payload,label,region\n1,a,north\n2,b,\n")
    path = tmp_path / "w.yaml"
    path.write_text(
        "algorithms:\n  - name: One\n    language: python3\n    gates:\n"
        "      - {name: g, cases: labelled.csv, metric: f1, at_least: 0.5, by: region, timeout: 9}\n"
    )
    files = NamedFiles(tmp_path)
    (gate,) = load(path, {}, tests=TestInputs(files)).algorithms[0].tests
    assert [*cases_of(files, gate, "One")] == [
        LabelledCase("line 2", "1", 9, Expectation(equals='"a"'), part="north"),
        LabelledCase("line 3", "2", 9, Expectation(equals='"b"'), part=""),
    ]


def test_the_summary_has_the_metric_of_each_gate() -> None:
    plan = plan_of("f1", "mae", "exact")
    steps = [Step(check.address, Verb.TEST, check=check) for check in plan.checks]
    score = GateScore(None, 2, 0.75, Interval(0.5, float("inf")), 0.5)
    outcomes = [GateOutcome("f1", 2, (score,)), GateOutcome("mae", 2)]

    def events() -> Iterator[Event]:
        for step, outcome in zip(steps, outcomes, strict=False):
            yield Measured(step, Called("0.1.0", "c"), TIMING, gate=outcome)
        yield StepFailed(steps[1], 1.0, TestFailed("no"))
        yield StepDone(steps[0], 1.0)

    summary = Summary("apply", plan)
    assert len([*summary.noting(events(), steps)]) == 4
    document = summary.document(3, "2026-01-02T03:04:05+00:00")
    assert isinstance(document, dict)
    text = json.loads(json.dumps(document).replace("Infinity", '"inf"'))
    schema = json.loads((Path(__file__).parents[2] / "algosync" / "schemas" / "summary.json").read_text())
    Draft202012Validator(schema).validate(text)
    assert text["tests"] == {
        "passed": 1,
        "failed": 1,
        "skipped": 1,
        "gates": [
            {"metric": "f1", "cases": 2, "value": 0.75, "interval": [0.5, "inf"], "published": 0.5, "passed": True},
            {"metric": "mae", "cases": 2, "value": None, "interval": None, "published": None, "passed": False},
        ],
    }
