"""Publications: valid requests, and that they are atomic."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from emulated import SETTINGS, Emulator

from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.database import Database
from algosync.emulator.records.versions import Release


@pytest.fixture(scope="module")
def built(site: Emulator) -> str:
    """An algorithm with a commit to publish."""
    site.deploy("Built", "def apply(input):\n    return input\n")
    return "/v1/algorithms/local/Built"


@pytest.mark.parametrize("label", [5, ["Built"]])
def test_a_label_is_a_string(site: Emulator, built: str, label: Any) -> None:
    """In publications and changes as in creations."""
    before = site.get(built)
    details = {"label": label}
    settings = {**SETTINGS, "algorithm_environment": site.environment()}
    creation = {"name": "Unlabelled", "details": details, "settings": settings}
    assert site.publish("Built", details=details).status == 400
    assert site.request("PUT", built, {"details": details, "settings": settings}).status == 400
    assert site.request("POST", "/v1/algorithms/local", creation).status == 400
    assert site.get(built) == before


def test_a_label_of_null_is_ignored(site: Emulator, built: str) -> None:
    """A label of null keeps the present label. A new algorithm has none yet."""
    details = {"label": None}
    settings = {**SETTINGS, "algorithm_environment": site.environment()}
    before = site.get(built)["details"]
    assert site.request("PUT", built, {"details": details, "settings": settings}).status == 200
    assert site.publish("Built", details=details).status == 200
    assert site.get(built)["details"] == before
    creation = {"name": "Unlabelled", "details": details, "settings": settings}
    assert site.request("POST", "/v1/algorithms/local", creation).status == 400


def test_a_change_during_a_publication_is_kept(site: Emulator) -> None:
    site.deploy("Slow", "def apply(input):\n    return input\n")
    path = "/v1/algorithms/local/Slow"
    change = {"details": {"tagline": "kept"}, "settings": {**SETTINGS, "license": "mit"}}
    status, published = interrupted(site, "POST", f"{path}/versions", {}, lambda: site.request("PUT", path, change))
    assert (status, published["details"], published["settings"]["license"]) == (200, {"label": "Slow", "tagline": "kept"}, "mit")
    now = site.get(path)
    assert (now["details"], now["settings"]["license"]) == ({"label": "Slow", "tagline": "kept"}, "mit")


@pytest.mark.parametrize(("method", "end"), [("PUT", ""), ("POST", "/versions")])
def test_an_algorithm_deleted_meanwhile_is_neither_changed_nor_published(site: Emulator, method: str, end: str) -> None:
    site.create("Gone")
    path = "/v1/algorithms/local/Gone"
    status, answer = interrupted(site, method, path + end, {"settings": SETTINGS}, lambda: site.request("DELETE", path))
    assert (status, answer.get("error", {}).get("code")) == (404, 1001)


def interrupted(site: Emulator, method: str, path: str, body: object, meanwhile: Callable[[], object]) -> tuple[int, Any]:
    """Send a request whose body follows after `meanwhile` was called. Returns status and JSON of the reply."""
    text = json.dumps(body).encode()
    connection = site.connection()
    with closing(connection):
        connection.putrequest(method, path)
        for name, value in (("Authorization", f"Simple {site.key}"), ("Content-Length", str(len(text)))):
            connection.putheader(name, value)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        assert connection.sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        meanwhile()
        connection.sock.sendall(text)
        response = HTTPResponse(connection.sock)
        response.begin()
        return response.status, json.loads(response.read())


def test_a_publication_is_one_transaction(tmp_path: Path) -> None:
    """If the algorithm cannot be changed, the version is not recorded either, so a retry is not a second publication."""
    private: dict[str, object] = {"algorithm_callability": "private"}
    public: dict[str, object] = {"algorithm_callability": "public"}
    release = Release("commit", "minor", {"label": "x"}, public, {})
    with closing(Database(tmp_path / "cluster.sqlite")) as database:
        records = Catalog.of(database)
        records.algorithms.add(Algorithm("id", "local", "Whole", {"label": "x"}, private, ""))
        with database.write() as connection:
            connection.execute("CREATE TRIGGER kill BEFORE UPDATE ON algorithms BEGIN SELECT RAISE(ABORT, 'killed'); END")
        with pytest.raises(sqlite3.IntegrityError, match="killed"):
            records.versions.publish("id", release)
        assert (records.versions.of("id"), stand(records)) == ([], private)
        with database.write() as connection:
            connection.execute("DROP TRIGGER kill")
        version = records.versions.publish("id", release)
        assert (records.versions.of("id"), stand(records)) == ([version], public)


def stand(records: Catalog) -> object:
    found = records.algorithms.get("id")
    return found and found.settings
