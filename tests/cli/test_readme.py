"""What README shows is what the program does: the session, the options, the variables, the exit codes, the workflow."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from harness import Cluster, Workspace

from algosync import workflow

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = ("validate", "render", "plan", "apply", "test", "drift")


def normal(text: str) -> list[str]:
    """Without what differs from run to run: times, commits, and how often a build was looked at."""
    text = re.sub(r"\b\d+(\.\d)?s\b", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "COMMIT", text)
    return [re.sub(r" +", " ", line).rstrip() for line in text.splitlines() if "Building: " not in line]


def test_the_session(tmp_path: Path) -> None:
    """Both streams into one, as a terminal or a CI log shows them."""
    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert block is not None
    sessions = [part for part in block[1].split("$ ") if part]
    assert len(sessions) == 2
    for session in sessions:
        command, _, expected = session.partition("\n")
        arguments = command.split()[1:]
        done = subprocess.run(
            [sys.executable, "-m", "algosync", *arguments, "--state", str(tmp_path / "state")],
            cwd=ROOT,
            env=Workspace(ROOT).environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=True,
        )
        assert normal(done.stdout) == normal(expected)


def options_of(command: str) -> set[str]:
    help_text = Workspace(ROOT).run(command, "--help").stdout
    return set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", help_text, re.MULTILINE))


def test_every_option_is_told_with_its_commands() -> None:
    told: dict[str, set[str]] = {command: {"--help"} for command in COMMANDS}
    for names, commands in re.findall(r"^\| ((?:`--[^`]+`(?:, )?)+) \| ([a-z, ]+) \|", README, re.MULTILINE):
        for command in COMMANDS if commands == "all" else commands.split(", "):
            told[command] |= set(re.findall(r"`(--[a-z-]+)", names))
    assert told == {command: options_of(command) for command in COMMANDS}


def test_the_workflow_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```", README, re.DOTALL | re.MULTILINE)
    texts = [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in blocks]
    assert len(texts) == 2
    (tmp_path / "plain.yaml").write_text(texts[0])
    (tmp_path / "template.yaml.j2").write_text(texts[1])
    assert workflow.load(tmp_path / "plain.yaml", {}).entrypoint == "Greeter"
    loaded = workflow.load(tmp_path / "template.yaml.j2", {"token": "token"})
    assert loaded.algorithms[0].details.label == "Greeter (test)"


def test_the_commands_of_a_cluster_that_stays(tmp_path: Path) -> None:
    section = README.partition("## A local cluster that stays")[2].partition("\n## ")[0]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    program = tmp_path / "algosync"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m algosync "$@"\n')
    program.chmod(0o755)
    workspace = Workspace(tmp_path)
    environ = workspace.environment({"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    script = block[1].replace("algosync emulator stop", 'env | grep -E "^[A-Z_]+=" >&2; algosync emulator stop')
    try:
        done = subprocess.run(
            ["sh", "-euc", script], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=True
        )
    finally:
        workspace.run("emulator", "stop")
    address, user_key, other_key, *keys, status = done.stdout.splitlines()
    owners = [line.split("  ")[1] for line in keys]
    assert owners == ["local", "local", "quality", "local"]
    assert address.startswith("https://")
    assert user_key.startswith("sim")
    assert {"/", "+", "="} <= set(other_key)
    assert status.startswith(f"default  running  {address}")
    assert f"DESTINATION_API_ADDRESS={address}\n" in done.stderr
    assert "ADMIN_API_KEY=sim" in done.stderr


def test_the_ids_of_environments(cluster: Cluster) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    script = f"import Algorithmia, json\nprint(json.dumps({block[1].strip()}))"
    environ = {**os.environ, "ALGORITHMIA_API": cluster.url, "ALGORITHMIA_API_KEY": cluster.key}
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, timeout=60, check=True)
    settings = {"source_visibility": "closed", "license": "apl", "network_access": "full", "pipeline_enabled": True}
    settings["algorithm_environment"] = json.loads(done.stdout)["Python 3.9"]
    created = {"name": "Mine", "details": {"label": "Mine"}, "settings": settings}
    request = urllib.request.Request(
        f"{cluster.url}/v1/algorithms/{cluster.user}",
        json.dumps(created).encode(),
        {"Authorization": cluster.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def test_every_option_of_its_commands_is_told() -> None:
    section = README.partition("## A local cluster that stays")[2].partition("\n## ")[0]
    commands = ("start", "stop", "status", "reset", "logs", "env", "user add", "key add", "key list", "key remove")
    helps = {command: Workspace(ROOT).run("emulator", *command.split(), "--help").stdout for command in commands}
    lines = re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)(?: / (--no-[a-z0-9-]+))?", "\n".join(helps.values()), re.MULTILINE)
    offered, taken_back = ({line[side] for line in lines} for side in (0, 1))
    told = set(re.findall(r"(--[a-z][a-z0-9-]+)", section))
    assert offered - told == {"--help", "--state", "--json", "--auto-approve", "--no-input"}  # as everywhere
    assert told - offered - taken_back == {"--destination", "--profile"}  # the last one is of `algo`
    assert {"--no-tls", "--no-etag"} <= taken_back
    columns = re.findall(r"^\| `(--[a-z0-9-]+)(?: (\w+)`, `(\w+))?", section, re.MULTILINE)
    for option, *values in columns:
        shown = re.search(rf"^  {option}(?: <(.*)>)?", helps["start"], re.MULTILINE)
        assert (option, shown and (shown[1] or "")) == (option, "|".join(filter(None, values)))


def test_the_answers_told_are_those_that_there_are() -> None:
    """Every stance is in the table, and nothing else; the first of two answers is the usual one."""
    from dataclasses import fields

    from algosync.emulator.variants import DEFAULT_VARIANTS

    table = README.partition("| option of `start` | |")[2].partition("\n\n")[0]
    told = re.findall(r"^\| `--([a-z0-9-]+)(?: (\d+))?", table, re.MULTILINE)
    assert {name.replace("-", "_") for name, _ in told} == {field.name for field in fields(DEFAULT_VARIANTS)}
    assert {name: str(getattr(DEFAULT_VARIANTS, name.replace("-", "_"))) for name, first in told if first} == {
        name: first for name, first in told if first
    }


def test_the_limits_are_those_that_there_are() -> None:
    from algosync.emulator.api import calls
    from algosync.emulator.http import replies, request_limits
    from algosync.emulator.running import runner

    mib = 1024 * 1024
    calls = f"{calls.MAX_INPUT // mib} MiB and answer {runner.MAX_ANSWER // mib} MiB, at most {calls.MAX_TIMEOUT} seconds"
    others = f"other JSON bodies are {replies.MAX_JSON // mib} MiB, heads of requests {request_limits.MAX_HEAD // 1024} KiB"
    told = f"Calls take {calls} each; {others}."
    assert told in README


def test_the_faults_are_those_that_there_are() -> None:
    from algosync.emulator.faults.kinds import KINDS
    from algosync.emulator.faults.rules import parse

    block = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert len(parse(block[1].encode())) == 1
    shown = re.findall(r"`\{(\"[^`]*)\}`", README.partition("| `then` |")[2].partition("\n\n")[0])
    assert {kind for row in shown for kind in re.findall(r'"(\w+)":', row)} >= set(KINDS)


@pytest.mark.parametrize("name", ["hello_world", "image_parallel_pipelining", "model_release"])
def test_every_example_is_valid(name: str) -> None:
    assert Workspace(ROOT).run("validate", name).returncode == 0


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []
