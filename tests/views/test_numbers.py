"""The formats that have only numbers: `prometheus`, read back by Prometheus' own parser, and `gitlab`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from samples import HOSTILE, META, SUBJECTS, subjects_with

from algosync.core.error import AlgosyncError
from algosync.core.redaction import Redactor
from algosync.views import FORMATS
from algosync.views.subject import Drifted, DriftedAll, Failed, Subject


def samples(subject: Subject) -> dict[tuple[str, str], float]:
    """The value of each sample, by its metric and its own label."""
    found: dict[tuple[str, str], float] = {}
    shared = ("destination", "report", *(() if isinstance(subject, DriftedAll) else ("workflow",)))
    for family in text_string_to_metric_families(FORMATS["prometheus"](subject, Redactor())):
        for sample in family.samples:
            own = {name: text for name, text in sample.labels.items() if name not in shared}
            key = (sample.name.removeprefix("algosync_"), " ".join(own.values()))
            assert key not in found
            found[key] = sample.value
            assert sample.labels.keys() >= {"workflow", "destination"}
    return found


def gitlab(subject: Subject) -> object:
    return json.loads(FORMATS["gitlab"](subject, Redactor()))


def test_counts_of_a_plan() -> None:
    found = samples(SUBJECTS["plan"])
    assert {
        key: found[key] for key in (("changes", "update"), ("changes", "create"), ("changes", "adopt"), ("tests", "planned"))
    } == {
        ("changes", "update"): 4,
        ("changes", "create"): 0,
        ("changes", "adopt"): 1,
        ("tests", "planned"): 2,
    }
    assert found["timestamp_seconds", ""] == 1767323045
    assert gitlab(SUBJECTS["plan"]) == {"create": 0, "update": 4, "delete": 0}


def test_drift_by_kind() -> None:
    found = samples(replace_meta(SUBJECTS["drift"], exit_code=2))
    assert [found["findings", kind] for kind in ("changed", "missing", "failing", "unknown", "rewritten")] == [1, 1, 1, 1, 0]
    assert (found["exit_code", ""], found["good", ""]) == (2, 0)
    assert gitlab(SUBJECTS["drift"]) == {"create": 1, "update": 1, "delete": 0}


def replace_meta(subject: Subject, **more: int) -> Subject:
    assert isinstance(subject, Drifted)
    return replace(subject, meta={**subject.meta, **more})


def test_a_run() -> None:
    found = samples(SUBJECTS["run"])
    assert [found["tests", result] for result in ("passed", "failed", "skipped")] == [1, 1, 1]
    assert (found["duration_seconds", ""], found["exit_code", ""]) == (66.5, 4)
    assert found["test_seconds", 'test.Hello["w.pb"]'] == 2.5
    assert found["call_seconds", '0.5 test.Hello["w.pb"]'] == pytest.approx(0.02)
    assert gitlab(SUBJECTS["run"]) == {"create": 0, "update": 1, "delete": 0}


def test_an_error_has_numbers_too() -> None:
    found = samples(Failed(AlgosyncError("boom"), {**META, "command": "apply", "exit_code": 1}))
    assert (found["errors", "command"], found["exit_code", ""], found["good", ""]) == (1, 1, 0)


@pytest.mark.parametrize("hostile", [*HOSTILE, '"\\\n} 1 # EOF', "é" * 1_000_000], ids=range(len(HOSTILE) + 2))
def test_hostile_texts_change_no_number(hostile: str) -> None:
    for which, subject in subjects_with(hostile).items():
        harmless = subjects_with("x")[which]
        assert list(samples(subject).values()) == list(samples(harmless).values())
        assert gitlab(subject) == gitlab(harmless)


def test_each_of_several_workflows_has_its_own_numbers() -> None:
    found = samples(SUBJECTS["drift_all"])
    codes = {key[1]: value for key, value in found.items() if key[0] == "exit_code"}
    assert codes == {"w.pb 2": 1, "release (workflows/release.yaml)": 2, "w.pb 3": 0}
    missing = [value for (metric, own), value in found.items() if metric == "findings" and "missing" in own]
    assert sorted(missing) == [0, 1]
    assert found["errors", "command w.pb 2"] == 1
    assert [found["workflows", f"with{each} "] for each in (" drift", "out drift", " errors")] == [1, 1, 1]
    assert gitlab(SUBJECTS["drift_all"]) == {"create": 1, "update": 1, "delete": 0}


def test_a_secret_is_no_label() -> None:
    redactor = Redactor()
    redactor.hide("release")
    text = FORMATS["prometheus"](SUBJECTS["plan"], redactor)
    assert 'workflow="*** (workflows/***.yaml)"' in text
    assert "release" not in text
