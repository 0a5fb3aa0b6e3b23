"""Every command against a cluster whose texts are all hostile: none reaches a terminal, a CI system or JSON unescaped."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process
from twisting import Answer, Ask, Request, Twist, twisted

# One text with everything in it. `\udc9b` is a lone surrogate, as a JSON escape can produce it.
HOSTILE = (
    "\n::set-output name=x::y\n::add-mask::a\n  ::error::b\n##vso[task.setvariable variable=x]y\n##[error]z\n"
    "##teamcity[buildStop]\nsection_start:1:x\r\x1b[0K\x1b[2J\x1b[31m\x1b]8;;http://evil\x07link\x1b]8;;\x07\x1b]0;title\x07\x9b2J\x90q\x9c\b\b\b\x7f\x00"
    "\u202egpj.exe\u2066\u200b\u200d\ufeff\u2028\u2029\x85\udc9b\U000e0041[bold red]live[/]:bomb:{0}%s\v\f\r"
)
# Allowed control sequences: colours, and for live output rich's own cursor moves.
_PAINT = re.compile(r"\x1b\[(?:0|(?:1|2|31|32|33|36)(?:;1)?)m")
_CURSOR = re.compile(r"\x1b\[(?:\?25[lh]|1A|2K|\d{0,3}m|1;\d{2}m)|\r")
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]")
_COMMANDS = re.compile(r"(?m)^\s*(?:::|##(?:vso)?\[|##teamcity\[|section_(?:start|end):)|##(?:vso|teamcity)?\[")


def _document(answer: Answer, change: Callable[[object], object]) -> Answer:
    return answer.saying(json.dumps(change(json.loads(answer.body))).encode())


def _errors(shape: Callable[[], bytes], match: str, status: int = 400) -> Twist:
    """All requests of that kind fail, with hostile text in body, reason and headers."""
    hostile_line = re.sub(r"[\r\n\x00]|[^\x00-\xff]", "", HOSTILE)

    def twist(request: Request, ask: Ask) -> Answer:
        if not re.search(match, f"{request.method} {request.path}"):
            return ask()
        headers = {"X-Request-Id": hostile_line, "Location": f"http://evil/{hostile_line}", "X-Error-Message": hostile_line}
        return Answer(status, shape(), "application/json", hostile_line, headers)

    return twist


def _wrapped() -> bytes:
    return json.dumps({"error": {"message": HOSTILE, "id": HOSTILE, "error_type": HOSTILE, "stacktrace": HOSTILE}}).encode()


def _bare() -> bytes:
    return json.dumps({"message": HOSTILE, "id": HOSTILE, "code": 999}).encode()


def _plain() -> bytes:
    return HOSTILE.encode("utf-8", "surrogatepass")


def _long() -> bytes:
    return b'{"error": {"message": "' + b"\\u001b[31m::x" * 800_000 + b'"}}'


def _settings(request: Request, ask: Ask) -> Answer:
    """Hostile labels, settings and environments, which a plan shows."""
    path = request.path.split("?")[0]
    if request.method == "GET" and re.fullmatch(r"/v1/algorithms/local/\w+", path):
        return _document(ask(), _hostile_record)
    return _document(ask(), _hostile_environments) if path.endswith("/environments") else ask()


def _hostile_record(document: object) -> object:
    if not isinstance(document, dict) or "details" not in document:
        return document
    words = {"label": HOSTILE, "tagline": HOSTILE, "summary": HOSTILE}
    return {**document, "details": words, "settings": {**document["settings"], "license": HOSTILE, "network_access": HOSTILE}}


def _hostile_environments(document: object) -> object:
    if isinstance(document, dict):
        return {**document, "environments": _hostile_environments(document["environments"])}
    assert isinstance(document, list)
    return [*document, *({**environment, "display_name": HOSTILE, "id": HOSTILE} for environment in document)]


def _listings(request: Request, ask: Ask) -> Answer:
    """Add a file with a hostile name and stamp to the listing."""
    if request.method != "GET" or request.path.split("?")[0] != "/v1/data/local/One":
        return ask()
    return _document(ask(), _hostile_listing)


def _hostile_listing(document: object) -> object:
    assert isinstance(document, dict)
    more = {"filename": HOSTILE.replace("/", "").replace("\x00", ""), "size": 3, "last_modified": HOSTILE}
    return {**document, "files": [*document["files"], more]}


def _owners(request: Request, ask: Ask) -> Answer:
    if request.path.rstrip("/") != "/v1/data":
        return ask()
    return _document(ask(), lambda _: {"folders": [{"name": HOSTILE.replace("\udc9b", "")}], "files": []})


def _versions(request: Request, ask: Ask) -> Answer:
    if "/versions" not in request.path:
        return ask()
    answer = ask()
    return answer.saying(
        re.sub(r'("semantic_version": ?)"[^"]*"', lambda found: found[1] + json.dumps(HOSTILE), answer.body.decode()).encode()
    )


def _build_log(request: Request, ask: Ask) -> Answer:
    if request.path.endswith("/logs"):
        return Answer(200, json.dumps({"logs": HOSTILE * 3 + "\x1b[31m::y" * 500_000}).encode())
    answer = ask()
    return answer.saying(answer.body.replace(b'"succeeded"', b'"failed"')) if "/builds" in request.path else answer


def _failed_test(request: Request, ask: Ask) -> Answer:
    return Answer(200, _wrapped()) if request.path.startswith("/v1/algo/") else ask()


def _branch(request: Request, ask: Ask) -> Answer:
    if "/info/refs" not in request.path:
        return ask()
    name = re.sub(rb"[\n\x00 ]", b"", HOSTILE.encode("utf-8", "surrogatepass"))
    service = request.path.rpartition("=")[2].encode()
    return ask().saying(
        _packets(b"# service=" + service + b"\n", None, b"0" * 40 + b" refs/heads/" + name + b"\0symref=HEAD:" + name + b"\n", None)
    )


def _git_page(request: Request, ask: Ask) -> Answer:
    return replace(ask(), content_type=re.sub(r"[^ -~]", "", HOSTILE)) if "/info/refs" in request.path else ask()


_GIT = Answer(200, b"", "application/x-git-receive-pack-result")


def _refused_push(request: Request, ask: Ask) -> Answer:
    """`remote:` lines on the second band, the server's refusal on the first."""
    if not request.path.endswith("/git-receive-pack"):
        return ask()
    text = HOSTILE.encode("utf-8", "surrogatepass")
    reason = text.replace(b"\n", b" ")
    report = _packets(b"unpack ok\n", b"ng refs/heads/master " + reason + b"\n", None)
    return _GIT.saying(_packets(b"\x02" + text, b"\x01" + report, None))


