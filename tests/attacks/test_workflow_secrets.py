"""API keys and secrets in workflow files, and invalid files of variables: refused with location, and no secret is shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from algosync import workflow
from algosync.core.error import WorkflowError
from algosync.core.secret import Secret

KEY = "sim4pT/+zQ9w=="
OTHER = "simOther1234"


def faults_of(
    path: Path, given: dict[str, object] | None = None, keys: tuple[str, ...] = (KEY, OTHER)
) -> list[tuple[int, int, str, str]]:
    """Return line, column, path and code of each fault. None contains any part of a key."""
    with pytest.raises(WorkflowError) as caught:
        workflow.load(path, given or {}, map(Secret, keys))
    shown = repr((str(caught.value), caught.value.faults))
    assert [key for key in keys if key in shown or key[3:] in shown] == []
    return [(fault.line, fault.column, fault.path, fault.code) for fault in caught.value.faults]


HEAD = "algorithms:\n- name: A\n  language: python3\n"
PLACES = [
    pytest.param("w.yaml", f"# {KEY}\n{HEAD}", [(1, 3, "", "key-in-file")], id="comment"),
    pytest.param("w.yaml", f"{HEAD}  test_payload: {KEY}\n", [(4, 17, "", "key-in-file")], id="payload"),
    pytest.param("w.yaml", f"{HEAD}  test_payload: [{{a: Simple {KEY}}}]\n", [(4, 29, "", "key-in-file")], id="part-of-a-payload"),
    pytest.param(
        "w.yaml",
        f"{HEAD}  details: {{summary: {KEY}, tagline: {OTHER}}}\n",
        [(4, 22, "", "key-in-file"), (4, 47, "", "key-in-file")],
        id="two-keys",
    ),
    pytest.param(
        "w.yaml",
        f"{HEAD}  data_files: [data://.my/a/{KEY}]\n",
        [(4, 16, "", "invalid-uri"), (4, 29, "", "key-in-file")],
        id="data-uri",
    ),
    pytest.param(
        "w.yaml",
        f"{HEAD}  {KEY}: 1\n",
        [(4, 3, "", "key-in-file"), (4, 3, "", "unknown-key")],
        id="unknown-key",
    ),
    pytest.param(
        "w.json",
        f'{{"algorithms": [{{"name": "{KEY}", "language": "x"}}]}}',
        [(1, 26, "", "invalid-name"), (1, 27, "", "key-in-file")],
        id="name",
    ),
    pytest.param(
        "w.json",
        f'{{"source_info": {{"cluster_address": "https://u:{KEY}@h"}},\n"algorithms": [{{"name": "A", "language": "x"}}]}}',
        [(1, 37, "", "invalid-address"), (1, 48, "", "key-in-file")],
        id="address",
    ),
    pytest.param("w.json", f'{{"a": {KEY}', [(1, 7, "", "key-in-file"), (1, 7, "", "syntax")], id="broken-file"),
    pytest.param("w.yaml", f"a: '{KEY}\n", [(1, 5, "", "key-in-file"), (2, 1, "", "syntax")], id="unclosed-text"),
    pytest.param("w.yaml", f"{HEAD}  language: {KEY}\n", [(4, 3, "", "duplicate-key"), (4, 13, "", "key-in-file")], id="duplicate"),
    pytest.param("w.yaml.j2", f"{{# {KEY} #}}\n{HEAD}", [(1, 4, "", "key-in-file")], id="comment-of-a-template"),
    pytest.param(
        "w.yaml.j2", f"{HEAD}  test_payload: {{{{ '{KEY}' | lower }}}}\n", [(4, 21, "", "key-in-file")], id="template-text"
    ),
    pytest.param("w.yaml.j2", f"variables:\n  n: {{default: {KEY}}}\n{HEAD}", [(2, 16, "", "key-in-file")], id="default"),
]
DISGUISED = [
    pytest.param(
        "w.json",
        '{{"algorithms": [{{"name": "A", "language": "x",\n"test_payload": ["sim4pT\\/+zQ9w\\u003d="]}}]}}',
        (2, 18),
        id="escapes",
    ),
    pytest.param("w.yaml", HEAD + '  test_payload: ["sim4\\x70T/+zQ9w=="]\n', (4, 18), id="yaml-escapes"),
    pytest.param("w.yaml", HEAD + '  test_payload: ["sim4pT/+\\\n    zQ9w=="]\n', (4, 18), id="folded"),
    pytest.param("w.yaml.j2", HEAD + "  test_payload: [{{ 'sim4pT/+' ~ 'zQ9w==' }}]\n", (4, 18), id="joined"),
    pytest.param("w.yaml.j2", HEAD + "  test_payload: [{{ '==w9Qz+/Tp4mis' | reverse }}]\n", (4, 18), id="turned-around"),
]


@pytest.mark.parametrize(("name", "text", "faults"), PLACES)
def test_an_api_key_is_found_anywhere_in_the_text(
    tmp_path: Path, name: str, text: str, faults: list[tuple[int, int, str, str]]
) -> None:
    (tmp_path / name).write_text(text)
    assert faults_of(tmp_path / name) == faults


@pytest.mark.parametrize(("name", "text", "place"), DISGUISED)
def test_an_api_key_is_found_after_parsing(tmp_path: Path, name: str, text: str, place: tuple[int, int]) -> None:
    (tmp_path / name).write_text(text.replace("{{", "{").replace("}}", "}") if name == "w.json" else text)
    assert faults_of(tmp_path / name) == [(*place, "algorithms[0].test_payload[0]", "key-in-file")]


@pytest.mark.parametrize("given", [{"token": KEY}, {"token": f"Simple {KEY}"}], ids=["whole", "part"])
@pytest.mark.parametrize("sensitive", ["true", "false"], ids=["sensitive", "open"])
def test_an_api_key_cannot_be_the_value_of_a_variable(tmp_path: Path, sensitive: str, given: dict[str, object]) -> None:
    """It would become part of the algorithm's record on the destination."""
    path = tmp_path / "w.yaml.j2"
    path.write_text(f"variables: {{token: {{sensitive: {sensitive}}}}}\n{HEAD}  test_payload: {{{{ token | tojson }}}}\n")
    ((line, column, _, code),) = faults_of(path, given)
    assert (line, column, code) == (5, 17, "key-in-file")


def test_a_short_key_is_found_only_as_a_whole_value(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"{HEAD}  # simple\n  test_payload: [simple, simplest, {{simple: 1}}, simp]\n")
    assert faults_of(path, keys=("simple",)) == [
        (5, 18, "algorithms[0].test_payload[0]", "key-in-file"),
        (5, 37, "algorithms[0].test_payload[2]", "key-in-file"),
    ]


def test_an_empty_key_and_an_encoded_key_are_not_found(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"{HEAD}  test_payload: ['', {base64.b64encode(KEY.encode()).decode()}]\n")
    assert workflow.load(path, {}, [Secret(""), Secret(KEY)]).algorithms[0].test_payload == '["","c2ltNHBULyt6UTl3PT0="]'


@pytest.mark.parametrize("value", ["", "123", "  ab  ", "\n\n\n\n"], ids=["empty", "three", "blank-around", "line-breaks"])
def test_a_secret_too_short_to_be_masked_is_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "w.yaml.j2"
    path.write_text("variables: {token: {sensitive: true}}\n" + HEAD)
    for verb in (workflow.load, workflow.render, workflow.sensitive):
        with pytest.raises(WorkflowError) as caught:
            verb(path, {"token": value})
        (fault,) = caught.value.faults
        assert (fault.line, fault.path, fault.code) == (1, "variables.token", "sensitive-short")
        assert fault.message == "a secret of fewer than 4 characters cannot be hidden, and 'token' was given one"


VARIABLES = [
    pytest.param("v.json", "[1]", [(1, 1, "type")], id="list"),
    pytest.param("v.yaml", "", [(1, 1, "type")], id="empty"),
    pytest.param("v.json", '{"a": 1, "a": 2}', [(1, 10, "duplicate-key")], id="duplicate-key"),
    pytest.param("v.yaml", "a: 1\n---\nb: 1", [(2, 1, "second-document")], id="two-documents"),
    pytest.param("v.yaml", "a: !!python/name:os.system ''", [(1, 4, "tag")], id="tag"),
    pytest.param("v.yaml", "a: &x [*x]", [(1, 8, "alias-cycle")], id="alias-in-itself"),
    pytest.param("v.yaml", "a: 014", [(1, 4, "number-ambiguous")], id="ambiguous-number"),
    pytest.param("v.json", '{"a": 12345678901234567890.123}', [(1, 7, "variable-type")], id="number-to-be-rounded"),
    pytest.param("v.json", '{"a": ' + "9" * 5000 + "}", [(1, 7, "variable-type")], id="5000-digits"),
    pytest.param("v.json", '{"a": 1e999}', [(1, 7, "variable-type")], id="infinite"),
    pytest.param("v.json", '{"a": NaN}', [(1, 7, "number-not-json")], id="nan"),
    pytest.param("v.json", '{"a": "\\ud800"}', [(1, 7, "lone-surrogate")], id="lone-surrogate"),
    pytest.param("v.json", '{"a":' * 200, [(1, 506, "too-deep")], id="deep"),
    pytest.param("v.json", '{"a b": 1, "__class__": 2}', [(1, 2, "variable-name"), (1, 12, "variable-name")], id="names"),
    pytest.param("v.yaml", "\ufeffa: 1", [(1, 1, "encoding")], id="byte-order-mark"),
    pytest.param("v.yaml", "a: \x00", [(1, 4, "control-character")], id="nul"),
]


@pytest.mark.parametrize(("name", "text", "faults"), VARIABLES)
def test_invalid_files_of_variables(tmp_path: Path, name: str, text: str, faults: list[tuple[int, int, str]]) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(WorkflowError) as caught:
        workflow.variables([], [tmp_path / name], {})
    assert caught.value.file == str(tmp_path / name)
    assert [(fault.line, fault.column, fault.code) for fault in caught.value.faults] == faults


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("w.yaml", HEAD, id="plain"),
        pytest.param("w.yaml", "variables: {cluster: {default: 1}}\n" + HEAD, id="plain-with-a-block"),
        pytest.param("w.yaml.j2", "variables: {cluster: {default: 1}}\n" + HEAD, id="block"),
        pytest.param("w.yaml.j2", HEAD + "  test_payload: {{ cluster }}\n", id="no-block"),
    ],
)
def test_a_file_of_variables_cannot_give_an_unknown_variable(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "v.yaml").write_text("\nclutser: 1\n")
    environ = {"ALGOSYNC_VAR_cluster": "1", "ALGOSYNC_VAR_other": "2"}
    with pytest.raises(WorkflowError) as caught:
        workflow.load(tmp_path / name, workflow.variables([], [tmp_path / "v.yaml"], environ))
    assert [fault.code for fault in caught.value.faults] == ["variable-unknown"]
    assert workflow.load(tmp_path / name, workflow.variables([], [], environ)).algorithms[0].name == "A"
