"""Hosted data: files, collections, listings, ACLs."""

import hashlib
import os
import random
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from emulated import Emulator, emulator

from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import new_key

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a cluster with a second user, and that user's key."""
    root = tmp_path_factory.mktemp("guests") / "root"
    root.mkdir()
    database = Database(root / "cluster.sqlite")
    key = new_key()
    Accounts(database).set_key("guest", key)
    database.close()
    return root, key


@pytest.fixture(scope="module")
def shared(guest: tuple[Path, str], environments: Path) -> Iterator[Emulator]:
    with emulator(guest[0], environments) as running:
        yield running


def collection(site: Emulator, name: str, **more: object) -> str:
    assert site.request("POST", "/v1/data/.my", {"name": name, **more}).json == {"result": f"data://.my/{name}"}
    return f"/v1/data/.my/{name}"


def test_the_official_client_round_trips(site: Emulator) -> None:
    client = site.client()
    assert client.username() == "local"
    folder = client.dir("data://.my/official")
    assert folder.exists() is False
    folder.create()
    assert folder.exists() is True
    file = client.file("data://.my/official/text.txt")
    assert file.exists() is False
    for text in ("☎", "€5", "üüü", ""):
        file.put(text)
        assert file.getString() == text
    file.putJson({"a": [1]})
    assert file.getJson() == {"a": [1]}
    binary = bytes(range(256)) * 5000
    client.file("data://.my/official/data.bin").put(binary)
    assert client.file("data://.my/official/data.bin").getBytes() == binary
    assert sorted(found.path for found in folder.files()) == [".my/official/data.bin", ".my/official/text.txt"]
    assert [found.path for found in client.dir("data://.my").dirs() if "official" in found.path] == [".my/official"]
    file.delete()
    assert file.exists() is False
    folder.delete(True)
    assert folder.exists() is False


def test_acls_by_the_official_client(site: Emulator) -> None:
    from Algorithmia.acl import Acl, ReadAcl

    folder = site.client().dir("data://.my/acl")
    folder.create(ReadAcl.private)
    assert folder.get_permissions().read_acl == Acl.from_acl_response({"read": []}).read_acl
    folder.update_permissions(ReadAcl.public)
    assert site.get("/v1/data/.my/acl?acl=true") == {"acl": {"read": ["user://*"]}}
    collection(site, "default_acl")
    assert site.get("/v1/data/.my/default_acl?acl=true") == {"acl": {"read": ["algo://.my/*"]}}
    assert site.get("/v1/data/.my/default_acl") == {}


