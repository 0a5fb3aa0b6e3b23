"""`emulator start` with options, and what it reports."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from harness import Workspace
from local_commands import document, only_stderr, stderr_of, stdout_of

from algosync.cli.local import start


def test_options_are_kept_from_the_last_start(place: Workspace) -> None:
    """A running cluster with other options is not used."""
    first = stderr_of(place, "start", "--tls", "--unbuilt-status", "200", "--etag", "--largest-file", "7")
    assert re.search(
        r"^This cluster runs the code it is given, (in|without) a jail.* give it no code that you would not run", first, re.M
    )
    assert "is already running" in stderr_of(place, "start"), "without options"
    assert "is already running" in stderr_of(place, "start", "--tls", "--etag", "--largest-file", "7")
    others = ("--no-tls", "--no-etag", "--strict-names", "--unbuilt-status", "404", "--largest-file", "none")
    assert "with another --tls, --unbuilt-status, --etag, --strict-names, --largest-file\n" in only_stderr(place, "start", *others)
    before = document(place)["stances"]
    stdout_of(place, "stop")
    assert stdout_of(place, "start").startswith("https://")
    assert document(place)["stances"] == before == json.loads(stdout_of(place, "status", "--json"))["clusters"][0]["stances"]
    stdout_of(place, "stop")
    assert stdout_of(place, "start", *others).startswith("http://")
    assert document(place)["stances"] == {
        **{"unbuilt_status": 404, "duplicate_status": 400, "largest_file": None},
        **{"call_errors_as_200": False, "etag": False, "strict_names": True, "strict_versions": False, "my_algorithms": False},
        **{"any_case": False, "plain_templates": False},
    }
    assert "is neither a number of bytes nor none" in only_stderr(place, "start", "--largest-file", "1k", code=64)
    stdout_of(place, "reset", "--auto-approve")
    stdout_of(place, "start")
    assert document(place)["stances"] != before, "a reset removes the settings"


def test_start_prints_the_address_of_the_page(place: Workspace) -> None:
    told = place.run("emulator", "start")
    assert f"Page for a browser: {told.stdout.strip()}/page/\n" in told.stderr


def test_status_and_start_show_unusual_options(place: Workspace) -> None:
    stderr_of(place, "start", "--etag", "--unbuilt-status", "200")
    status = place.run("emulator", "status")
    assert status.stdout.rstrip("\n").split("  ")[-1] == "--unbuilt-status 200 --etag"
    [seen] = json.loads(place.run("emulator", "status", "--json").stdout)["clusters"]
    assert (seen["folder"], seen["git"]) == (str(place.folder / "state" / "local" / "default"), f"{seen['address']}/git")
    assert "it runs with --no-tls --etag: use the same options" in stderr_of(place, "start", "--tls", "--no-etag", code=1)


def test_names_that_cannot_be_resolved_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(name: str, _: object) -> list[object]:
        if name == "api.localhost":
            raise socket.gaierror
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert start._unresolved_names() == ["api.localhost"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--unbuilt-status", "500", "'500' is not one of '404', '200'."),
        ("--port", "many", "it must be a whole number."),
        ("--port", "it's", "it must be a whole number."),
        ("--port", "-5", "it must be greater than or equal to 0"),
        ("--port", "99999", "it must be less than or equal to 65535"),
    ],
)
def test_wrong_values_are_reported_in_plain_words(tmp_path: Path, option: str, value: str, message: str) -> None:
    told = stderr_of(Workspace(tmp_path), "start", option, value, code=64)
    variable = f"ALGOSYNC_{option.removeprefix('--').replace('-', '_').upper()}"
    start = f"Error: Invalid value for '{option}' (env var: '{variable}')"
    assert told == f"{start}: {message}\nTry 'algosync emulator start --help'.\n"
