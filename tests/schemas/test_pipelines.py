"""The pipelines to copy: their YAML fits the schemas of GitHub and GitLab, and their README tells every variable."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PIPELINES = Path(__file__).parents[2] / "workflows" / "pipelines"
README = (PIPELINES / "README.md").read_text()
SCHEMAS = {
    "github.yml": ("--builtin-schema", "vendor.github-workflows"),
    "gitlab.yml": ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}


def checked(path: Path, name: str) -> subprocess.CompletedProcess[str]:
    """The file against the schema of its system, which the package `check-jsonschema` brings along."""
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[name], str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_yaml_is_valid(name: str) -> None:
    done = checked(PIPELINES / name, name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_mistake_in_the_yaml_is_found(name: str, tmp_path: Path) -> None:
    text = (PIPELINES / name).read_text()
    (tmp_path / name).write_text(re.sub(r"^( +(?:- )?)(run|script):", r"\1typo:", text, flags=re.MULTILINE))
    assert checked(tmp_path / name, name).returncode == 1


def test_every_job_runs_the_script_that_is_tested() -> None:
    github, gitlab = (yaml.safe_load((PIPELINES / name).read_text()) for name in SCHEMAS)
    for job in ("plan", "apply", "drift"):
        line = f"sh workflows/pipelines/pipeline.sh {job}"
        assert line in [step.get("run") for step in github["jobs"][job]["steps"]]
        assert gitlab[job]["script"] == [line]
    assert gitlab["variables"]["PLAN_FILE"] in gitlab["plan"]["artifacts"]["paths"]


def test_on_github_keys_are_given_to_the_jobs_steps_alone() -> None:
    """Installing packages runs code of others, which must not see a key."""
    github = yaml.safe_load((PIPELINES / "github.yml").read_text())
    assert github["permissions"] == {"contents": "read"}
    for steps in [job["steps"] for job in github["jobs"].values()]:
        for step in steps:
            assert ("secrets." in str(step)) == ("pipeline.sh" in str(step.get("run")))
    assert "secrets." not in str({key: value for key, value in github.items() if key != "jobs"})


def test_the_readme_tells_every_variable() -> None:
    text = (PIPELINES / "github.yml").read_text()
    used = set(re.findall(r"(?:vars|secrets)\.([A-Z_]+)", text))
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", README.partition("## Variables to set")[2].partition("\n## ")[0]))
    assert used <= told


def triggers(document: Any) -> Any:
    return document.get("on", document.get(True))  # YAML 1.1 reads `on` as a boolean


def test_a_plan_is_made_on_pull_requests_and_applied_on_main_only() -> None:
    github = yaml.safe_load((PIPELINES / "github.yml").read_text())
    assert set(triggers(github)) == {"pull_request", "push", "schedule", "workflow_dispatch"}
    assert triggers(github)["push"] == {"branches": ["main"]}
    assert github["jobs"]["apply"]["if"] == "github.event_name == 'push'"
    assert github["jobs"]["apply"]["environment"] == "production"
