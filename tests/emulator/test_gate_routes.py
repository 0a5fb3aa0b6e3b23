"""Authentication on every route and method of the route table, so that new routes are tested too."""

from __future__ import annotations

import http.client
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import quote

import pytest
from emulated import Emulator
from mutated import basic

from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import digest
from algosync.emulator.server.cluster import ClusterServer, ServerSettings

TEMPLATE = "/v1/algorithm-environments/edge/environment-specifications/{specification}/template"
OPEN = {
    **{("GET", "/health"): 200, ("HEAD", "/health"): 200, ("POST", "/v1/insights"): 200},
    **{("GET", TEMPLATE): 404, ("HEAD", TEMPLATE): 404},
}
"""Routes without authentication, with their status. Other methods of these routes return 405."""
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
UNKNOWN = "sim0000000000000000000000000"

FOR_EVERYBODY = {
    *("/v1/data", "/v1/connector/data", "/v1/hostedData", "/v1/secret-provider", "/v1/openapispec", "/v1/organization/types"),
    *("/v1/scms", "/v1/users/{owner}/algorithms", "/page/", "/page/calls", "/page/data", "/page/accounts"),
    "/v1/algorithm-environments/edge/languages",
    "/v1/algorithm-environments/edge/languages/{language}/environments",
}
"""Routes that every user may read. Their content depends on the user."""


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("table")
    with closing(Database(folder / "database")) as database:
        routes = ClusterServer(ServerSettings(folder, folder, 1, "token"), database).routes()
    found = list(dict.fromkeys(route.path for route in routes))
    assert len(found) > 70
    return found


@pytest.fixture
def connection(site: Emulator) -> Iterator[http.client.HTTPConnection]:
    """It is opened by the first request. The server closes it when no request comes for five seconds."""
    with closing(site.connection()) as connection:
        yield connection


def asked(connection: http.client.HTTPConnection, method: str, path: str, presented: bytes | None) -> tuple[int, bytes]:
    headers: Mapping[str, bytes] = {} if presented is None else {"Authorization": presented}
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    return reply.status, reply.read()


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """The path of a route with these values, and with values that name nothing for the other parameters."""
    named = re.sub(r"{(\w+):uuid}", lambda found: values.get(found[1], str(uuid.uuid4())), pattern)
    return re.sub(r"{(\w+)(:path)?}", lambda found: values.get(found[1], "x"), named)


def wrong_keys(site: Emulator) -> dict[str, bytes | None]:
    """Authorization headers without a valid key of this cluster."""
    key = site.key
    return {
        "none": None,
        "unknown": UNKNOWN.encode(),
        "unknown, as a password": basic(site.user, UNKNOWN),
        "empty": b"Simple ",
        "cut": f"Simple {key[:-1]}".encode(),
        "longer": f"Simple {key}x".encode(),
        "in capitals": f"Bearer {key.upper()}".encode(),
        "of another scheme": f"Digest {key}".encode(),
        "twice": f"Simple {key}, Simple {key}".encode(),
        "spoiled": b"Simple \xff" + key.encode(),
        "as a user": basic(key, ""),
        "half encoded": basic(site.user, key)[:-3],
        "as text": f"Basic {site.user}:{key}".encode(),
        "its digest": f"Simple {digest(key)}".encode(),
    }


def test_every_route_requires_a_key(site: Emulator, connection: http.client.HTTPConnection, patterns: list[str]) -> None:
    wrong = wrong_keys(site)
    for pattern in [*patterns, "/", "/nothing", "/v1", "/page", "/git/"]:
        path = filled(pattern, {})
        for method in METHODS:
            for name, presented in wrong.items() if method in ("GET", "POST") else [("none", None), ("unknown", wrong["unknown"])]:
                status, body = asked(connection, method, path, presented)
                if pattern in {each for _, each in OPEN}:
                    assert status == OPEN.get((method, pattern), 405), (method, path, name)
                    continue
                assert status == 401, (method, path, name)
                if method != "HEAD":
                    error = json.loads(body)["error"]
                    told = (error["message"], error.get("code"))
                    missing = ("authorization required", None)
                    assert told == (missing if presented is None else ("The API key is unknown or invalid", 2002)), (path, name)


def test_every_route_refuses_a_key_in_the_query(
    site: Emulator, connection: http.client.HTTPConnection, patterns: list[str]
) -> None:
    """Also on open routes, and together with a valid key in the header: a key in a URL would end up in logs."""
    before = len(site.log())
    for pattern in patterns:
        for authorization in (None, f"Simple {site.key}".encode()):
            status, _ = asked(connection, "GET", f"{filled(pattern, {})}?x=1&y={quote(site.key)}", authorization)
            assert status == 400, pattern
    assert {line["path"].partition("?")[2] for line in site.log()[before:]} == {"(removed: it held a key)"}
    assert site.key not in (site.root / "requests.jsonl").read_text()


def test_a_stranger_cannot_read_or_change_others_resources(
    site: Emulator, connection: http.client.HTTPConnection, patterns: list[str]
) -> None:
    """By name and by id."""
    values = owned(site)
    stranger = site.key_of("stranger")
    statuses = {}
    for pattern in patterns:
        path = filled(pattern, values if not pattern.startswith("/v1/algo/") else {"path": "local/Owned"})
        in_git = pattern.startswith("/git/")
        for method in METHODS:
            query = "?service=git-upload-pack" if in_git else ""
            presented = basic("stranger", stranger) if in_git else f"Simple {stranger}".encode()
            statuses[method, pattern] = asked(connection, method, path + query, presented)[0]
    let_in = {each for each, status in statuses.items() if 200 <= status < 300}
    assert {pattern for _, pattern in let_in - OPEN.keys()} == FOR_EVERYBODY
    assert {(method, pattern) for method, pattern in let_in if method not in ("GET", "HEAD")} == {("POST", "/v1/insights")}
    readable = {}
    for pattern in ("/v1/data/{path:path}", "/v1/algorithms/{owner}/{name}", "/v1/algorithms/{id:uuid}", "/page/data/{collection}"):
        readable[pattern] = asked(connection, "GET", filled(pattern, values), f"Simple {site.key}".encode())[0]
        assert statuses["GET", pattern] == 403
    assert set(readable.values()) == {200}


def owned(site: Emulator) -> dict[str, str]:
    """Existing private resources of the user, by names of the routes' parameters."""
    algorithm = site.create("Owned")
    assert site.request("POST", "/v1/data/.my", {"name": "owned"}).status == 200
    assert site.request("PATCH", "/v1/data/.my/owned", {"acl": {"read": []}}).status == 200
    assert site.request("PUT", "/v1/data/.my/owned/file", b"content").status == 200
    [collection] = [each for each in site.get("/v1/hostedData")["result"] if each["collection_name"] == "owned"]
    names = {"owner": "local", "name": "Owned", "id": algorithm["id"], "user": "local", "collection": collection["id"]}
    return {**names, "path": "local/owned/file", "organization": "local", "language": "python3", "version": "x"}


def test_two_authorization_headers_are_refused(site: Emulator, connection: http.client.HTTPConnection) -> None:
    """In any order, as other programs may use the first or the last one."""
    for keys in ([site.key, UNKNOWN], [UNKNOWN, site.key], [site.key, site.key]):
        connection.putrequest("GET", "/v1/data")
        for key in keys:
            connection.putheader("Authorization", key)
        connection.endheaders()
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 401