def test_a_listing(site: Emulator) -> None:
    base = collection(site, "listed")
    before = int(datetime.now(timezone.utc).timestamp())
    reply = site.request("PUT", f"{base}/one", b"123")
    assert (reply.status, reply.json) == (200, {"result": "data://.my/listed/one"})
    for spelling in (base, base + "/", base.replace(".my", "local"), base.replace("/data/", "/connector/data/")):
        listing = site.request("GET", spelling)
        assert listing.headers["x-data-type"] == "directory"
        (entry,) = listing.json["files"]
        assert (entry["filename"], entry["size"]) == ("one", 3)
        modified = datetime.strptime(entry["last_modified"], "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=timezone.utc)
        assert before <= modified.timestamp() <= parsedate_to_datetime(listing.headers["date"]).timestamp()


def test_paging(site: Emulator) -> None:
    base = collection(site, "paged")
    with ThreadPoolExecutor(16) as threads:
        stored = list(threads.map(lambda number: site.request("PUT", f"{base}/{number:04}", b"").status, range(1100)))
    assert stored == [200] * 1100
    first = site.get(base)
    second = site.get(f"{base}?marker={quote(first['marker'])}")
    assert [len(first["files"]), len(second["files"]), "marker" in second] == [1000, 100, False]
    names = [entry["filename"] for page in (first, second) for entry in page["files"]]
    assert names == [f"{number:04}" for number in range(1100)]
    assert len(list(site.client().dir("data://.my/paged").files())) == 1100
    bad = site.request("GET", f"{base}?marker=%25")
    assert (bad.status, bad.json["error"]["code"]) == (400, 5002)


@pytest.mark.parametrize("name", ["a b", "a+b", "100%", "#1", "q?x=1", "ü☎", "..", "-rf", "a\\b", "nul\0l", "x" * 300, "con", '"'])
def test_file_names_may_have_any_characters(site: Emulator, name: str) -> None:
    base = f"/v1/data/.my/{quote('odd ' + name)}"
    assert site.request("POST", "/v1/data/.my", {"name": "odd " + name}).status == 200
    assert site.request("PUT", f"{base}/{quote(name)}", name.encode()).status == 200
    assert site.request("GET", f"{base}/{quote(name)}").body == name.encode()
    assert [entry["filename"] for entry in site.get(base)["files"]] == [name]
    assert site.request("DELETE", f"{base}/{quote(name)}").body == b'{"result":{"deleted":1}}'


def test_completely_escaped_paths(site: Emulator) -> None:
    base = collection(site, "escaped")
    site.request("PUT", f"{base}/a%20b", b"x")
    assert site.request("GET", "/v1/data/.my%2Fescaped%2Fa+b").body == b"x"
    assert site.request("GET", "/v1/data/%FF").status == 400


@pytest.mark.parametrize(
    ("path", "status"), [("s3+label://bucket/key", 400), (".my/a/b/c", 404), (".session/x", 404), (".algo/x", 404)]
)
def test_impossible_paths(site: Emulator, path: str, status: int) -> None:
    assert site.request("GET", f"/v1/data/{path}").status == status


def test_large_uploads_and_downloads(site: Emulator) -> None:
    base = collection(site, "big")
    content = random.Random(1).randbytes(5 * MIB + 17)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    for body in (content, chunks()):
        assert site.request("PUT", f"{base}/file", body).status == 200
        reply = site.request("GET", f"{base}/file")
        assert (reply.headers["content-length"], reply.headers["x-data-type"]) == (str(len(content)), "file")
        assert reply.headers["content-type"] == "application/octet-stream"
        assert hashlib.sha256(reply.body).digest() == hashlib.sha256(content).digest()
    head = site.request("HEAD", f"{base}/file")
    assert (head.status, head.headers["content-length"], head.headers["x-data-type"]) == (
        200,
        str(len(content)),
        "file",
    )
    assert len(list((site.root / "blobs").glob("*"))) >= 2


def test_replaced_contents_are_removed(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments) as own:
        base = collection(own, "replaced")
        for content in (b"one", b"two", b"three"):
            own.request("PUT", f"{base}/file", content)
        blobs = [path.read_bytes() for path in (own.root / "blobs").iterdir() if path.is_file()]
        assert blobs == [b"three"]
        own.request("DELETE", f"{base}?force=true")
        assert [path for path in (own.root / "blobs").iterdir() if path.is_file()] == []


def test_a_broken_upload_changes_nothing(site: Emulator) -> None:
    base = collection(site, "broken")
    site.request("PUT", f"{base}/file", b"old")
    host, _, port = site.host.partition(":")
    with socket.create_connection((host, int(port))) as peer:
        head = f"PUT {base}/file HTTP/1.1\r\nHost: {site.host}\r\nAuthorization: {site.key}\r\nContent-Length: 100\r\n\r\n"
        peer.sendall(head.encode() + b"new")
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(4096):
            pass
    assert site.request("GET", f"{base}/file").body == b"old"
    assert list((site.root / "blobs" / "incoming").iterdir()) == []


def test_readers_of_a_replaced_file_get_the_old_or_the_new_one(site: Emulator) -> None:
    base, written = collection(site, "contended"), threading.Event()
    contents = [bytes([number]) * 100_000 for number in range(20)]
    site.request("PUT", f"{base}/file", contents[0])
    reading = threading.Barrier(5, timeout=60)

    def read() -> set[tuple[int, bytes]]:
        """At least once before the first write, and once after the last."""
        replies = [site.request("GET", f"{base}/file")]
        reading.wait()
        while not written.is_set():
            replies.append(site.request("GET", f"{base}/file"))
        replies.append(site.request("GET", f"{base}/file"))
        return {(reply.status, reply.body) for reply in replies}

    def write() -> list[int]:
        reading.wait()
        try:
            return [site.request("PUT", f"{base}/file", each).status for each in contents * 3]
        finally:
            written.set()

    with ThreadPoolExecutor(5) as threads:
        readers = [threads.submit(read) for _ in range(4)]
        writer = threads.submit(write)
        seen = set().union(*(reader.result() for reader in readers))
    assert writer.result() == [200] * 60
    assert seen <= {(200, content) for content in contents}
    assert {(200, contents[0]), (200, contents[-1])} <= seen


def test_an_acknowledged_upload_survives_a_kill(tmp_path: Path, environments: Path) -> None:
    content = os.urandom(MIB + 1)
    with emulator(tmp_path / "root", environments) as own:
        base = collection(own, "durable")
        own.request("PUT", f"{base}/file", content)
        own.stop(signal.SIGKILL)
    with emulator(own.root, environments) as again:
        assert again.request("GET", "/v1/data/.my/durable/file").body == content


def test_errors_of_uploads(site: Emulator) -> None:
    assert site.request("PUT", "/v1/data/.my/nowhere/file", b"x" * MIB).status == 404
    assert site.request("PUT", "/v1/data/.my/file", b"x").status == 400
    assert site.request("PUT", "/v1/data/other/coll/file", b"x" * MIB).status == 403


def test_collections_are_made_below_an_account(site: Emulator) -> None:
    collection(site, "once")
    assert site.request("POST", "/v1/data/.my", {"name": "once"}).status == 400
    assert site.request("POST", "/v1/data/.my/once", {"name": "below"}).status == 400
    assert site.request("POST", "/v1/data/", {"name": "above"}).status == 400
    assert site.request("POST", "/v1/data/.my", {"name": ".hidden"}).status == 400
    assert site.request("POST", "/v1/data/.my", {"name": 7}).status == 400
    assert site.request("POST", "/v1/data/.my", {"name": "x", "acl": {"read": "user://*"}}).status == 400
    assert site.request("POST", "/v1/data/.my", "{", {"Content-Type": "application/json"}).status == 400
    text = {"Content-Type": "text/plain"}
    assert site.request("POST", "/v1/data/.my/", "bare_name", text).json == {"result": "data://.my/bare_name"}
    assert site.request("HEAD", "/v1/data/.my/bare_name").status == 200


def test_deleting(site: Emulator) -> None:
    base = collection(site, "doomed")
    site.request("PUT", f"{base}/a", b"")
    refused = site.request("DELETE", base)
    assert (refused.status, refused.json["error"]["deleted"]) == (400, 0)
    missing = site.request("DELETE", f"{base}/b")
    assert (missing.status, missing.json["error"]["message"]) == (404, "path not found")
    assert site.request("DELETE", f"{base}?force=true").body == b'{"result":{"deleted":2}}'
    assert site.request("DELETE", base).status == 404
    collection(site, "empty")
    assert site.request("DELETE", "/v1/data/.my/empty?force=false").body == b'{"result":{"deleted":1}}'


def test_content_types_follow_the_accept_header(site: Emulator) -> None:
    base = collection(site, "typed")
    site.request("PUT", f"{base}/text", "€".encode())
    site.request("PUT", f"{base}/binary", b"\xff\xfe")

    def kind(name: str, accept: str) -> str:
        return site.request("GET", f"{base}/{name}", headers={"Accept": accept}).headers["content-type"]

    assert kind("text", "*/*") == "text/plain; charset=utf-8"
    assert kind("binary", "*/*") == "application/octet-stream"
    assert kind("text", "application/octet-stream") == "application/octet-stream"
    assert kind("binary", "text/plain") == "text/plain; charset=utf-8"
    assert kind("text", "application/json") == "application/json"


def test_readers_by_acl(shared: Emulator, guest: tuple[Path, str]) -> None:
    key = guest[1]
    statuses = {}
    for name, acl in (("private", []), ("mine", ["algo://.my/*"]), ("public", ["user://*"])):
        base = collection(shared, name, acl={"read": acl})
        shared.request("PUT", f"{base}/file", b"x")
        theirs = base.replace(".my", "local")
        statuses[name] = [shared.request(verb, f"{theirs}/file", key=key).status for verb in ("GET", "HEAD")]
        statuses[name].append(shared.request("GET", theirs, key=key).status)
        writes = [shared.request(verb, f"{theirs}/file", b"y", key=key).status for verb in ("PUT", "DELETE")]
        writes += [shared.request("DELETE", theirs, key=key).status]
        writes += [shared.request("PATCH", theirs, {"acl": {"read": []}}, key=key).status]
        assert writes == [403] * 4
        assert "acl" not in shared.request("GET", theirs + "?acl=true", key=key).json
    assert statuses == {"private": [403] * 3, "mine": [403] * 3, "public": [200] * 3}
    assert shared.request("GET", "/v1/data/local", key=key).status == 403
    assert shared.request("GET", "/v1/data/", key=key).json == {"folders": [{"name": "guest"}]}
    assert shared.request("POST", "/v1/data/local", {"name": "n"}, key=key).status == 403
