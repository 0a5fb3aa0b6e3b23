"""Users and keys of a local cluster, with its server running or not."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from harness import Workspace
from local_commands import PLAIN_KEY, cluster_root, document, only_stderr, request, roots, stderr_of, stdout_of

from algosync.emulator.records.accounts import Accounts, key_id
from algosync.emulator.records.database import Database


def test_users_and_keys_with_the_server_and_without(place: Workspace) -> None:
    early = stdout_of(place, "key", "add")
    assert PLAIN_KEY.fullmatch(early)
    assert stat.S_IMODE((cluster_root(place) / "cluster.sqlite").stat().st_mode) == 0o600
    url = stdout_of(place, "start").strip()
    eve = stdout_of(place, "user", "add", "eve", "--organization", "acme", "--organization", "zoo")
    odd = stdout_of(place, "key", "add", "--form", "base64").strip()
    token = stdout_of(place, "key", "add", "--user", "eve", "--form", "jwt").strip()
    expired = stdout_of(place, "key", "add", "--expired").strip()
    assert PLAIN_KEY.fullmatch(eve)
    assert {"/", "+"} < set(odd)
    assert odd.endswith("=")
    parts = [base64.urlsafe_b64decode(part + "===") for part in token.split(".")]
    assert [json.loads(parts[0])["typ"], json.loads(parts[1])["sub"], len(parts)] == ["JWT", "eve", 3]
    folders = {}
    for key in (early.strip(), eve.strip(), odd, token, expired):
        folders[key] = roots(url, key)
    assert folders == {
        early.strip(): ["local"],
        eve.strip(): ["eve", "acme", "zoo"],
        odd: ["local"],
        token: ["eve", "acme", "zoo"],
        expired: 401,
    }
    kept = [
        path.name
        for path in cluster_root(place).rglob("*")
        if path.is_file() and any(key.encode() in path.read_bytes() for key in folders)
    ]
    assert kept == [], "only digests of keys are stored"


def test_keys_are_listed_and_removed(place: Workspace) -> None:
    """The list shows users and rights, and never a key."""
    url = stdout_of(place, "start").strip()
    stdout_of(place, "user", "add", "eve")
    made = {
        name: stdout_of(place, "key", "add", "--user", "eve", *options).strip()
        for name, options in (("admin", ["--admin"]), ("reader", ["--read-only", "--no-call"]), ("old", ["--expired"]))
    }
    statuses = [request("GET", f"{url}/v1/{path}", made["admin"]) for path in ("users/local", "data/")]
    assert statuses == [200, 403], "for the administration only"
    text = stdout_of(place, "key", "list")
    known = [line.split("  ", 1) for line in text.splitlines()]
    assert [told for _, told in known] == [
        "local  write, call, management, read  main",
        "local  administration  main",
        "eve  write, call, management, read",
        "eve  administration",
        "eve  read only, management (clone)",
        known[-1][1],
    ]
    assert re.fullmatch(r"eve  write, call, management, read  expired 20\d\d-\d\d-\d\dT[\d:]{8}\+00:00", known[-1][1])
    ids = [found for found, _ in known]
    assert [len(found) for found in ids] == [12] * 6
    assert [key for key in (*made.values(), *keys_of(place)) if key in text] == []
    listed = json.loads(stdout_of(place, "key", "list", "--json"))["keys"]
    assert [(each["id"], each["user"], each["main"]) for each in listed] == [
        (found, user, main) for found, user, main in zip(ids, ["local"] * 2 + ["eve"] * 4, [True] * 2 + [False] * 4, strict=True)
    ]
    assert request("GET", f"{url}/v1/data/", made["reader"]) == 200
    assert only_stderr(place, "key", "remove", ids[4], code=0) == f"The key {ids[4]} is removed.\n"
    assert request("GET", f"{url}/v1/data/", made["reader"]) == 401
    assert f"{ids[4]} is not the id of a key" in only_stderr(place, "key", "remove", ids[4])
    assert f"{ids[0]} is a main key" in only_stderr(place, "key", "remove", ids[0])
    assert "there is no local cluster none" in only_stderr(place, "key", "list", "--name", "none")
    assert "--admin excludes" in only_stderr(place, "key", "add", "--admin", "--no-call", code=64)


def keys_of(place: Workspace) -> list[str]:
    return [str(document(place)[name]) for name in ("key", "admin_key")]


def test_wrong_users_keys_and_names_are_refused(place: Workspace) -> None:
    stdout_of(place, "user", "add", "eve", "--organization", "acme")
    assert "acme exists already: a user and an organization cannot have the same name" in only_stderr(place, "user", "add", "acme")
    assert "eve exists already: a user and an organization cannot have the same name" in only_stderr(
        place, "user", "add", "adam", "--organization", "eve"
    )
    assert "'../x' cannot name an account" in only_stderr(place, "user", "add", "../x")
    assert "has no user nobody" in only_stderr(place, "key", "add", "--user", "nobody")
    assert "--expired and --expires-in" in only_stderr(place, "key", "add", "--expired", "--expires-in", "3", code=64)
    assert "'../x' does not name a local cluster" in only_stderr(place, "start", "--name", "../x", code=64)
    assert only_stderr(place, "key", code=64).startswith("Usage: ")
    assert only_stderr(place, code=64).startswith("Usage: ")
    assert "is not a file" in only_stderr(place, "start", "--faults", "none.json", code=64)
    (cluster_root(place) / "cluster.sqlite").write_bytes(b"no database" * 100)
    assert "file is not a database" in only_stderr(place, "key", "add")


def test_adding_users_reports_a_new_cluster_once(place: Workspace) -> None:
    """The name of the cluster's future owner cannot be taken."""
    new = f"There is no local cluster default in {place.folder / 'state' / 'local'} yet. It is created now.\n"
    refused = "Error: local exists already: a user and an organization cannot have the same name\n"
    assert stderr_of(place, "user", "add", "a", "--organization", "local", code=1) == new + refused
    ended = place.run("emulator", "user", "add", "quality", "--organization", "research")
    made = key_id(ended.stdout.strip())
    assert ended.stderr == f"key {made} of quality: write, call, management, read\nquality joined research.\n"
    known = "Error: the user quality exists already\n  algosync emulator key add --user quality\n"
    assert stderr_of(place, "user", "add", "quality", code=1) == known
    joining = place.run("emulator", "user", "add", "quality", *(f"--organization={each}" for each in ("research", "zoo", "acme")))
    assert (joining.stdout, joining.stderr) == ("", "quality joined acme, zoo.\n")
    assert stderr_of(place, "user", "add", "quality", "--organization", "zoo") == "quality is a member already.\n"
    listed = json.loads(place.run("emulator", "key", "list", "--json").stdout)["keys"]
    assert [(each["user"], each["id"]) for each in listed] == [("quality", made)]
    organization = "Error: research is an organization, and only users have keys\n  use --user with the name of a member\n"
    assert stderr_of(place, "key", "add", "--user", "research", code=1) == organization


