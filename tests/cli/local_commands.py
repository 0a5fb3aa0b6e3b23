"""Runs `algosync emulator` commands as users do, and reads what they leave behind."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from harness import Workspace

__all__ = [
    "PLAIN_KEY",
    "cluster_root",
    "document",
    "listening",
    "only_stderr",
    "request",
    "roots",
    "run_state",
    "stderr_of",
    "stdout_of",
]

PLAIN_KEY = re.compile(r"sim[A-Za-z0-9]{25}\n")
"""A printed key in the plain format."""


def stdout_of(place: Workspace, *arguments: str, code: int = 0) -> str:
    """What a command writes to stdout. The command must end with this exit code."""
    ended = place.run("emulator", *arguments)
    assert ended.returncode == code, f"exit {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr
    return ended.stdout


def stderr_of(place: Workspace, *arguments: str, code: int = 0) -> str:
    """What a command writes to stderr. The command must end with this exit code."""
    ended = place.run("emulator", *arguments)
    assert ended.returncode == code, ended.stderr
    return ended.stderr


def only_stderr(place: Workspace, *arguments: str, code: int = 1) -> str:
    """What a command without a result writes to stderr. The command must end with this exit code."""
    ended = place.run("emulator", *arguments)
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    return ended.stderr


def cluster_root(place: Workspace, name: str = "default") -> Path:
    return place.folder / "state" / "local" / name


def document(place: Workspace, name: str = "default") -> dict[str, object]:
    """The address file that the cluster's server has written."""
    found: dict[str, object] = json.loads((cluster_root(place, name) / "cluster.json").read_text())
    return found


def run_state(place: Workspace, name: str = "default") -> tuple[str, bool]:
    """The cluster's state, and whether it keeps running when no command uses it."""
    clusters = json.loads(stdout_of(place, "status", "--json"))["clusters"]
    [found] = [each for each in clusters if each["name"] == name]
    return found["state"], found["kept"]


def listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def request(method: str, url: str, key: str) -> int:
    """The status of a request with this key."""
    import requests

    return requests.request(method, url, headers={"Authorization": key}, timeout=60).status_code


def roots(url: str, key: str) -> object:
    """The names of the top-level folders that the key has access to; a status if the request is refused."""
    import requests

    answer = requests.get(f"{url}/v1/data/", headers={"Authorization": f"Bearer {key}"}, timeout=60)
    return [each["name"] for each in answer.json()["folders"]] if answer.status_code == 200 else answer.status_code
