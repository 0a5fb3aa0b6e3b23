"""Canaries: every command runs with unique keys, and nothing that it writes or starts may contain one.

The keys of algosync are canaries; a proxy replaces them with those of the clusters. The proxy can also refuse requests and send the
key back, in every encoding.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from disguises import DISGUISES
from harness import Cluster, Workspace
from scan import Finding, Scanner, watching
from twisting import Answer, Ask, Request, twisted

_ODD = "/+&\"='<%\\x:#?"


def _canary(odd: str = "") -> str:
    return f"c{secrets.token_hex(6)}{odd}{secrets.token_hex(6)}Z"


CANARIES = {
    "source key": _canary("/+="),
    "destination key": _canary(_ODD),
    "proxy password": _canary("+"),
    "sensitive variable": _canary(_ODD),
    "short variable": secrets.token_hex(3) + "/Q",
}
TEMPLATE = """\
variables: {{token: {{sensitive: true}}, pin: {{sensitive: true}}}}
source_info: {{cluster_address: "{source}"}}
algorithms:
- name: One
  language: python3
  data_files: ["data://local/models/a.bin"]
  details: {{label: {{{{ token | tojson }}}}, tagline: {{{{ ("the pin is " ~ pin) | tojson }}}}}}
  test_payload: {{text: {{{{ token | tojson }}}}, pin: {{{{ pin | tojson }}}}}}
"""
CODE = "def apply(input):\n    print(input)\n    return input\n"
FAILS = "def apply(input):\n    raise ValueError('no: ' + str(input))\n"
SLOW = "import time\n\n\ndef apply(input):\n    time.sleep(60)\n"
CRASH = """\
import http.client
def putheader(self, name, *values):
    if name == "Authorization":
        secret = values
        raise RuntimeError(f"boom {values!r} " + repr([str(v).encode() for v in values]))
    return true(self, name, *values)