def _fatal_push(request: Request, ask: Ask) -> Answer:
    text = HOSTILE.encode("utf-8", "surrogatepass")
    return _GIT.saying(_packets(b"\x03" + text, None)) if request.path.endswith("/git-receive-pack") else ask()


def _packets(*lines: bytes | None) -> bytes:
    return b"".join(b"0000" if line is None else b"%04x" % (len(line) + 4) + line for line in lines)


# The modification, the command, and whether the cluster is empty at first.
CASES: Mapping[str, tuple[Twist, str, bool]] = {
    "owners": (_owners, "plan", False),
    "record-wrapped": (_errors(_wrapped, "GET /v1/algorithms/"), "plan", False),
    "record-bare": (_errors(_bare, "GET /v1/algorithms/", 403), "plan --debug", False),
    "record-plain": (_errors(_plain, "GET /v1/algorithms/", 401), "plan --json", False),
    "record-long": (_errors(_long, "GET /v1/algorithms/"), "plan", False),
    "record-redirect": (_errors(_plain, "GET /v1/algorithms/", 307), "plan", False),
    "settings": (_settings, "plan", False),
    "settings-json": (_settings, "plan --json", False),
    "settings-drift": (_settings, "drift", False),
    "settings-drift-json": (_settings, "drift --json", False),
    "listing-drift": (_listings, "drift", False),
    "listing-drift-json": (_listings, "drift --json", False),
    "versions-plan-json": (_versions, "plan --json", False),
    "branch": (_branch, "plan", False),
    "git-page": (_git_page, "plan", False),
    "git-error": (_errors(_plain, "/info/refs", 400), "plan --debug", False),
    "test-failed": (_failed_test, "test", False),
    "test-refused": (_errors(_wrapped, "POST /v1/algo/"), "test", False),
    "create": (_errors(_wrapped, "POST /v1/algorithms/local$"), "apply --auto-approve", True),
    "upload": (_errors(_plain, "PUT /v1/(connector/)?data/"), "apply --auto-approve", True),
    "push-refused": (_refused_push, "apply --auto-approve", True),
    "push-fatal": (_fatal_push, "apply --auto-approve --debug", True),
    "build-failed": (_build_log, "apply --auto-approve", True),
    "payload-failed": (_failed_test, "apply --auto-approve", True),
    "publish": (_errors(_wrapped, "POST /v1/algorithms/local/[^/]+/versions"), "apply --auto-approve", True),
}
ON_TERMINAL = ("settings", "settings-drift", "push-refused", "build-failed")


