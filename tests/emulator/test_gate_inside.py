"""Keys with fewer rights, and running algorithms, on every route: they can do nothing beyond the rights of the key."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from emulated import Emulator, until
from mutated import basic
from test_gate_routes import filled

from algosync.emulator.http.gate import OPEN
from algosync.emulator.records.database import Database
from algosync.emulator.records.rights import ADMINISTRATION, Rights
from algosync.emulator.server.cluster import ClusterServer, Place

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
NEEDED = (
    # Prefix of the path, whether only methods that change something need rights, and which rights.
    ("/v1/algo/", True, "call"),
    ("/v1/data", True, "write"),
    ("/v1/connector/", True, "write"),
    ("/git/", False, "management"),
    ("/", True, "write management"),
)
FEWER = [Rights(), Rights(write=False), Rights(call=False), Rights(management=False), Rights(write=False, management=False)]

WAITS = """
import os, time
def apply(input):
    with open(input + ".part", "w") as file:
        file.write(os.environ["ALGORITHMIA_API_KEY"])
    os.rename(input + ".part", input)
    while os.path.exists(input):
        time.sleep(0.02)
    return "waited"
"""


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("table")
    with closing(Database(folder / "database")) as database:
        routes = ClusterServer(Place(folder, folder, 1, "token"), database).routes()
    return list(dict.fromkeys(route.path for route in routes if not OPEN.fullmatch(filled(route.path, {}))))


@pytest.fixture(scope="module")
def waits(site: Emulator) -> str:
    """Another user's algorithm, which all users may call."""
    site.deploy("Waits", WAITS)
    assert site.publish("Waits", settings={"algorithm_callability": "public"}).status == 200
    return "local/Waits"


@contextlib.contextmanager
def inside(site: Emulator, reference: str, key: str, folder: Path) -> Iterator[str]:
    """The token of a worker while it answers a call with this key."""
    told, replies = folder / "token", []
    caller = threading.Thread(target=lambda: replies.append(site.call(reference, str(told), key=key)["result"]))
    caller.start()
    until(told.exists)
    try:
        yield told.read_text()
    finally:
        told.unlink()
        caller.join()
    assert replies == ["waited"]


def statuses(site: Emulator, key: str, patterns: list[str]) -> dict[tuple[str, str], int]:
    """The statuses of all routes and methods for user `vic` with this key or token."""
    found = {}
    for pattern in patterns:
        path = filled(pattern, {"owner": "vic", "user": "vic", "name": "Private", "path": "vic/nothing/file"})
        if pattern == "/git/{owner}/{name}.git/info/refs":
            path += "?service=git-upload-pack"
        for method in METHODS:
            headers = {"Authorization": basic("vic", key).decode()} if path.startswith("/git/") else {}
            found[method, pattern] = site.request(method, path, headers=headers, key=key).status
    return found


def beyond(rights: Rights, method: str, pattern: str) -> bool:
    """Whether a request exceeds these rights. Written independently of the code under test."""
    if ADMINISTRATION.match(filled(pattern, {})):
        return True
    changing, names = next((changing, names) for prefix, changing, names in NEEDED if pattern.startswith(prefix))
    return (method != "GET" or not changing) and not all(getattr(rights, name) for name in names.split())


@pytest.mark.parametrize("rights", FEWER[1:])
def test_a_key_is_refused_whatever_its_rights_do_not_permit(site: Emulator, patterns: list[str], rights: Rights) -> None:
    found = statuses(site, site.key_of("vic", rights), patterns)
    refused = {each for each in found if beyond(rights, *each)}
    assert {each for each in refused if found[each] != 403} == set()
    assert {200, 404} <= {found[each] for each in set(found) - refused}


@pytest.mark.parametrize("rights", [each for each in FEWER if each.call])
def test_a_running_algorithm_has_only_the_rights_of_its_callers_key(
    site: Emulator, patterns: list[str], waits: str, rights: Rights, tmp_path: Path
) -> None:
    """It may use data and calls as far as the key permits, but no management, git, secrets or pages."""
    site.key_of("vic")
    with inside(site, waits, site.key_of("vic", rights), tmp_path) as token:
        found = statuses(site, token, patterns)
        session = site.request("PUT", "/v1/data/.session/file", b"1", key=token).status
        kept = site.request("PUT", "/v1/connector/data/.algo/perm/file", b"1", key=token).status
    ordinary = [pattern for pattern in patterns if pattern.startswith(("/v1/data", "/v1/connector/", "/v1/algo/"))]
    permitted = {(method, each) for each in ordinary for method in METHODS if not beyond(rights, method, each)}
    assert {each for each, status in found.items() if status != 403} == permitted
    assert (session, kept) == (200, 200)
