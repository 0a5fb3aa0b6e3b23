"""What a template computes with a sensitive variable is as secret as the variable."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.planning.plan import PlanHeader, plan_of_checks
from algosync.core.redaction import Redactor
from algosync.core.workflow import Workflow
from algosync.views.document import plan_document
from algosync.workflow import Derived

TEXT = """\
variables:
  pin: {sensitive: true}
algorithms:
  - {name: Plain, language: python3, test_payload: {x: a text, n: 12}, details: {summary: nothing of it}}
  - {name: Uses, language: python3, test_payload: PAYLOAD, details: {summary: SUMMARY}}
"""


def loaded(folder: Path, payload: str, summary: str = "none", pin: str = "1234") -> tuple[Workflow, Derived]:
    path = folder / "w.yaml.j2"
    path.write_text(TEXT.replace("PAYLOAD", payload).replace("SUMMARY", summary))
    values = workflow.variables([f"pin={pin}"], [], {})
    read = workflow.load(path, values)
    return read, workflow.derived_texts(path, read, values, workflow.sensitive(path, values))


def redactor_of(derived: Derived, pin: str) -> Redactor:
    redactor = Redactor()
    redactor.hide(pin)
    for text in derived.parts:
        redactor.hide(text)
    for text in derived.wholes:
        redactor.hide_value(text)
    return redactor


@pytest.mark.parametrize(
    "payload",
    [
        "{p: '{{ pin }}'}",
        "{p: {{ pin }}}",
        "{p: {{ pin | int + 1 }}}",
        "{p: {{ pin | int % 7 }}}",
        "{p: '{{ pin | reverse }}'}",
        "{p: '{{ pin[:2] }}'}",
        "{p: ['{{ pin | first }}', '{{ pin[1] }}']}",
        "{'{{ pin[:3] }}': 1}",
        "'{{ pin | upper }}x'",
        "{p: '{{ 'yes' if pin == '1234' else 'no' }}'}",
        "{p: {{ pin == '1234' }}}",
        "{p: {{ pin | length }}}",
        "{p: [{% for c in pin %}{{ c }},{% endfor %}]}",
    ],
)
def test_no_digest_of_a_payload_that_depends_on_a_secret_is_shown(tmp_path: Path, payload: str) -> None:
    read, derived = loaded(tmp_path, payload)
    document = json.dumps(plan_document(plan_of_checks(read, PlanHeader("w", None, "d", "o")), {}, redactor_of(derived, "1234")))
    plain, uses = (hashlib.sha256((spec.test_payload or "").encode()).hexdigest() for spec in read.algorithms)
    assert plain in document
    assert uses not in document


def test_a_text_that_depends_on_a_secret_is_hidden_whole_or_as_a_part(tmp_path: Path) -> None:
    _, derived = loaded(tmp_path, "{p: '{{ pin | upper }}'}", "'Pin {{ pin[:2] | upper }}!'", pin="sesame77")
    redactor = redactor_of(derived, "sesame77")
    assert redactor.redact("it said SESAME77.") == "it said ***."
    assert redactor.redact('its summary is "Pin SE!" now') == 'its summary is "***" now'
    assert redactor.redacted({"summary": "Pin SE!", "other": "nothing of it"}) == {"summary": "***", "other": "nothing of it"}


def test_a_short_part_of_a_secret_is_hidden_as_a_value(tmp_path: Path) -> None:
    _, derived = loaded(tmp_path, "1", "'{{ pin[:2] }}'")
    redactor = redactor_of(derived, "1234")
    assert redactor.redact('"12"') == "***"
    assert redactor.redact("12 files") == "12 files"
    assert redactor.holds({"summary": "12"})


def test_without_sensitive_variables_nothing_is_derived(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("algorithms: [{name: A, language: python3}]")
    values = workflow.variables([], [], {})
    assert workflow.derived_texts(path, workflow.load(path, values), values, {}) == Derived(frozenset(), frozenset())


def test_if_other_values_are_refused_everything_counts_as_derived(tmp_path: Path) -> None:
    text = TEXT.replace("PAYLOAD", "{p: 1}").replace("details: {summary: SUMMARY}", "publish: {callability: '{{ pin }}'}")
    path = tmp_path / "w.yaml.j2"
    path.write_text(text)
    values = workflow.variables(["pin=public"], [], {})
    read = workflow.load(path, values)
    derived = workflow.derived_texts(path, read, values, workflow.sensitive(path, values))
    assert {'{"p":1}', "nothing of it"} <= derived.wholes
    assert not derived.parts


@pytest.mark.parametrize(
    ("settings", "timeout", "pin", "unhidden"),
    [
        ("{pipeline_enabled: {{ (pin == '1234') | tojson }}}", "10", "1234", ["algorithms[0].settings.pipeline_enabled"]),
        ("{}", "{{ pin }}", "1234", ["tests[0].timeout"]),
        ("{}", "{{ pin }}", "3000", ["tests[0].timeout"]),  # no larger number is accepted
        ("{}", "{{ 100 + pin | length }}", "1234", ["tests[0].timeout"]),
        ("{}", "10", "1234", []),
    ],
)
def test_numbers_and_booleans_that_cannot_be_hidden_are_found(
    tmp_path: Path, settings: str, timeout: str, pin: str, unhidden: list[str]
) -> None:
    path = tmp_path / "w.yaml.j2"
    path.write_text(f"""\