@dataclass
class Stage:
    """A cluster with modifiable replies, and a workflow that was applied to it before."""

    cluster: Cluster
    applied: Workspace
    twist: Twist
    changed: bool = False

    def answer(self, request: Request, ask: Ask) -> Answer:
        true: list[Answer] = []

        def asked() -> Answer:
            true.append(ask())
            return true[-1]

        modified = self.twist(request, asked)
        self.changed = self.changed or modified not in true
        return modified

    def space(self, root: Path, case: str) -> Workspace:
        (self.twist, _, fresh), self.changed = CASES[case], False
        return _space(root, self.applied.environ, case.title().replace("-", "") + root.name[-1:]) if fresh else self.applied


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    root = tmp_path_factory.mktemp("applied")
    with cluster_process(root / "cluster") as cluster:
        space = _space(root, cluster.environ(), "One")
        stage = Stage(cluster, space, lambda _, ask: ask())
        with twisted(cluster.url, stage.answer) as address:
            space.environ["DESTINATION_API_ADDRESS"] = address
            space.apply()
            yield stage


def _space(root: Path, environ: Mapping[str, str], name: str) -> Workspace:
    folder = root / "workspace"
    folder.mkdir()
    space = Workspace(folder, dict(environ))
    space.algorithm(name)
    uri = space.data("models", "a.bin", b"x" * 1000)
    space.write([{"name": name, "language": "python3", "data_files": [uri], "test_payload": 1}])
    return space


@pytest.mark.parametrize("case", CASES)
def test_piped_output_contains_no_control_sequences(stage: Stage, tmp_path: Path, case: str) -> None:
    command = CASES[case][1]
    done = stage.space(tmp_path, case).run(*command.split())
    shown = done.stdout + done.stderr
    assert done.returncode in (0, 1, 2, 3, 4), shown
    assert _UNSAFE.findall(shown) == []
    assert _COMMANDS.findall(shown) == []
    assert "Traceback" not in shown or "--debug" in command
    assert max(map(len, shown.splitlines()), default=0) < 25_000
    if "--json" in command and done.stdout:
        assert done.stdout.isascii()
        assert isinstance(json.loads(done.stdout), dict)
    assert stage.changed


@pytest.mark.parametrize("case", ON_TERMINAL)
def test_a_terminal_gets_only_our_own_colours_and_cursor_moves(stage: Stage, tmp_path: Path, case: str) -> None:
    shown = _on_terminal(stage.space(tmp_path, case), CASES[case][1].split())
    assert stage.changed
    left = _CURSOR.sub("", _PAINT.sub("", shown))
    assert _UNSAFE.findall(left) == []
    assert _COMMANDS.findall(left) == []


def _on_terminal(space: Workspace, arguments: list[str]) -> str:
    master, slave = pty.openpty()
    variables = {**space.environment(), "TERM": "xterm-256color", "COLUMNS": "100"}
    for name in ("CI", "NO_COLOR"):
        variables.pop(name, None)
    command = [sys.executable, "-m", "algosync", *arguments]
    process = subprocess.Popen(command, cwd=space.folder, env=variables, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while data := os.read(master, 65536):
            shown += data
    except OSError:  # the other end is closed
        pass
    os.close(master)
    process.wait(60)
    return shown.decode("utf-8", "surrogateescape")
