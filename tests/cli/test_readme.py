"""The documentation shows what the program does: commands and output, options, the workflow format, the local cluster's manual."""

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
from algosync.core.testing.case import QualityGate
from algosync.views import FORMATS

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
COMMAND_LINE = (ROOT / "algosync" / "cli" / "README.md").read_text()
LOCAL_CLUSTER = (ROOT / "algosync" / "emulator" / "README.md").read_text()
FORMAT = (ROOT / "workflows" / "README.md").read_text()
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") and part != ".github" for part in path.relative_to(ROOT).parts)
)
COMMANDS = (
    "validate",
    "render",
    "plan",
    "show",
    "apply",
    "test",
    "compare",
    "drift",
    "graph",
    "destroy",
    "import",
    "history",
    "versions",
    "rollback",
    "doctor",
)


def normal(text: str) -> list[str]:
    """Without what differs from run to run: times, commits, the state's folder and cluster, and how often a build was looked at."""
    text = re.sub(r"\b\d+(\.\d)?s\b", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "COMMIT", text)
    text = re.sub(r"/.*/state/(workflow@local-default-)[0-9a-f]{8}\b", r"STATE/\1ID", text)
    return [re.sub(r" +", " ", line).rstrip() for line in text.splitlines() if "Building: " not in line]


