"""One workflow as JSON, as YAML and as templates of both gives the same plan, byte for byte, except for `meta`."""

import json

import pytest
from harness import Workspace

DOCUMENT = {
    "source_info": {"cluster_address": "file://source"},
    "test_info": {"entrypoint": "One", "tests": [{"name": "many", "payload": 10, "timeout": 60}]},
    "algorithms": [
        {
            "name": "One",
            "code_path": "file://algorithms/One",
            "language": "python3",
            "data_files": ["data://.my/models/a.bin"],
            "test_payload": {"image": "data://.my/<algo>/a.bin", "scale": 1.50, "deep": [None, True, {"é": "ü"}]},
        }
    ],
}
YAML = """\
source_info: {cluster_address: "file://source"}
test_info:
  entrypoint: One
  tests:
    - {name: many, payload: 10, timeout: 60}
algorithms:
  - name: One
    code_path: file://algorithms/One
    language: python3
    data_files: [data://.my/models/a.bin]
    test_payload:
      image: data://.my/<algo>/a.bin
      scale: 1.5
      deep: [null, true, {"é": ü}]
"""
JSON_TEMPLATE = '{"variables": {"count": {"default": 3}},' + json.dumps(DOCUMENT)[1:].replace(
    '"payload": 10', '"payload": {{ count }}'
).replace('"One"', '"{{ name }}"')
YAML_TEMPLATE = "variables:\n  count: {default: 3}\n  name: {}\n" + YAML.replace("payload: 10", "payload: {{ count }}").replace(
    " One\n", " {{ name }}\n"
)


def plan_of(workspace: Workspace, name: str, text: str, *arguments: str) -> str:
    (workspace.folder / name).write_text(text)
    document = workspace.plan(name, *arguments)
    document.pop("meta")
    return json.dumps(document)


def test_equal_plans(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.data("models", "a.bin", b"1")
    variables = ("--var", "count=10", "--var", "name=One")
    template = JSON_TEMPLATE.replace('{"default": 3}', '{"default": 3}, "name": {}')
    plans = {
        "json": plan_of(workspace, "a.json", json.dumps(DOCUMENT)),
        "yaml": plan_of(workspace, "a.yaml", YAML),
        "json.j2": plan_of(workspace, "b.json.j2", template, *variables),
        "yaml.j2": plan_of(workspace, "b.yaml.j2", YAML_TEMPLATE, *variables),
    }
    assert set(plans.values()) == {plans["json"]}
    assert '"action": "create"' in plans["json"]


def test_a_template_rendered_by_hand_is_the_same_workflow(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.data("models", "a.bin", b"1")
    (workspace.folder / "t.yaml.j2").write_text(YAML_TEMPLATE)
    (workspace.folder / "vars.json").write_text('{"name": "One"}')
    given = {"ALGOSYNC_VAR_count": "10"}
    done = workspace.run("render", "t.yaml.j2", "--var-file", "vars.json", environ=given)
    assert done.returncode == 0, done.stderr
    assert plan_of(workspace, "rendered.yaml", done.stdout) == plan_of(workspace, "a.yaml", YAML)


SECRETS = ["hunter22", 'with "quotes" and \\ in it', "first\nlines of it", "grün-ß-geheim", "1234", "x" * 300]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_sensitive_variable_never_shows(workspace: Workspace, secret: str) -> None:
    """It appears in no stream and no file, in no encoding that is used there."""
    workspace.algorithm("One")
    algorithm = "  - {name: One, language: python3, details: {label: {{ token | tojson }}}}\n"
    text = f"variables:\n  token: {{sensitive: true}}\nalgorithms:\n{algorithm}"
    (workspace.folder / "s.yaml.j2").write_text(text)
    forms = [line for line in secret.splitlines() if not line.isdecimal()]
    forms += [json.dumps(form)[1:-1] for form in forms]
    for command in (["plan"], ["plan", "--json"], ["render"], ["validate"], ["apply", "--auto-approve"], ["drift", "--json"]):
        done = workspace.run(command[0], "s.yaml.j2", *command[1:], environ={"ALGOSYNC_VAR_token": secret})
        assert done.returncode == 0, done.stderr
        assert [form for form in forms if form in done.stdout + done.stderr] == []
        if "--json" in command:
            json.loads(done.stdout)
    kept = "".join(path.read_text() for path in (workspace.folder / "state").iterdir() if path.is_file())
    assert [form for form in forms if form in kept] == []
    assert workspace.run("plan", "s.yaml.j2", "--detailed-exitcode", environ={"ALGOSYNC_VAR_token": secret}).returncode == 0