variables:
  pin: {{sensitive: true}}
algorithms:
  - {{name: A, language: python3, settings: {settings}, test_payload: '{{{{ pin }}}}'}}
  {{% if pin == '{pin}' %}}- {{name: B, language: python3}}{{% endif %}}

test_info: {{entrypoint: A, tests: [{{name: t, payload: {{{{ pin }}}}, timeout: {timeout}}}]}}
""")
    values = workflow.variables([f"pin={pin}"], [], {})
    read = workflow.load(path, values)
    assert list(workflow.derived_texts(path, read, values, workflow.sensitive(path, values)).unhidden) == unhidden


@pytest.mark.parametrize(
    ("expect", "hidden"),
    [
        ("{equals: {a: '{{ pin | upper }}', b: 1}}", "SESAME77"),
        ("{contains: {'{{ pin | upper }}': 1}}", "SESAME77"),
        ("{match: {$.a: {'==': '{{ pin | upper }}'}}}", "SESAME77"),
        ("{match: {'$.{{ pin | upper }}': 1}}", "$.SESAME77"),
        ("{schema: {const: '{{ pin | upper }}'}}", "SESAME77"),
        ("{error: 'no {{ pin | upper }}'}", "no SESAME77"),
        ("{not_printed: ['{{ pin | upper }}']}", "SESAME77"),
        ("{ignore: ['$.{{ pin | upper }}']}", "$.SESAME77"),
        ("{equals: {{ pin | length + 12345670 }}}", "12345678"),
        ("{size: {'<': {{ pin | length + 12345670 }}}}", "12345678"),
    ],
)
def test_a_text_in_an_expectation_that_depends_on_a_secret_is_hidden(tmp_path: Path, expect: str, hidden: str) -> None:
    _, derived = loaded(tmp_path, f"1, expect: {expect}", pin="sesame77")
    assert derived.parts == {hidden}
    assert derived.unhidden == ()


def test_a_short_value_in_an_expectation_hides_its_whole_text(tmp_path: Path) -> None:
    _, derived = loaded(tmp_path, "1, expect: {match: {$.a: {'==': '{{ pin[:2] }}'}}}", pin="sesame77")
    assert {'{"==":"se"}', "se"} <= derived.wholes


def test_a_number_of_an_expectation_that_cannot_be_hidden_is_found(tmp_path: Path) -> None:
    _, derived = loaded(tmp_path, "1, expect: {max_seconds: {{ pin | int / 1000 }}}", pin="1234")
    assert derived.unhidden == ("algorithms[1].tests[0].expect.max_seconds",)


def test_a_payload_file_does_not_depend_on_a_secret(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"a": "a long text"}')
    _, derived = loaded(tmp_path, "1, tests: [{name: a, payload_file: p.json}]")
    assert derived == Derived(frozenset(), frozenset())
