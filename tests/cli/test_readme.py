"""What README shows is what the program does: the session, the options, the variables, the exit codes, the workflow."""

import re
from pathlib import Path

import pytest
from harness import Workspace

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
    import subprocess
    import sys

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


@pytest.mark.parametrize("name", ["hello_world", "image_parallel_pipelining"])
def test_every_example_is_valid(name: str) -> None:
    assert Workspace(ROOT).run("validate", name).returncode == 0


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []
