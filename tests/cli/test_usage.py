"""A wrong command line is exit 64, a broken workflow is exit 1. Both send no request to any cluster."""

import io
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness import Workspace
from typer.testing import CliRunner

from algosync.cli.internal_error import internal_error
from algosync.cli.main import app
from algosync.cli.terminal import Terminal
from algosync.core.planning.plan_file_start import MAGIC
from algosync.views.usage_message import ParserError, usage_message

BROKEN = sorted((Path(__file__).resolve().parent.parent / "workflow" / "broken").glob("*.*"))
FILES = [path for path in BROKEN if path.suffix != ".faults"]


def flags_of(path: Path) -> list[str]:
    """The template variables of a broken workflow, which the first lines of its `.faults` file list."""
    lines = path.with_name(f"{path.name}.faults").read_text().splitlines()
    return [part for line in lines if line.startswith("--var ") for part in ("--var", json.loads(line.removeprefix("--var ")))]


def keys_of(path: Path) -> dict[str, str]:
    """The API keys of a broken workflow's test, as environment variables. The workflow must not contain them."""
    lines = path.with_name(f"{path.name}.faults").read_text().splitlines()
    keys = [json.loads(line.removeprefix("--secret ")) for line in lines if line.startswith("--secret ")]
    return dict(zip(("DESTINATION_API_KEY", "SOURCE_API_KEY"), keys[1::-1], strict=False))


