"""The format `junit`, read back by junitparser and by the schema of its readers (Jenkins' xunit plugin)."""

from __future__ import annotations

from pathlib import Path

import pytest
import xmlschema
from junitparser import xunit2
from lxml import etree
from samples import HOSTILE, META, SUBJECTS, run_of, subjects_with

from algosync.core.error import AlgosyncError
from algosync.core.redaction import Redactor
from algosync.views import FORMATS
from algosync.views.formats.outlining import outline_of
from algosync.views.subject import DriftedAll, Failed, Subject

XSD = Path(__file__).with_name("junit-10.xsd").read_text()
SKIPPED = '<xs:element ref="skipped"/>'
SCHEMA = xmlschema.XMLSchema(XSD.replace(SKIPPED, f'<xs:element ref="properties"/>{SKIPPED}'))
"""Properties of a test case are newer than this schema. Jenkins, GitLab and others read them, and pytest writes them too."""


def read_back(subject: Subject) -> xunit2.JUnitXml:
    text = FORMATS["junit"](subject, Redactor())
    etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, recover=False))
    SCHEMA.validate(text)
    document = xunit2.JUnitXml.fromstring(text.encode())
    assert isinstance(document, xunit2.JUnitXml)
    return document


def cases_of(document: xunit2.JUnitXml, name: str) -> dict[str, xunit2.TestCase]:
    return {case.name: case for suite in document if suite.name == name for case in suite if isinstance(case, xunit2.TestCase)}


@pytest.mark.parametrize("which", SUBJECTS)
def test_its_readers_take_it(which: str) -> None:
    document = read_back(SUBJECTS[which])
    assert document.tests == sum(1 for suite in document for _ in suite) > 0


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_its_readers_take_hostile_texts(hostile: str) -> None:
    harmless = {which: shape(read_back(subject)) for which, subject in subjects_with("x").items()}
    assert {which: shape(read_back(subject)) for which, subject in subjects_with(hostile).items()} == harmless


def shape(document: xunit2.JUnitXml) -> list[tuple[str, ...]]:
    """Suites of several workflows have their names, which are hostile, too."""
    names = (suite.name if suite.name in ("changes", "tests", "drift", "findings") else "" for suite in document)
    return [
        (name, *(tag for case in suite for tag in sorted(type(each).__name__ for each in case)))
        for name, suite in zip(names, document, strict=True)
    ]


def test_a_name_of_a_megabyte_is_cut() -> None:
    name = "é<" * 500_000
    for subject in subjects_with(name).values():
        read_back(subject)
        assert len(FORMATS["junit"](subject, Redactor())) < 200_000


def test_a_test_has_its_measures_and_its_failure() -> None:
    cases = cases_of(read_back(SUBJECTS["run"]), "tests")
    assert list(cases) == ['test.Hello["w.pb"]', *(f'test.Hello["w.pb"] {n} w.pb' for n in (1, 2, 3)), "test.Hello", *LEFT_OUT]
    failed, passed = cases['test.Hello["w.pb"] 3 w.pb'], cases["test.Hello"]
    (result,) = failed.result
    assert (type(result).__name__, result.message) == ("Failure", "$.w.pb: expected w.pb, got w.pb (w.pb)")
    assert 'payload: "w.pb"' in result.text
    assert "│ w.pb" in failed.system_out
    measured = {each.name: each.value for each in passed.properties()}
    assert measured.keys() >= {"version", "commit", "calls", "p50", "p95", "p99", "max", "first_call", "calls_a_second"}
    assert (measured["version"], measured["calls"], passed.result) == ("w.pb", "1", [])
    (left_out,) = cases[LEFT_OUT[0]].result
    assert (type(left_out).__name__, left_out.message) == ("Skipped", "w.pb did not succeed")


def test_a_gate_has_its_metric_the_line_to_reach_and_its_slices() -> None:
    found = {each.name: each.value for each in cases_of(read_back(SUBJECTS["run"]), "tests")["test.Hello"].properties()}
    expected = {"metric": "accuracy", "value": "0.95", "published_value": "0.93", "interval_95": "0.94 to 0.96", "cases": "1200"}
    assert {**found, **expected, "at_least": "0.9", "w.pb w.pb": "0.875 (200 cases)"} == found


def test_the_name_of_a_slice_stays_as_it_is() -> None:
    """A slice `A` is not `a`, and one with an underscore has it."""
    (found,) = [each for each in outline_of(run_of("A_b"), Redactor()).entries if each.slices]
    assert "A_b A_b" in {each.name for each in cases_of(read_back(run_of("A_b")), "tests")["test.Hello"].properties()}
    assert found.slices == (("A_b A_b", "0.875 (200 cases)"),)
    assert "<dt>A_b A_b</dt><dd>0.875 (200 cases)</dd>" in FORMATS["html"](run_of("A_b"), Redactor())


LEFT_OUT = ['test.There["left out"]']


def test_a_step_that_failed_is_an_error() -> None:
    cases = cases_of(read_back(SUBJECTS["run"]), "changes")
    (error,) = cases['data.Hello["w.pb"]'].result
    assert (type(error).__name__, error.message) == ("Error", "w.pb")
    assert cases["algorithm.Hello"].result == []


def test_cases_that_failed_are_always_listed() -> None:
    """As many passed ones as there is room for, and all that failed."""
    subject = run_of("t", calls=90)
    cases = cases_of(read_back(subject), "tests")
    assert sum(1 for case in cases.values() if case.is_failure) == 31
    first = next(iter(cases.values()))
    assert "calls_not_listed" not in {each.name for each in first.properties()}


def test_drift_fails_and_a_plan_does_not() -> None:
    drift, plan = read_back(SUBJECTS["drift"]), read_back(SUBJECTS["plan"])
    assert (drift.failures, drift.errors, plan.failures, plan.errors) == (3, 1, 0, 0)


def test_an_error_is_a_document_too() -> None:
    document = read_back(Failed(AlgosyncError("boom \x1b]]>", hint="look"), {**META, "command": "apply", "exit_code": 1}))
    assert document.errors == 1


def test_no_line_is_a_command_to_a_ci_system() -> None:
    subject = run_of("x\n::error::y\n##[error]z")
    assert not [line for line in FORMATS["junit"](subject, Redactor()).splitlines() if line.strip().startswith(("::", "##["))]


def test_each_of_several_workflows_is_a_suite() -> None:
    document = read_back(SUBJECTS["drift_all"])
    assert [(suite.name, suite.tests, suite.failures, suite.errors) for suite in document] == [
        ("w.pb 2", 1, 0, 1),
        ("release (workflows/release.yaml)", 5, 3, 1),
        ("w.pb 3", 0, 0, 0),
    ]


def test_errors_of_several_workflows_are_told_apart() -> None:
    """Readers know a test case by its class and its name, whatever its suite is."""
    failed = [Failed(AlgosyncError("boom"), {**META, "command": "drift", "workflow": name, "exit_code": 1}) for name in "ab"]
    document = read_back(DriftedAll("https://api.b.com", tuple(failed), META))
    assert [(case.classname, case.name) for suite in document for case in suite] == [("a", "drift"), ("b", "drift")]
