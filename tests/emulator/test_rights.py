"""Rights and expiry of keys, rights of members of organizations, migration of older databases."""

import base64
import contextlib
import lzma
import re
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dulwich.errors import GitProtocolError
from emulated import Emulator, emulator, until

from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import digest
from algosync.emulator.records.rights import Rights
from algosync.emulator.records.schema import ACCOUNTS, FORMAT, FORMAT_3, FORMAT_4, SCHEMA
from algosync.emulator.server.cluster import ClusterServer, Place

READ_ONLY = Rights(write=False)
NO_CALL = Rights(call=False)
NO_MANAGEMENT = Rights(management=False)
ECHO = "def apply(input):\n    return input\n"


@pytest.fixture(scope="module")
def echo(site: Emulator) -> str:
    """The reference of an algorithm for these tests."""
    site.request("POST", "/v1/data/.my", {"name": "rights"})
    site.request("PUT", "/v1/data/.my/rights/file", b"content")
    return site.deploy("Rights", ECHO)


def requests(echo: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", "/v1/data/.my/rights/file", None),
        ("GET", "/v1/algorithms/local/Rights", None),
        ("GET", "/v1/algorithms/local/Rights/builds", None),
        ("POST", f"/v1/algo/{echo}", {}),
        ("PUT", "/v1/connector/data/.my/rights/file", b"content"),
        ("PATCH", "/v1/data/.my/rights", {"acl": {"read": []}}),
        ("POST", "/v1/algorithms/local/Rights/compile", {}),
        ("GET", "/git/local/Rights.git/info/refs?service=git-upload-pack", None),
        ("GET", "/git/local/Rights.git/info/refs?service=git-receive-pack", None),
    ]


@pytest.mark.parametrize(
    ("rights", "refused"),
    [
        (Rights(), []),
        (READ_ONLY, [4, 5, 6, 8]),
        (NO_CALL, [3]),
        (NO_MANAGEMENT, [6, 7, 8]),
        (Rights(write=False, call=False, management=False), [3, 4, 5, 6, 7, 8]),
    ],
)
def test_requests_beyond_a_keys_rights_are_refused(site: Emulator, echo: str, rights: Rights, refused: list[int]) -> None:
    key = site.key_of("local", rights)
    basic = base64.b64encode(f"local:{key}".encode()).decode()
    found = []
    for method, path, body in requests(echo):
        headers = {"Authorization": f"Basic {basic}"} if path.startswith("/git/") else {}
        reply = site.request(method, path, body, headers, key)
        found.append(reply.status)
        if reply.status == 403:
            assert reply.json["error"]["code"] == 2001
    assert found == [403 if number in refused else 200 for number in range(len(found))]


def test_a_key_without_rights_can_change_nothing(site: Emulator, tmp_path: Path) -> None:
    """On every route of the table, it can only read."""
    with closing(Database(tmp_path / "database")) as database:
        routes = ClusterServer(Place(tmp_path, tmp_path, 1, "token"), database).routes()
    key = site.key_of("local", Rights(write=False, call=False, management=False))
    basic = base64.b64encode(f"local:{key}".encode()).decode()
    let_in = set()
    for method, pattern in [(method, route.path) for route in routes for method in sorted(route.methods or ())]:
        path = re.sub(r"{[^}]*}", "x", re.sub(r"{\w+:uuid}", str(uuid.uuid4()), pattern))
        headers = {"Authorization": f"Basic {basic}"} if path.startswith("/git/") else {}
        if site.request(method, path, headers=headers, key=key).status != 403:
            let_in.add((method, pattern))
    # Insights are not stored, and clients send them without a key.
    assert {(method, pattern) for method, pattern in let_in if method not in ("GET", "HEAD")} == {("POST", "/v1/insights")}
    assert [pattern for _, pattern in let_in if pattern.startswith(("/git/", "/v1/algo/"))] == []


def test_a_push_without_the_right_is_refused(site: Emulator, echo: str) -> None:
    before = site.fetch("Rights")[1]
    for rights in (READ_ONLY, NO_MANAGEMENT):
        with pytest.raises(GitProtocolError, match="unexpected http resp 403"):
            site.acting("local", site.key_of("local", rights)).push("Rights", {"new": "1"})
    assert site.fetch("Rights")[1] == before


def test_a_client_that_is_still_sending_receives_the_refusal(site: Emulator, echo: str) -> None:
    """64 MiB exceed any socket buffer, so the server must read them before its reply."""
    key = site.key_of("local", READ_ONLY)
    blocks = (b"x" * 1024 * 1024 for _ in range(64))
    reply = site.request("PUT", "/v1/data/.my/rights/large", blocks, key=key)
    assert (reply.status, reply.json["error"]["code"]) == (403, 2001)
    assert site.request("HEAD", "/v1/data/.my/rights/large").status == 404


def test_an_expired_key_is_refused(site: Emulator) -> None:
    made = time.time()
    key, expired = site.key_of("local", expires_in=2), site.key_of("local", expires_in=-1)
    assert site.request("GET", "/v1/data/", key=site.key_of("local", expires_in=3600)).status == 200
    for presented in (expired, "sim0000000000000000000000000"):
        reply = site.request("GET", "/v1/data/", key=presented)
        assert (reply.status, reply.json["error"]["code"]) == (401, 2002)
    until(lambda: site.request("GET", "/v1/data/", key=key).status == 401)
    assert time.time() - made >= 2
    assert site.request("GET", "/v1/data/").status == 200