@pytest.fixture
def alone(tmp_path: Path) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace(folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "--nope"], "No such option: --nope"),
        (["plan", "--report", "word"], "--report word: the format is unknown"),
        (["drift", "--json", "--report", "text"], "--report text: stdout already gets the format json"),
        (["nope"], "No such command 'nope'."),
        (["plan", "--parallelism", "0"], "it must be greater than or equal to 1\n"),
        (["plan", "--parallelism", "65"], "it must be less than or equal to 64\n"),
        (["emulator", "key", "add", "--expires-in", "x"], "'ALGOSYNC_EXPIRES_IN'): it must be a number.\n"),
        (["plan", "--parallelism", "many"], "parallelism"),
        (["plan", "nowhere.json"], "nowhere.json"),
        (["plan"], ""),
        (["plan", "w.json"], "no destination is named"),
        (["plan", "w.json", "--destination", "local:../../etc"], "does not name a local cluster"),
        (["plan", "w.json", "--destination", "http://example.com"], "plain http"),
        (["plan", "w.json", "--destination", "https://user:pw@example.com"], "user name or password"),
        (["plan", "w.json", "--destination", "https://api.example.com"], "DESTINATION_API_KEY is not set"),
        (["plan", "w.json", "--destination", "https://api.example.com"], "export DESTINATION_API_KEY=...; to rehearse on a local"),
        (["plan", "w.json", "--destination", "locl"], "did you mean local?"),
        (["plan", "w.json", "--destination", "Local:two"], "did you mean local?"),
        (["plan", "w.json", "--local-home", ""], "--local-home is empty"),
        (["emulator", "stop", "--local-home", ""], "--local-home is empty"),
        (["plan", "w.json", "--destination", "ftp://example.com"], "must look like https://"),
        (["plan", "w.json", "--chdir", "nowhere"], "--chdir nowhere"),
        (["--chdir", "nowhere", "plan", "w.json"], "--chdir nowhere"),
        (["validate", "w.json", "--var", "x"], "--var takes NAME=VALUE"),
        (["plan", "w.json", "--state", ""], "--state is empty"),
        (["plan", "w.json", "--state", "a" * 300], "cannot be used: File name too long"),
        (["plan", "w.json", "--state", "w.json/x"], "cannot be used: Not a directory"),
        (["emulator", "start", "--state", ""], "--state is empty"),
        (["plan", "a" * 300], "there is no workflow"),
    ],
)
def test_usage_errors_are_exit_64(alone: Workspace, arguments: list[str], message: str) -> None:
    (alone.folder / "w.json").write_text(json.dumps({"algorithms": [{"name": "One", "language": "python3"}]}))
    if arguments == ["plan"]:
        (alone.folder / "w.json").unlink()
    done = alone.run(*arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("key", ["sim key", "simkey\n", "simk\u00e9y", "sim\x1bkey"])
def test_an_invalid_key_is_refused_and_not_shown(alone: Workspace, key: str) -> None:
    (alone.folder / "w.json").write_text(json.dumps({"algorithms": [{"name": "One", "language": "python3"}]}))
    environ = {"DESTINATION_API_ADDRESS": "https://api.example.com", "DESTINATION_API_KEY": key}
    done = alone.run("plan", "w.json", environ=environ)
    assert done.returncode == 64
    assert re.match("Error: DESTINATION_API_KEY (holds spaces or characters|begins or ends with a space)", done.stderr)
    assert "sim" not in done.stderr


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_a_broken_workflow_is_exit_1_without_a_request(alone: Workspace, path: Path) -> None:
    """A listener at the destination's address must not get a connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environ = {"DESTINATION_API_ADDRESS": address, "DESTINATION_API_KEY": "simkey", "SOURCE_API_ADDRESS": address}
        environ |= keys_of(path)
        done = alone.run("apply", "--auto-approve", str(path), *flags_of(path), environ=environ)
        with pytest.raises(BlockingIOError):
            listener.accept()
    is_usage = path.name == "report.json"  # the report of a plan in the place of a saved plan
    assert (done.returncode, done.stdout) == (64 if is_usage else 1, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ")


def test_there_are_enough_broken_workflows() -> None:
    assert len(FILES) >= 30


def test_a_fault_is_shown_with_its_place_and_a_suggestion(alone: Workspace) -> None:
    (alone.folder / "w.json").write_text('{"algorithms": [\n  {"name": "One", "langauge": "python3"}\n]}\n')
    done = alone.run("validate", "w.json")
    assert done.returncode == 1
    assert "w.json:2:19" in done.stderr
    assert "algorithms[0].langauge" in done.stderr
    assert "language" in done.stderr


def test_missing_code_is_reported_for_every_algorithm(alone: Workspace) -> None:
    alone.algorithm("There")
    names = ("There", "Here", "Elsewhere")
    algorithms: list[dict[str, object]] = [{"name": name, "language": "python3"} for name in names]
    algorithms[2]["code_path"] = "file://nowhere.tar.gz"
    alone.write(algorithms)
    done = alone.run("validate")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: Here: its code 'algorithms/Here' does not exist\n  workflow.json:1" in done.stderr
    assert "Error: Elsewhere: its code 'nowhere.tar.gz' does not exist" in done.stderr
    assert "There:" not in done.stderr


def test_calls_that_find_nothing_are_warned_about_with_file_and_line(alone: Workspace) -> None:
    call = "import Algorithmia\\n\\nX = 'algo://<user>/{}/latestPrivate'\\nD = 'data://<user>/Nowhere/x'\\n"
    for name, called in (("First", "Second"), ("Second", "First"), ("Third", "Fourth"), ("Fourth", "Nobody")):
        alone.algorithm(name, call.format(called).replace("\\n", "\n"))
    names = ("First", "Second", "Third", "Fourth")
    alone.write([{"name": n, "language": "python3", **({"depends_on": ["Fourth"]} if n == "Third" else {})} for n in names])
    (alone.folder / "source").mkdir()
    done = alone.run("validate")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Warning: First: src/First.py:3 calls <user>/Second, which is published later: move it up, or add depends_on: [Second]",
        "Warning: Fourth: src/Fourth.py:3 calls <user>/Nobody, which is not an algorithm of this workflow",
    ]


@pytest.mark.parametrize("name", ["x.tfvars", "x.env"])
def test_a_file_of_variables_in_another_form_says_which_there_are(alone: Workspace, name: str) -> None:
    (alone.folder / "w.json").write_text(json.dumps({"algorithms": [{"name": "One", "language": "node"}]}))
    (alone.folder / name).write_text("x = 1\n")
    done = alone.run("validate", "w.json", "--var-file", name)
    assert done.returncode == 64
    assert done.stderr.startswith(f"Error: --var-file {name}: a file of variables is YAML or JSON\n  write NAME: VALUE")


def test_a_variable_and_an_option_do_not_collide(alone: Workspace) -> None:
    alone.algorithm("One")
    (alone.folder / "vars.yaml").write_text("label: given\n")
    text = "variables:\n  label: {}\nalgorithms:\n  - {name: One, language: python3, details: {label: '{{ label }}'}}\n"
    (alone.folder / "w.yaml.j2").write_text(text)
    assert "label: 'given'" in alone.run("render", "w.yaml.j2", environ={"ALGOSYNC_VAR_FILE": "vars.yaml"}).stdout
    (alone.folder / "w.yaml.j2").write_text(text.replace("label: {}", "FILE: {}"))
    done = alone.run("validate", "w.yaml.j2", environ={"ALGOSYNC_VAR_FILE": "vars.yaml"})
    assert "the variable 'FILE' has no default and was not given" in done.stderr
    assert "give --var FILE=…\n" in done.stderr


def test_a_report_of_a_plan_is_no_workflow(alone: Workspace) -> None:
    (alone.folder / "plan.json").write_text('{"format_version": "1.0", "resource_changes": []}')
    done = alone.run("apply", "plan.json", "--destination", "local")
    assert done.returncode == 64
    assert "Error: plan.json is a report of `plan --json`, which is no saved plan" in done.stderr
    planned = alone.run("plan", "plan.json", "--destination", "local")
    assert planned.returncode == 1
    assert "Error: this is a report of a plan, of a drift or of a state, not a workflow" in planned.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "-target", "One"], "No such option: -target. Did you mean --target?"),
        (["plan", "-out=x"], "No such option: -out. Did you mean --out?"),
        (["plan", "-json"], "No such option: -json. Did you mean --json?"),
        (["apply", "-auto-approve"], "No such option: -auto-approve. Did you mean --auto-approve?"),
        (["plan", "-destination=local"], "No such option: -destination. Did you mean --destination?"),
        (["plan", "-help"], "No such option: -help. Did you mean --help?"),
        (["-version"], "No such option: -version. Did you mean --version?"),
        (["plan", "-x", "-target=a"], "No such option: -x"),
        (["taint", "One"], "No such command 'taint'. Use `algosync apply --replace ADDRESS`."),
        (["init"], "No such command 'init'. Nothing has to be set up: the first apply makes the state."),
        (["emulator", "init"], "No such command 'init'."),
        (["-chdir=x", "plan"], "No such option: -chdir. Did you mean --chdir?"),
        (["plan", "-no-color"], "No such option: -no-color. Set NO_COLOR=1. Output that goes into a file or a pipe has no colour."),
        (
            ["--no-color", "plan"],
            "No such option: --no-color. Set NO_COLOR=1. Output that goes into a file or a pipe has no colour.",
        ),
        (["--quiet", "plan"], "No such option: --quiet. Progress goes to stderr: 2>/dev/null leaves only the result."),
        (["plan", "-input=false"], "No such option: -input. Use `--no-input`."),
        (
            ["--destination", "local", "plan"],
            "No such option: --destination before the command. Write it behind: algosync plan --destination",
        ),
        (["-json", "plan"], "No such option: -json before the command. Write it behind: algosync plan --json"),
        (
            ["state", "--json", "show", "x"],
            "No such option: --json before the command. Write it behind: algosync state show --json",
        ),
        (["--json", "validate"], "No such option: --json (Possible options: --version)"),
    ],
)
def test_the_words_of_terraform_lead_to_those_of_algosync(arguments: list[str], message: str) -> None:
    with pytest.raises(ParserError) as raised:
        app(arguments, standalone_mode=False)
    assert usage_message(raised.value, arguments).splitlines()[0] == f"Error: {message}"


@pytest.mark.parametrize("arguments", [["--chdir", "there", "validate"], ["validate", "--chdir", "there"]])
@pytest.mark.parametrize("variable", ["", "nowhere"])
def test_the_folder_stands_before_or_behind_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], variable: str
) -> None:
    """Either way it overrides the variable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALGOSYNC_CHDIR", variable)
    folder = Workspace(tmp_path / "there").folder
    folder.mkdir()
    (folder / "workflow.json").write_text(
        json.dumps({"algorithms": [{"name": "One", "language": "python3", "code": "data://.my/a/b.zip"}]})
    )
    result = CliRunner().invoke(app, arguments, obj=Terminal(io.StringIO(), told := io.StringIO(), (False, False), live=False))
    assert (result.exit_code, result.exception) == (0, None), told.getvalue()
    assert Path.cwd() == folder


def test_debug_output_is_enabled_before_or_behind_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    enabled: list[object] = []
    monkeypatch.setattr("algosync.cli.debug.enable", enabled.append)
    for arguments in (["--debug", "schema"], ["--debug", "validate", "--help"]):
        CliRunner().invoke(app, arguments, obj=Terminal(io.StringIO(), io.StringIO(), (False, False), live=False))
    assert len(enabled) == 2


@pytest.mark.parametrize("command", ["plan", "validate", "render", "destroy"])
def test_a_saved_plan_is_no_workflow(alone: Workspace, command: str) -> None:
    (alone.folder / "plan.json").write_bytes(MAGIC + b"{}")
    done = alone.run(command, "plan.json")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == (
        "Error: plan.json is a saved plan, not a workflow\n"
        "  `algosync show plan.json` shows it, `algosync apply plan.json` carries it out\n"
    )


@pytest.mark.parametrize("target", ["nowhere", "loop"])
def test_a_state_that_is_a_broken_link_is_refused_before_any_request(alone: Workspace, target: str) -> None:
    (alone.folder / "w.json").write_text(json.dumps({"algorithms": [{"name": "One", "language": "python3"}]}))
    (alone.folder / "loop").symlink_to(target)
    done = alone.run("plan", "w.json", "--state", "loop", "--destination", "https://api.example.com")
    assert done.returncode == 64
    assert done.stderr.startswith("Error: --state loop ")


@pytest.mark.parametrize("arguments", [["plan", "w.json"], ["validate"], ["emulator", "status"]])
def test_a_folder_that_vanished_is_an_error_in_words(alone: Workspace, arguments: list[str]) -> None:
    script = "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", script, sys.executable, "-m", "algosync", *arguments]
    done = subprocess.run(command, cwd=alone.folder, env=alone.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the current folder does not exist any more\n  change to another folder")


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (MemoryError(), "there is not enough memory", "--parallelism"),
        (OSError(28, "No space left on device", "/x/y"), "/x/y: No space left on device", "free some space"),
        (OSError(36, "File name too long", "a" * 400), f"{'a' * 299}…: File name too long", "--state"),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied", "owner and the mode"),
        (ZeroDivisionError("x"), "a fault in algosync itself: ZeroDivisionError: x", "please report it"),
    ],
)
def test_what_the_system_refuses_is_no_fault_of_algosync(error: Exception, message: str, hint: str) -> None:
    told = internal_error(error)
    assert told.message == message
    assert hint in str(told.hint)


