"""What `algosync emulator` says where a user would otherwise be misled."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from harness import Workspace

from algosync.cli import keeping
from algosync.emulator.records.accounts import Accounts, key_id
from algosync.emulator.records.database import Database


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path)
    yield place
    place.run("emulator", "stop")


def said(place: Workspace, *arguments: str, code: int = 0) -> str:
    """What a command writes to stderr."""
    ended = place.run("emulator", *arguments)
    assert ended.returncode == code, ended.stderr
    return ended.stderr


def test_a_port_that_changes_is_told(place: Workspace) -> None:
    """Once: from then on the new one is the last."""
    said(place, "start")
    address = place.folder / "state" / "local" / "default" / "cluster.json"
    last = json.loads(address.read_text())["address"].rpartition(":")[2]
    said(place, "stop")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(last)))
        other.listen()
        told = said(place, "start")
        other.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody waits for its answer
            other.accept()
    url = json.loads(address.read_text())["address"]
    line = f"Port {last}, where it was last time, is taken by another program; now it is at {url}, and stays there."
    assert [each for each in told.splitlines() if each.startswith("Port ")] == [line]


def test_who_gives_out_keys_hears_of_a_new_cluster(place: Workspace) -> None:
    """Once, and where it is. Nobody takes the name of whom it will be started for."""
    new = f"There is no local cluster default in {place.folder / 'state'} yet: this makes one.\n"
    refused = "Error: local exists already: a user and an organization cannot have the same name\n"
    assert said(place, "user", "add", "a", "--organization", "local", code=1) == new + refused
    ended = place.run("emulator", "user", "add", "quality", "--organization", "research")
    made = key_id(ended.stdout.strip())
    assert ended.stderr == f"key {made} of quality: write, call, management, read\nquality joined research.\n"
    known = "Error: quality is there already\n  algosync emulator key add --user quality\n"
    assert said(place, "user", "add", "quality", code=1) == known
    joining = place.run("emulator", "user", "add", "quality", *(f"--organization={each}" for each in ("research", "zoo", "acme")))
    assert (joining.stdout, joining.stderr) == ("", "quality joined acme, zoo.\n")
    assert said(place, "user", "add", "quality", "--organization", "zoo") == "quality is in it already.\n"
    listed = json.loads(place.run("emulator", "key", "list", "--json").stdout)["keys"]
    assert [(each["user"], each["id"]) for each in listed] == [("quality", made)]
    organization = "Error: research is an organization: keys are those of users\n  --user with the name of a member\n"
    assert said(place, "key", "add", "--user", "research", code=1) == organization


def test_a_key_in_the_hand_is_found_and_removed(place: Workspace) -> None:
    """By its id, which is told when it is made, or by itself: on stdin, as keys are never arguments."""
    made = place.run("emulator", "key", "add", "--read-only", "--no-call")
    key = made.stdout.strip()
    assert made.stderr.splitlines()[1] == f"key {key_id(key)} of local: read only, management (clone)"
    assert place.run("emulator", "key", "list").stdout == f"{key_id(key)}  local  read only, management (clone)\n"
    removing = [sys.executable, "-m", "algosync", "emulator", "key", "remove", "-"]
    told = [
        subprocess.run(
            removing, cwd=place.folder, env=place.environment(), input=f"{key}\n", capture_output=True, text=True, check=False
        ).stderr
        for _ in range(2)
    ]
    gone = f"Error: {key_id(key)} is the id of no key\n  algosync emulator key list\n"
    assert told == [f"The key {key_id(key)} opens nothing any more.\n", gone]


@pytest.mark.parametrize(
    "given",
    [b"", b" \n", b"\xff\n", "kl\u00fcssel\n".encode(), b"s" * 4097, None],
    ids=["empty", "blank", "bytes", "letters", "long", "closed"],
)
def test_what_is_no_key_is_looked_for_nowhere(tmp_path: Path, given: bytes | None) -> None:
    """Neither nothing, nor a part of what is too long; where stdin is closed there is none."""
    removing = [sys.executable, "-m", "algosync", "emulator", "key", "remove", "-"]
    command = removing if given is not None else ["sh", "-c", 'exec "$@" <&-', "sh", *removing]
    ended = subprocess.run(
        command, cwd=tmp_path, env=Workspace(tmp_path).environment(), input=given, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (64, b"", b"Error: there is no key on stdin\n")


def test_a_cluster_that_is_not_there_is_not_stopped(place: Workspace) -> None:
    """Nor anything else: the folder is another one, or the name is wrong."""
    there = f"there is no local cluster other in {place.folder / 'state'}"
    start = "  algosync emulator start --name other\n"
    assert said(place, "status", "--name", "other", code=1) == f"Error: {there}\n{start}"
    assert said(place, "env", "--name", "other", code=1) == f"Error: {there}\n{start}"
    assert said(place, "stop", "--name", "other") == f"T{there[1:]}.\n"
    ended = place.run("emulator", "status", "--name", "other", "--json")
    [seen] = json.loads(ended.stdout)["clusters"]
    assert (ended.returncode, seen["state"]) == (1, "absent")


def test_what_was_removed_or_never_ran_is_not_listed(place: Workspace) -> None:
    state = place.folder / "state"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said(place, "start", "--port", str(other.getsockname()[1]), code=1)
    assert said(place, "status") == f"There are no local clusters in {state}.\n"
    assert "server.log" in [path.name for path in (state / "local" / "default").iterdir()]
    # What the failed start has left is removed, but it was no cluster; then there is nothing to approve.
    told = [said(place, "reset", *approved) for approved in (["--auto-approve"], [])]
    assert told == [f"There is no local cluster default in {state}.\n"] * 2
    assert {path.suffix for path in (state / "local" / "default").iterdir()} == {".lock"}
    said(place, "key", "add")
    assert said(place, "status") == f"Local clusters in {state}:\n"
    said(place, "reset", "--auto-approve")
    assert said(place, "status") == f"There are no local clusters in {state}.\n"


def test_how_it_was_started_is_told(place: Workspace) -> None:
    """By its status, and to who wants it otherwise."""
    said(place, "start", "--etag", "--unbuilt-status", "200")
    status = place.run("emulator", "status")
    assert status.stdout.rstrip("\n").split("  ")[-1] == "--unbuilt-status 200 --etag"
    [seen] = json.loads(place.run("emulator", "status", "--json").stdout)["clusters"]
    assert (seen["folder"], seen["git"]) == (str(place.folder / "state" / "local" / "default"), f"{seen['address']}/git")
    assert "it runs with --no-tls --etag: start it so" in said(place, "start", "--tls", "--no-etag", code=1)


def test_a_wrong_user_name_is_not_told_as_a_wrong_key(place: Workspace) -> None:
    import requests

    url = place.run("emulator", "start").stdout.strip()
    with closing(Database(place.folder / "state" / "local" / "default" / "cluster.sqlite")) as database:
        Accounts(database).add_key("local", "simOther")
    messages = [
        requests.get(f"{url}/git/local/a.git/info/refs", auth=credentials, timeout=60).json()["error"]["message"]
        for credentials in (("other", "simOther"), ("other", "simNobody"))
    ]
    assert messages == ["The user name is not that of the API key's owner", "The API key is unknown or invalid"]


def test_a_local_source_needs_no_variable_to_agree(place: Workspace) -> None:
    """`env --source` sets that of the very same cluster, and no key that the environment gives goes there."""
    place.algorithm("One")
    place.write([{"name": "One", "language": "python3"}], source_info={"cluster_address": "local"})
    environ = {"SOURCE_API_ADDRESS": "http://127.0.0.1:9", "SOURCE_API_KEY": "simKEYKEYKEYKEYKEYKEYKEYKEY1"}
    ended = place.run("plan", "--destination", "local", environ=environ)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_what_a_local_source_lacks_is_nobody_elses(place: Workspace) -> None:
    """Its key is its own: SOURCE_API_KEY has no say in whose `.my` is."""
    place.algorithm("One")
    algorithm: dict[str, object] = {"name": "One", "language": "python3", "data_files": ["data://.my/models/a.bin"]}
    place.write([algorithm], source_info={"cluster_address": "local"})
    ended = place.run("plan", "--destination", "local")
    assert (ended.returncode, ended.stderr) == (
        1,
        "Error: One: the source has no data://.my/models/a.bin\n  `.my` is local there\n",
    )


def test_names_that_python_does_not_know_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(name: str, _: object) -> list[object]:
        if name == "api.localhost":
            raise socket.gaierror
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert keeping._unknown_names() == ["api.localhost"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--unbuilt-status", "500", "'500' is not one of '404', '200'."),
        ("--port", "many", "it is no whole number."),
        ("--port", "99999", "it should be less than or equal to 65535"),
    ],
)
def test_wrong_options_are_told_in_words_of_people(tmp_path: Path, option: str, value: str, message: str) -> None:
    told = said(Workspace(tmp_path), "start", option, value, code=64)
    variable = f"ALGOSYNC_{option.removeprefix('--').replace('-', '_').upper()}"
    start = f"Error: Invalid value for '{option}' (env var: '{variable}')"
    assert told == f"{start}: {message}\nTry 'algosync emulator start --help'.\n"