def test_resources_of_organizations(site: Emulator) -> None:
    """Members may manage, push, publish and call its algorithms, and write its collections; other users may not."""
    site.join("member", "acme")
    site.join("member", "zebra")
    member = site.acting("member", site.key_of("member"), owner="acme")
    stranger = site.acting("stranger", site.key_of("stranger"), owner="acme")
    assert member.get("/v1/data/") == {"folders": [{"name": "member"}, {"name": "acme"}, {"name": "zebra"}]}
    reference = member.deploy("Shared", ECHO)
    assert member.call(reference, 1)["result"] == 1
    assert member.publish("Shared").json["version_info"]["semantic_version"] == "0.1.0"
    assert member.request("POST", "/v1/data/acme", {"name": "models"}).status == 200
    assert member.request("PUT", "/v1/data/acme/models/file", b"1").status == 200
    assert member.get("/v1/data/acme/models?acl=true")["acl"] == {"read": ["algo://.my/*"]}
    assert [each["name"] for each in member.get("/v1/users/acme/algorithms")["results"]] == ["Shared"]
    seen = [
        stranger.request(method, path, body).status
        for method, path, body in (
            ("GET", "/v1/algorithms/acme/Shared", None),
            ("POST", "/v1/algorithms/acme/Shared/versions", {}),
            ("POST", f"/v1/algo/{reference}", {}),
            ("GET", "/v1/data/acme/models/file", None),
            ("PUT", "/v1/data/acme/models/file", b"2"),
            ("POST", "/v1/data/acme", {"name": "more"}),
            ("POST", "/v1/algorithms/acme", {"name": "Mine"}),
        )
    ]
    assert seen == [403] * len(seen)
    with pytest.raises(GitProtocolError, match="unexpected http resp 403"):
        stranger.fetch("Shared")
    assert member.request("GET", "/v1/data/acme/models/file").body == b"1"


def test_an_algorithm_has_its_callers_memberships(site: Emulator) -> None:
    """A running algorithm acts for its caller, memberships included."""
    site.join("writer", "guild")
    writer = site.acting("writer", site.key_of("writer"), owner="guild")
    assert writer.request("POST", "/v1/data/guild", {"name": "out"}).status == 200
    code = """
import os, urllib.request
def apply(input):
    request = urllib.request.Request(os.environ["ALGORITHMIA_API"] + input, b"1", method="PUT")
    request.add_header("Authorization", os.environ["ALGORITHMIA_API_KEY"])
    return urllib.request.urlopen(request).status
"""
    assert writer.call(writer.deploy("Writes", code), "/v1/data/guild/out/file")["result"] == 200


def test_a_database_of_format_1_is_migrated(tmp_path: Path, environments: Path) -> None:
    """The file was written by an old server. It has two users, one of them with a collection."""
    (tmp_path / "root").mkdir()
    packed = Path(__file__).with_name("format_1.sqlite.xz").read_bytes()
    path = tmp_path / "root" / "cluster.sqlite"
    path.write_bytes(lzma.decompress(packed))
    with pytest.raises(ValueError, match="has the older format 1, and is in use"):
        Database(path, migrate=False)
    keys = {"old": "sim" + "f" * 25, "other": "sim" + "o" * 25}
    for _ in range(2):
        with emulator(tmp_path / "root", environments, "--user", "third") as site:
            for user, key in keys.items():
                assert site.request("GET", "/v1/data/", key=key).json == {"folders": [{"name": user}]}
            assert site.request("GET", "/v1/data/.my", key=keys["old"]).json == {"folders": [{"name": "kept"}]}
            assert site.request("PUT", "/v1/data/.my/kept/file", b"1", key=keys["old"]).status == 200
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    assert shape(connection) == shape(sqlite3.connect(new_database(tmp_path / "new.sqlite")))
    connection.close()


def new_database(path: Path) -> Path:
    Database(path).close()
    return path


def shape(connection: sqlite3.Connection) -> list[Any]:
    """The SQL of every table and index."""
    return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


@pytest.mark.parametrize("found", [2, 3, 4])
def test_a_database_of_an_older_format_is_migrated(tmp_path: Path, found: int) -> None:
    """The first two scripts create the tables of format 2."""
    path = tmp_path / "old.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(ACCOUNTS + SCHEMA + "".join([FORMAT_3, FORMAT_4][: found - 2]))
        connection.execute("INSERT INTO users (name) VALUES ('old')")
        columns = "digest, user, may_write, may_call, may_manage, expires_at, main"
        connection.execute(f"INSERT INTO keys ({columns}) VALUES (?, 'old', 1, 0, 1, NULL, 1)", (digest("key"),))
        connection.execute(f"PRAGMA user_version={found}")
        connection.commit()
    with contextlib.closing(Database(path)) as database:
        caller = Accounts(database).caller("key")
        assert caller
        assert (caller.user, caller.rights) == ("old", NO_CALL)
    with contextlib.closing(sqlite3.connect(path)) as changed:
        assert changed.execute("PRAGMA user_version").fetchone() == (FORMAT,)
        assert shape(changed) == shape(sqlite3.connect(new_database(tmp_path / "new.sqlite")))