def test_a_key_is_removed_by_its_id_or_from_stdin(place: Workspace) -> None:
    """Its id is shown when it is created. A key is never an argument."""
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
    gone = f"Error: {key_id(key)} is not the id of a key\n  algosync emulator key list\n"
    assert told == [f"The key {key_id(key)} is removed.\n", gone]


@pytest.mark.parametrize(
    "given",
    [b"", b" \n", b"\xff\n", "kl\u00fcssel\n".encode(), b"s" * 4097, None],
    ids=["empty", "blank", "bytes", "letters", "long", "closed"],
)
def test_input_that_is_not_a_key_is_refused(tmp_path: Path, given: bytes | None) -> None:
    """It is not looked up, not even a part of it. A closed stdin is an empty one."""
    removing = [sys.executable, "-m", "algosync", "emulator", "key", "remove", "-"]
    command = removing if given is not None else ["sh", "-c", 'exec "$@" <&-', "sh", *removing]
    ended = subprocess.run(
        command, cwd=tmp_path, env=Workspace(tmp_path).environment(), input=given, capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (64, b"", b"Error: there is no key on stdin\n")


def test_git_distinguishes_a_wrong_user_name_from_a_wrong_key(place: Workspace) -> None:
    import requests

    url = place.run("emulator", "start").stdout.strip()
    with closing(Database(place.folder / "state" / "local" / "default" / "cluster.sqlite")) as database:
        Accounts(database).add_key("local", "simOther")
    messages = [
        requests.get(f"{url}/git/local/a.git/info/refs", auth=credentials, timeout=60).json()["error"]["message"]
        for credentials in (("other", "simOther"), ("other", "simNobody"))
    ]
    assert messages == ["The user name is not that of the API key's owner", "The API key is unknown or invalid"]


@pytest.mark.parametrize("seconds", ["1e12", "inf", "nan"])
def test_a_key_expires_within_a_hundred_years(tmp_path: Path, root: Path, seconds: str) -> None:
    ended = Workspace(tmp_path).run("emulator", "key", "add", "--expires-in", seconds)
    assert (ended.returncode, ended.stdout) == (64, "")
    assert "--expires-in" in ended.stderr
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("ends", [1e12, float("inf")])
def test_keys_with_any_expiry_are_listed(tmp_path: Path, root: Path, ends: float) -> None:
    """Older versions have created such keys."""
    with closing(Database(root / "cluster.sqlite")) as database:
        accounts = Accounts(database)
        accounts.add_user("local")
        accounts.add_key("local", "simKey", expires_at=ends)
        [key] = accounts.key_records()
    place = Workspace(tmp_path)
    line = f"{key.id}  local  write, call, management, read  until after the year 9999\n"
    assert place.run("emulator", "key", "list").stdout == line
    document = {
        "id": key.id,
        "user": "local",
        "rights": ["write", "call", "management", "read"],
        "main": False,
        "expires_at": "after the year 9999",
    }
    listed = place.run("emulator", "key", "list", "--json").stdout
    assert json.loads(listed) == {"format_version": "1.0", "keys": [document]}


def test_a_user_is_added_completely_or_not_at_all(tmp_path: Path, root: Path) -> None:
    """The second organization's name is refused: then no user, no organization and no key is created."""
    place = Workspace(tmp_path)
    ended = place.run("emulator", "user", "add", "bob", "--organization", "pond", "--organization", "bad name!")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "'bad name!' cannot name an account" in ended.stderr
    assert accounts_in(root) == (False, None, (), 0)
    assert re.fullmatch(r"sim\w{25}\n", place.run("emulator", "user", "add", "bob", "--organization", "pond").stdout)
    assert accounts_in(root) == (True, {}, ("pond",), 1)


def accounts_in(root: Path) -> tuple[bool, dict[str, object] | None, tuple[str, ...], int]:
    """Whether bob exists, the organization, the organizations of bob, and the number of keys."""
    with closing(Database(root / "cluster.sqlite")) as database:
        accounts = Accounts(database)
        pond = accounts.profile_of_organization("pond")
        return accounts.has_user("bob"), pond, accounts.organizations("bob"), len(accounts.key_records())