def test_a_name_with_a_secret_is_refused(alone: Workspace) -> None:
    """It would become the name of a file."""
    text = "variables:\n  token: {sensitive: true}\nname: w-{{ token }}\nalgorithms:\n  - {name: A, language: python3}\n"
    (alone.folder / "w.yaml.j2").write_text(text)
    done = alone.run("plan", "w.yaml.j2", "--var", "token=hunter2hunter2", "--destination", "local")
    assert done.returncode == 64
    assert "the workflow's name holds a secret" in done.stderr
    assert not (alone.folder / "state").exists()


def test_a_number_that_depends_on_a_secret_is_refused(alone: Workspace) -> None:
    """A plan would show it, and it cannot be hidden without hiding every equal number."""
    tests = "test_info: {entrypoint: A, tests: [{name: t, payload: 1, timeout: {{ pin }}}]}"
    text = f"variables:\n  pin: {{sensitive: true}}\nalgorithms:\n  - {{name: A, language: python3}}\n{tests}\n"
    (alone.folder / "w.yaml.j2").write_text(text)
    done = alone.run("plan", "w.yaml.j2", "--var", "pin=1739", "--destination", "local", "--json")
    assert done.returncode == 64
    assert "cannot be hidden: tests[0].timeout" in done.stdout + done.stderr
    assert not re.search(r"\b1739\b", done.stdout + done.stderr)  # a port or a time may hold these digits
