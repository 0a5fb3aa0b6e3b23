"""Template variables: sources of their values, declarations, and secrecy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import UsageError, WorkflowError

SECRET = "s3-cret Ünique"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_beat_files_beat_the_environment_beat_defaults(tmp_path: Path) -> None:
    first = write(tmp_path, "first.json", '{"b": "first", "c": "first", "d": "first"}')
    second = write(tmp_path, "second.yaml", "c: second\nd: second\n")
    environ = {f"ALGOSYNC_VAR_{name}": "environment" for name in "abcd"} | {"ALGOSYNC_VAR_9": "x", "OTHER": "x"}
    given = workflow.variables(["d=lost", "d=flag=1"], [first, second], environ)
    assert dict(given) == {"a": "environment", "b": "first", "c": "second", "d": "flag=1"}
    declared = "".join(f"  {name}: {{default: default}}\n" for name in "abcde")
    template = write(
        tmp_path, "w.yaml.j2", f"variables:\n{declared}x: {{{{ a }}}} {{{{ b }}}} {{{{ c }}}} {{{{ d }}}} {{{{ e }}}}\n"
    )
    assert workflow.render(template, given).splitlines()[-1] == "x: environment first second flag=1 default"


@pytest.mark.parametrize("flag", ["name", "", "=x", "9=x", "a-b=x", "a b=x"])
def test_a_flag_needs_name_and_value(flag: str) -> None:
    with pytest.raises(UsageError):
        workflow.variables([flag], [], {})


@pytest.mark.parametrize(
    ("name", "text", "faults"),
    [
        ("v.json", "[1]", [(1, 1, "type")]),
        ("v.yaml", "", [(1, 1, "type")]),
        ("v.json", '{"a": 1,}', [(1, 8, "syntax")]),
        ("v.yaml", "a: 1\na: 2\nb c: 3", [(2, 1, "duplicate-key"), (3, 1, "variable-name")]),
        ("v.json", '{"a": 12345678901234567890.123, "b": 1e999}', [(1, 7, "variable-type"), (1, 38, "variable-type")]),
    ],
)
def test_faults_of_a_file_of_variables_have_locations(
    tmp_path: Path, name: str, text: str, faults: list[tuple[int, int, str]]
) -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow.variables([], [write(tmp_path, name, text)], {})
    assert [(fault.line, fault.column, fault.code) for fault in caught.value.faults] == faults


def test_a_file_of_variables_must_exist_and_not_be_a_template(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.json", write(tmp_path, "v.json.j2", "{}"), write(tmp_path, "v.txt", "")):
        with pytest.raises(UsageError):
            workflow.variables([], [path], {})


@pytest.mark.parametrize(
    ("default", "flag", "printed"),
    [
        ("x", "10", "10"),
        ("1", "10", "10"),
        ("1", "-0", "0"),
        ("1.5", "10", "10"),
        ("1.5", "0.1", "0.1"),
        ("true", "false", "false"),
        ("[1]", '["a", null]', '["a", null]'),
        ("{a: 1}", '{"b": 2}', '{"b": 2}'),
        ("null", "10", "10"),
    ],
)
def test_a_flag_is_converted_to_the_type_of_the_default(tmp_path: Path, default: str, flag: str, printed: str) -> None:
    template = write(tmp_path, "w.yaml.j2", f"variables:\n  v: {{default: {default}}}\n{{{{ v }}}}")
    assert workflow.render(template, workflow.variables([f"v={flag}"], [], {})).splitlines()[-1] == printed


NUMBERS = ("3.10", "1e3", "1.0E+2", "-0.0", "2.50")


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("way", ["flag", "environment", "yaml", "json", "default"])
def test_a_number_is_printed_as_it_was_written(number: str, way: str, tmp_path: Path) -> None:
    flags = [f"v={number}"] if way == "flag" else []
    environ = {"ALGOSYNC_VAR_v": number} if way == "environment" else {}
    texts = {"yaml": f"v: {number}\n", "json": f'{{"v": {number}}}'}
    files = [write(tmp_path, f"given.{way}", texts[way])] if way in texts else []
    default = number if way == "default" else "1.5"
    uses = (
        "{{ v }} py{{ v }} {{ 'a' ~ v }} {{ '%s'|format(v) }} {{ [v]|join }} {{ v|string }} {{ v|tojson }}",
        "{{ [v, {'a': (v,)}] }} {{ {v: 1} }} {{ '{}'.format(v) }}",
    )
    template = write(tmp_path, "w.yaml.j2", f"variables:\n  v: {{default: {default}}}\n" + "\n".join(uses))
    *_, one, many = workflow.render(template, workflow.variables(flags, files, environ)).splitlines()
    assert one == f"{number} py{number} a{number} {number} {number} {number} {number}"
    assert many == f'[{number}, {{"a": [{number}]}}] {{"{number}": 1}} {number}'


@pytest.mark.parametrize("default", ["null", "'3.9'"])
def test_a_given_text_that_looks_like_a_number_stays_a_text(default: str, tmp_path: Path) -> None:
    template = write(tmp_path, "w.yaml.j2", f"variables:\n  v: {{default: {default}}}\n{{{{ v|tojson }}}} {{{{ v }}}}")
    for number in NUMBERS:
        assert workflow.render(template, workflow.variables([f"v={number}"], [], {})).splitlines()[-1] == f'"{number}" {number}'


def test_a_template_calculates_with_a_written_number(tmp_path: Path) -> None:
    text = "variables:\n  v: {default: 2.50}\n  m: {default: {map: 1.10, number: 2}}\n{{ v * 2 }} {{ v > 2 }} {{ v|int }} {{ m }}"
    printed = workflow.render(write(tmp_path, "w.yaml.j2", text), workflow.variables([], [], {})).splitlines()[-1]
    assert printed == '5.0 true 2 {"map": 1.10, "number": 2}'


@pytest.mark.parametrize(
    ("default", "value"),
    [
        ("1", "x"),
        ("1", "1.5"),
        ("1", "true"),
        ("1.5", '"x"'),
        ("true", "yes"),
        ("true", "1"),
        ("[1]", "{}"),
        ("{}", "[1"),
        ("1", "NaN"),
    ],
)
def test_a_flag_of_the_wrong_type_is_reported_without_its_text(tmp_path: Path, default: str, value: str) -> None:
    template = write(tmp_path, "w.yaml.j2", f"variables:\n  v: {{default: {default}}}\nalgorithms: []")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(template, workflow.variables([f"v={value}"], [], {}))
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.template_line, fault.path, fault.code) == (
        2,
        3,
        2,
        "variables.v",
        "variable-type",
    )


def test_only_the_environment_may_give_undeclared_variables(tmp_path: Path) -> None:
    text = "{0}algorithms: [{{name: A, language: python3, test_payload: {1}}}]"
    plain = write(tmp_path, "plain.yaml", text.format("variables: {known: {default: 1}}\n", "0"))
    template = write(tmp_path, "template.yaml.j2", text.format("variables:\n  known: {default: 1}\n", "{{ known }}"))
    without = write(tmp_path, "without.yaml.j2", text.format("", "{{ unknown }}"))
    file = write(tmp_path, "v.json", '{"unknown": 2}')
    given = workflow.variables([], [], {"ALGOSYNC_VAR_unknown": "2"})
    payloads = [workflow.load(path, given).algorithms[0].test_payload for path in (plain, template, without)]
    assert payloads == ["0", "1", "2"]
    for named in (workflow.variables(["unknown=2"], [], {}), workflow.variables([], [file], {}), {"unknown": 2}):
        assert workflow.load(without, named).algorithms[0].test_payload == "2"
        for path in (plain, template):
            with pytest.raises(WorkflowError) as caught:
                workflow.load(path, named)
            assert [fault.code for fault in caught.value.faults] == ["variable-unknown"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "w.yaml.j2",
            "{# first #}\nvariables:   # what it takes\n\n  v:\n# not indented\n    default: 7\n\nx: {{ v }}\n",
        ),
        ("w.yaml.j2", "x: {{ v }}\nvariables: {v: {default: 7}}"),
        ("w.yaml.j2", "x: {{ v }}\r\nvariables:\r\n  v: {default: 7}\r\n\r\n"),
        ("w.json.j2", '{# a #}\n{#- b -#} {\n"variables" : {"v": {"default": 7}}, "x": {{ v }} }'),
    ],
)
def test_the_block_is_found_before_rendering(tmp_path: Path, name: str, text: str) -> None:
    rendered = workflow.render(write(tmp_path, name, text), {})
    assert "".join(rendered.split()).replace('"', "").count("x:7") == 1


TEMPLATE = """
variables:
  token: {sensitive: true, description: of the service}
  n: {default: 1}
algorithms:
  - name: A
    language: python3
    test_payload: {token: {{ token | tojson }}, length: {{ token | length }}, n: {{ n }}}
"""


def test_a_sensitive_variable_reaches_the_payload_and_is_hidden_in_the_rendered_text(tmp_path: Path) -> None:
    template = write(tmp_path, "w.yaml.j2", TEMPLATE)
    given = workflow.variables([], [], {"ALGOSYNC_VAR_token": SECRET})
    payload = workflow.load(template, given).algorithms[0].test_payload
    assert payload is not None
    assert json.loads(payload) == {"token": SECRET, "length": len(SECRET), "n": 1}
    assert workflow.render(template, given).splitlines()[-1] == '    test_payload: {token: "***", length: 3, n: 1}'
    assert [secret.reveal() for secret in workflow.sensitive(template, given).values()] == [SECRET]
    assert SECRET not in repr(given)
    plain = write(tmp_path, "w.yaml", "algorithms: [{name: A, language: python3}]")
    assert workflow.sensitive(plain, given) == {}


@pytest.mark.parametrize(
    "use",
    [
        "name: {{ token }}",
        "name: {{ token | upper }}",
        "{{ token }}: 1",
        "{{ token | replace(' ', '_') }}: 1",
        "data_files: [{{ token | tojson }}]",
        "timeout: {{ token.foo }}",
        "x: {{ {}[token] }}",
        "x: {{ token | int(default=none) + 1 }}",
        "settings: {license: {{ token | list | tojson }}}",
        "test_payload: {a: 1, {{ token | tojson }}: 2, {{ token | tojson }}: 3}",
        "details: {label: {{ token | tojson }}, label: {{ token }}: x}",
        "x: {{ raise(token) }}",
        "x: {{ token | default('') | attr(token) }}",
        "x: *{{ token[0] }}{{ token[1] }}",
        "x: !{{ token[0:2] }} 1",
    ],
)
def test_no_fault_shows_a_sensitive_variable(tmp_path: Path, use: str) -> None:
    secret = "sEcR3t-qZv"
    template = write(tmp_path, "w.yaml.j2", TEMPLATE + f"  - {use}\n    langage: python3\n")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(template, workflow.variables([f"token={secret}"], [], {}))
    texts = [part for fault in caught.value.faults for part in (fault.path, fault.message, fault.hint or "")]
    for disguise in (secret, secret.upper(), secret.replace("-", "_"), secret[:4], "'s'", "sE"):
        assert not [part for part in texts if disguise in part]


def test_a_fault_unrelated_to_a_sensitive_variable_is_shown_in_full(tmp_path: Path) -> None:
    template = write(tmp_path, "w.yaml.j2", TEMPLATE + "  - {name: B, langage: python3, test_payload: {{ token | tojson }}}\n")
    with pytest.raises(WorkflowError) as caught:
        workflow.load(template, workflow.variables([f"token={SECRET}"], [], {}))
    assert [(fault.path, fault.hint) for fault in caught.value.faults] == [
        ("algorithms[1].language", None),
        ("algorithms[1].langage", "did you mean language?"),
    ]


def test_a_sensitive_variable_is_a_text(tmp_path: Path) -> None:
    template = write(tmp_path, "w.yaml.j2", TEMPLATE)
    with pytest.raises(WorkflowError) as caught:
        workflow.load(template, {"token": 5})
    assert [(fault.line, fault.path, fault.code) for fault in caught.value.faults] == [(3, "variables.token", "variable-type")]