@pytest.mark.needs("cat", "mkdir")
def test_an_algorithm_of_your_own(tmp_path: Path) -> None:
    """The commands of that section, one after another, give the output that it shows."""
    section = README.partition("## An algorithm of your own")[2].partition("\n## ")[0]
    create, call = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    shown = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert shown is not None
    workspace = Workspace(tmp_path)
    environ = workspace.environment({"PATH": f"{_programs(tmp_path)}:{os.environ['PATH']}", "CI": "1"})

    def shell(script: str, folder: Path) -> str:
        done = subprocess.run(
            ["sh", "-euc", script],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    try:
        created = shell(create, tmp_path)
        assert normal(shown[1])[0] in normal(created)
        assert normal(created[created.index("Workflow: ") :]) == normal(shown[1])
        called = shell(call, tmp_path / "greeter")
        assert "Hello, Ada\n" in called
        assert "/page/" in called
    finally:
        Workspace(tmp_path / "greeter").run("emulator", "stop")


def _programs(folder: Path) -> Path:
    """A folder with `algosync` and `python`, as an activated virtual environment has them."""
    programs = folder / "bin"
    programs.mkdir()
    for name, command in (("algosync", "-m algosync"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        (programs / name).chmod(0o755)
    return programs


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


def options_of(command: str) -> set[str]:
    help_text = Workspace(ROOT).run(command, "--help-all").stdout
    return set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", help_text, re.MULTILINE))


def test_every_option_is_told_with_its_commands() -> None:
    told: dict[str, set[str]] = {command: {"--help", "--help-all"} for command in COMMANDS}
    for names, commands in re.findall(r"^\| ((?:`--[^`]+`(?:, )?)+) \| ([a-z, ]+) \|", COMMAND_LINE, re.MULTILINE):
        for command in COMMANDS if commands == "all" else commands.split(", "):
            told[command] |= set(re.findall(r"`(--[a-z-]+)", names))
    assert told == {command: options_of(command) for command in COMMANDS}


def test_every_format_is_told() -> None:
    (row,) = re.findall(r"^\| `--report FORMAT\[:PATH\]` .*", COMMAND_LINE, re.MULTILINE)
    told = re.findall(r"`([a-z]+)`", row)
    assert set(told) == set(FORMATS)


def test_the_workflow_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```", FORMAT, re.DOTALL | re.MULTILINE)
    texts = [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in blocks]
    assert len(texts) == 4  # those on tests: tests/workflow/test_documented_tests.py
    (tmp_path / "plain.yaml").write_text(texts[0])
    (tmp_path / "template.yaml.j2").write_text(texts[1])
    assert workflow.load(tmp_path / "plain.yaml", {}).entrypoint == "Greeter"
    loaded = workflow.load(tmp_path / "template.yaml.j2", {"token": "token"})
    assert loaded.algorithms[0].details.label == "Greeter (test)"
    (gated,) = (text for text in texts if "no_worse_than_published" in text)
    (tmp_path / "gates.yaml").write_text(gated)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "labelled.csv").write_text("payload,label,region\n1,setosa,north\n")
    (gate,) = workflow.load(tmp_path / "gates.yaml", {}).algorithms[0].tests
    assert gate.gate == QualityGate("f1", "$.species", at_least=0.9, no_worse_than_published=0.01, by="region")


@pytest.mark.needs("env", "grep")
def test_the_commands_of_a_cluster_that_stays(tmp_path: Path) -> None:
    block = re.search(r"```sh\n(.*?)```", LOCAL_CLUSTER, re.DOTALL)
    assert block is not None
    workspace = Workspace(tmp_path)
    environ = workspace.environment({"PATH": f"{_programs(tmp_path)}:{os.environ['PATH']}"})
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
    block = re.search(r"```python\n(.*?)```", LOCAL_CLUSTER, re.DOTALL)
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
    section = LOCAL_CLUSTER
    commands = ("start", "stop", "status", "reset", "logs", "env", "user add", "key add", "key list", "key remove")
    helps = {command: Workspace(ROOT).run("emulator", *command.split(), "--help-all").stdout for command in commands}
    lines = re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)(?: / (--no-[a-z0-9-]+))?", "\n".join(helps.values()), re.MULTILINE)
    offered, taken_back = ({line[side] for line in lines} for side in (0, 1))
    told = set(re.findall(r"(--[a-z][a-z0-9-]+)", section))
    assert offered - told == {"--help", "--help-all", "--state", "--json", "--auto-approve", "--no-input"}  # as everywhere
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

    table = LOCAL_CLUSTER.partition("| option of `start` | |")[2].partition("\n\n")[0]
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
    limits = f"{calls.MAX_INPUT // mib} MiB and answer {runner.MAX_ANSWER // mib} MiB, at most {calls.MAX_TIMEOUT} seconds"
    others = f"other JSON bodies are {replies.MAX_JSON // mib} MiB, heads of requests {request_limits.MAX_HEAD // 1024} KiB"
    told = f"Calls take {limits} each; {others}."
    assert told in LOCAL_CLUSTER


def test_the_limits_of_a_source_are_those_that_there_are() -> None:
    from algosync.sources import ignored_files
    from algosync.sources.archive import tar
    from algosync.sources.archive.entries import DEFAULT

    unpacked = f"{DEFAULT.size >> 20} MiB unpacked, and at most {DEFAULT.ratio} times the archive's size"
    counts = f"(after the first {DEFAULT.grace >> 20} MiB); {DEFAULT.entries:,} files and folders; paths of at most"
    paths = f"{DEFAULT.depth} names and {DEFAULT.path} bytes, each name at most {DEFAULT.name} bytes"
    headers = f"with at most {tar._HEADERS_PER_ENTRY * DEFAULT.entries:,} headers"
    told = " ".join(FORMAT.split())
    assert f"**Limits of a source**: {unpacked} {counts} {paths}" in told
    assert headers in told
    assert f"{ignored_files._SIZE_LIMIT >> 10} KiB and {ignored_files._PATTERN_LIMIT} patterns" in told


def test_the_faults_are_those_that_there_are() -> None:
    from algosync.emulator.faults.kinds import KINDS
    from algosync.emulator.faults.rules import parse

    block = re.search(r"```json\n(.*?)```", LOCAL_CLUSTER, re.DOTALL)
    assert block is not None
    assert len(parse(block[1].encode())) == 1
    shown = re.findall(r"`\{(\"[^`]*)\}`", LOCAL_CLUSTER.partition("| `then` |")[2].partition("\n\n")[0])
    assert {kind for row in shown for kind in re.findall(r'"(\w+)":', row)} >= set(KINDS)


@pytest.mark.parametrize("name", ["hello_world", "image_parallel_pipelining", "model_release", "swapped_labels"])
def test_every_example_is_valid(name: str) -> None:
    assert Workspace(ROOT).run("validate", name).returncode == 0


def anchors(document: Path) -> set[str]:
    """The anchors that a forge gives to the headings of a document."""
    prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = (document.parent / path) if path else document
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_nothing_cites_a_document_that_is_not_here() -> None:
    """Documents are named by their file name; each of these is a file of the repository."""
    here = {path.name for path in DOCUMENTS}
    named = {
        (str(path.relative_to(ROOT)), name)
        for folder in ("algosync", "tests", "workflows", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix in ("", ".py", ".md", ".yaml", ".yml", ".sh", ".json", ".j2")
        and not any(part.startswith(".") for part in path.relative_to(ROOT / folder).parts)
        for name in re.findall(r"\b[\w-]+\.md\b", path.read_text(errors="replace"))
    }
    assert {(file, name) for file, name in named if name not in here} == set()
