"""A script of the platform's first years against `emulator start --tls`: bare domain, `api.`, `git.`, client 1.7, keys in URLs.

Its user only follows the manual of the local cluster: two names in the hosts file if needed, the output of
`emulator env`, the domain, and one more authority in the list of the old client.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from harness import Workspace
from installed import Missing, old_python

SCRIPT = Path(__file__).parent / "early_days.py"
SOURCE = 'def apply(input):\n    return "hello {}".format(input["name"])\n'
ENVIRONMENT = "Selenium 3.141.x with Python 3.7"
MANUAL = (Path(__file__).parents[2] / "algosync" / "emulator" / "README.md").read_text()
UNBUILT = """
import os, Algorithmia
client = Algorithmia.client(os.environ["ALGORITHMIA_API_KEY"], "https://api." + os.environ["FQDN"])
try:
    client.algo(client.username() + "/EarlyDays/" + "0" * 40).pipe(1)
except Algorithmia.errors.AlgorithmException as error:
    print("version hash" in str(error))
"""
WHERE = "import certifi, os, sysconfig; print(sysconfig.get_paths()['purelib'], os.path.dirname(certifi.__file__), sep='\\n')"


@pytest.fixture
def old_client(tmp_path: Path) -> Path:
    """The `bin` of a virtual environment with the client 1.7.10 and a list of authorities that can be extended."""
    try:
        python = old_python()
    except Missing as error:
        pytest.skip(str(error))
    folder = tmp_path / "client"
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    packages, certifi = subprocess.run([python, "-c", WHERE], check=True, capture_output=True, text=True).stdout.splitlines()
    (own,) = folder.glob("lib/*/site-packages")
    (own / "client.pth").write_text(packages + "\n")
    shutil.copytree(certifi, own / "certifi")
    return folder / "bin"


@pytest.fixture
def prefix(tmp_path: Path) -> Sequence[str]:
    """The prefix of commands that need the names: nothing, or a command that provides a hosts file."""
    if all(_known(name) for name in ("api.localhost", "git.localhost")):
        return ()
    hosts = tmp_path / "hosts"
    line = re.search(r"its hosts file needs `(.*?)`", MANUAL)
    assert line
    hosts.write_text(f"{Path('/etc/hosts').read_text()}\n{line[1]}\n")
    own = (
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        f'mount --bind {shlex.quote(str(hosts))} /etc/hosts && "$@"',
        "-",
    )
    if shutil.which(own[0]) is None or subprocess.run([*own, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not resolve api.localhost, and does not permit a separate hosts file")
    return own


def _known(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, 443))
    except OSError:
        return False


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with a cluster that was started there by the command."""
    workspace = Workspace(tmp_path / "work", {})
    workspace.folder.mkdir()
    started = workspace.run("emulator", "start", "--tls")
    assert started.returncode == 0, started.stderr
    yield workspace
    assert workspace.run("emulator", "stop").returncode == 0


def told(emulator: Workspace) -> tuple[str, str]:
    """The variables that the user's shell needs: those for each session, and those for once."""
    env = emulator.run("emulator", "env")
    assert env.returncode == 0, env.stderr
    block = re.search(r"```sh\n(export FQDN=.*?)\n(cat .*?)\n```", MANUAL)
    assert block
    return f"{env.stdout}{block[1]}\n", block[2]


def test_a_script_of_the_early_days(emulator: Workspace, old_client: Path, prefix: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "algorithm.py").write_text(SOURCE)
    (tmp_path / "model.bin").write_bytes(bytes(range(256)) * 5000)
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Early\n\temail = early@localhost\n")
    machine = {"HOME": str(tmp_path), "PATH": f"{old_client}:/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
    variables, trusting = told(emulator)

    def shell(*lines: str) -> str:
        script = "\n".join(["set -e", variables, *lines])
        done = subprocess.run(
            [*prefix, "sh", "-c", script], env=machine, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    shell(trusting)
    arguments = [str(SCRIPT), "EarlyDays", ENVIRONMENT, "algorithm.py", "model.bin"]
    first, second = (shell(shlex.join(["python", *arguments])).splitlines() for _ in range(2))
    assert [line for line in first if not line.startswith("data")] == [
        "environment succeeded",
        "algorithm created",
        "source pushed: remote: Build succeeded",
        "answer hello early days",
        "published 0.1.0",
        "live hello early days",
    ]
    expected = ["algorithm exists", "source unchanged", "answer hello early days", "published before", "live hello early days"]
    assert [line for line in second if not line.startswith("data")] == expected
    data = [line for line in first + second if line.startswith("data")]
    assert len(data) == 2
    assert re.fullmatch(r"data \['.*EarlyDays/model\.bin'\]", data[0])
    assert data[0] == data[1]
    # The push has waited for the build, so the script never polls it.
    assert shell(shlex.join(["python", "-c", UNBUILT])) == "True\n"
