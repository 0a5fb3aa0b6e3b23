"""`emulator env` in a real shell, and local clusters as sources."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

from harness import Workspace
from local_commands import document, stdout_of


def test_a_shell_can_evaluate_env(place: Workspace) -> None:
    place.folder = place.folder / 'it\'s a "folder" with $HOME'
    place.folder.mkdir()
    stdout_of(place, "start", "--tls")
    place.environ = {"NO_PROXY": "intern.example, localhost", "NODE_EXTRA_CA_CERTS": ""}
    text = stdout_of(place, "env")
    found = document(place)
    variables = dict.fromkeys(("DESTINATION_CA_CERT", "NODE_EXTRA_CA_CERTS"), found["ca_cert"])
    variables |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO"), found["ca_bundle"])
    variables |= dict.fromkeys(("ALGORITHMIA_API", "DESTINATION_API_ADDRESS"), found["address"])
    variables |= dict.fromkeys(("ALGORITHMIA_API_KEY", "DESTINATION_API_KEY"), found["key"])
    variables["ADMIN_API_KEY"] = found["admin_key"]
    variables |= dict.fromkeys(("NO_PROXY", "no_proxy"), "intern.example,localhost,127.0.0.1,::1,api.localhost,git.localhost")
    assert sorted(re.findall(r"^export (\w+)=", text, re.MULTILINE)) == sorted(variables)
    shell = subprocess.run(["/bin/sh", "-c", f"{text} env"], capture_output=True, text=True, check=True, env={})
    seen = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    assert {name: seen[name] for name in variables} == variables
    client = "import Algorithmia; print(next(iter(Algorithmia.client().dir('').list())).url)"
    done_by = subprocess.run(
        [sys.executable, "-c", client],
        capture_output=True,
        text=True,
        check=True,
        env={**seen, "HTTPS_PROXY": "http://127.0.0.1:9"},
    )
    assert done_by.stdout == "/v1/data/local\n"
    as_source = {"SOURCE_API_ADDRESS": found["address"], "SOURCE_API_KEY": found["key"], "SOURCE_CA_CERT": found["ca_cert"]}
    as_source |= {name: variables[name] for name in ("NO_PROXY", "no_proxy")}
    told = [line.removeprefix("export ").split("=", 1) for line in stdout_of(place, "env", "--source").splitlines()]
    assert {name: "".join(shlex.split(value)) for name, value in told} == as_source
    stdout_of(place, "stop")


def test_a_local_source_ignores_the_source_variables(place: Workspace) -> None:
    """`env --source` sets them for the same cluster, and the key from the environment is not sent there."""
    place.algorithm("One")
    place.write([{"name": "One", "language": "python3"}], source_info={"cluster_address": "local"})
    environ = {"SOURCE_API_ADDRESS": "http://127.0.0.1:9", "SOURCE_API_KEY": "simKEYKEYKEYKEYKEYKEYKEYKEY1"}
    ended = place.run("plan", "--destination", "local", environ=environ)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_local_source_uses_its_own_key(place: Workspace) -> None:
    """SOURCE_API_KEY does not decide which account `.my` means."""
    place.algorithm("One")
    algorithm: dict[str, object] = {"name": "One", "language": "python3", "data_files": ["data://.my/models/a.bin"]}
    place.write([algorithm], source_info={"cluster_address": "local"})
    ended = place.run("plan", "--destination", "local")
    assert (ended.returncode, ended.stderr) == (
        1,
        "Error: One: the source has no data://.my/models/a.bin (line 10 of the workflow)\n"
        "  the source is local, where `.my` is local\n",
    )