true, http.client.HTTPConnection.putheader = http.client.HTTPConnection.putheader, putheader
"""


@dataclass
class Stage:
    """A cluster behind the proxy, a workspace, and the places to search."""

    cluster: Cluster
    space: Workspace
    scanner: Scanner
    temporary: Path
    refused: tuple[int, str] | None = None  # the status, and the requests; their keys are sent back

    def exchange(self, request: Request, ask: Ask) -> Answer:
        if self.refused is None or not re.search(self.refused[1], f"{request.method} {request.path}"):
            return ask()
        shown = request.headers.get("Authorization", "")
        encoded = "\n".join(disguise(_key_of(shown)) for disguise in DISGUISES.values())
        body = json.dumps({"error": {"message": f"{shown} {encoded}", "id": _key_of(shown), "stacktrace": encoded}}).encode()
        return Answer(self.refused[0], body, headers={"X-Key": shown, "WWW-Authenticate": shown, "Location": f"http://{shown}/"})

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,), until: bytes | None = None) -> str:
        """Return both streams. The umask is open. `until`: when this is printed, the command is asked to end."""
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'umask 000; exec "$@"', "sh", sys.executable, "-m", "algosync", *arguments],
            cwd=self.space.folder,
            env=self.space.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        shown = b""
        with watching(process.pid) as seen:
            for line in process.stdout:
                shown += line
                if until is not None and until in line:
                    process.send_signal(signal.SIGTERM)
        found = [*self.scanner.data(shown, "output"), *self.everywhere()]
        found += [finding for kind, data in seen for finding in self.scanner.data(data, f"{kind} of a child")]
        text = shown.decode("utf-8", "replace")
        assert found == [], text
        assert process.wait(60) in codes, text
        return text

    def everywhere(self) -> list[Finding]:
        places = (self.space.folder, self.temporary, self.cluster.root / "git")
        return [finding for place in places for finding in self.scanner.folder(place)]


def _key_of(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    return base64.b64decode(rest).decode().partition(":")[2] if scheme == "Basic" else rest


@pytest.fixture
def stage(cluster: Cluster, tmp_path: Path) -> Iterator[Stage]:
    space = Workspace(tmp_path / "workspace", {})
    stage = Stage(cluster, space, Scanner(CANARIES), tmp_path / "tmp")
    for folder in (space.folder, stage.temporary):
        folder.mkdir()
    api = cluster.api()
    api.data.create_collection("local", "models")
    api.data.put("local", "models", "a.bin", [b"x" * 1000], 1000)
    with twisted(cluster.url, stage.exchange, cluster.key) as address:
        space.environ = {
            "SOURCE_API_KEY": CANARIES["source key"],
            "DESTINATION_API_ADDRESS": address,
            "DESTINATION_API_KEY": CANARIES["destination key"],
            "ALGOSYNC_VAR_token": CANARIES["sensitive variable"],
            "ALGOSYNC_VAR_pin": CANARIES["short variable"],
            "HTTPS_PROXY": f"http://user:{quote(CANARIES['proxy password'], safe='')}@127.0.0.1:9",
            "TMPDIR": str(stage.temporary),
            "ALGOSYNC_ALLOW": "same-cluster",
        }
        (space.folder / "workflow.yaml.j2").write_text(TEMPLATE.format(source=address))
        space.algorithm("One", CODE)
        yield stage


def test_successful_commands(stage: Stage) -> None:
    stage.run("validate", "--debug")
    assert "***" in stage.run("render")
    assert "***" in stage.run("apply", "--auto-approve", "--debug")
    stage.run("plan")
    assert '"***"' in stage.run("plan", "--json")
    stage.run("test", "--debug")
    stage.run("drift", "--json", "--debug")
    for looking in ("list", "show algorithm.One", "show algorithm.One --json", "pull"):
        stage.run("state", *looking.split(), "--debug")
    state = stage.space.folder / "state"
    for path in state.glob("*.json"):
        path.unlink()
    stage.run("import", "--all", "--debug")
    stage.space.algorithm("One", f"{CODE}# another version\n")
    stage.run("apply", "--auto-approve")
    stage.run("rollback", "One", "--auto-approve", "--debug")
    stage.run("versions", "One", "--json", "--debug")
    assert [path for path in (state, *state.rglob("*")) if path.lstat().st_mode & 0o077] == []


def test_a_saved_plan(stage: Stage) -> None:
    stage.space.environ["SOURCE_API_ADDRESS"] = stage.space.environ["DESTINATION_API_ADDRESS"]
    stage.run("plan", "--out", "saved.plan", "--debug")
    assert "***" in stage.run("show", "saved.plan")
    stage.run("show", "saved.plan", "--json")
    assert "Apply complete!" in stage.run("apply", "saved.plan", "--debug")
    assert "this plan was applied already" in stage.run("apply", "saved.plan", codes=(6,))
    stage.run("show")
    stage.run("doctor", "--debug", codes=(0, 1))


def test_clusters_that_send_the_key_back(stage: Stage) -> None:
    stage.run("apply", "--auto-approve")
    for status, match, command in (
        (401, "", "plan --debug"),
        (404, "/v1/algorithms", "drift --json"),
        (403, "/git/", "plan --json"),
        (400, "POST /v1/algo/", "test --debug"),
        (200, "POST /v1/algo/", "test"),
    ):
        stage.refused = (status, match)
        assert "***" in stage.run(*command.split(), codes=(1, 2, 3))


@pytest.mark.parametrize("match", ["POST /v1/algorithms", "PUT /v1/", "git-receive-pack", "POST /v1/algo/"])
def test_refused_applies(stage: Stage, match: str) -> None:
    stage.refused = (400, match)
    assert "***" in stage.run("apply", "--auto-approve", codes=(1, 3, 4))


def test_an_algorithm_that_prints_its_input(stage: Stage) -> None:
    stage.space.algorithm("One", FAILS)
    assert "***" in stage.run("apply", "--auto-approve", codes=(3,))


def test_crashes(stage: Stage) -> None:
    folder = stage.temporary.parent / "broken"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CRASH)
    stage.space.environ["PYTHONPATH"] = os.pathsep.join([str(folder), stage.space.environment()["PYTHONPATH"]])
    assert "boom" in stage.run("plan", codes=(1,))
    assert "Traceback" in stage.run("plan", "--debug", codes=(1,))


def test_an_unreachable_cluster(stage: Stage) -> None:
    stage.space.environ["DESTINATION_API_ADDRESS"] = "http://127.0.0.1:9"
    assert "DESTINATION_API_ADDRESS" in stage.run("plan", "--debug", codes=(1,))


def test_the_local_cluster_gets_no_keys_of_other_clusters(stage: Stage) -> None:
    """It gets a proxy's password, because it installs packages. It keeps only what it was given for an algorithm."""
    others = {name: canary for name, canary in CANARIES.items() if name != "proxy password"}
    stage.scanner = Scanner(others, frozenset({"cluster.sqlite", "cluster.sqlite-wal", "cluster.json"}))
    stage.run("plan", "--destination", "local")


def test_an_unreachable_proxy(stage: Stage) -> None:
    stage.space.environ["DESTINATION_API_ADDRESS"] = "https://api.example.com"
    assert "HTTPS_PROXY" in stage.run("plan", "--debug", codes=(1,))


def test_a_signal(stage: Stage) -> None:
    stage.space.algorithm("One", SLOW)
    assert "Interrupted" in stage.run("apply", "--auto-approve", "--debug", codes=(143,), until=b"Testing")
