"""Reading, writing, probing and deleting data (PLATFORM.md §2.2)."""

import re
from email.utils import parsedate_to_datetime

import pytest
from clients import Library
from replies import Reply
from site_under_test import Site

BYTES = bytes(range(256)) * 3


def error(reply: Reply) -> object:
    return reply.at("error", "message")


def test_read_file(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.collection({'a.bin': BYTES})}/a.bin", headers={"Accept": "application/octet-stream"})
    assert (reply.status, reply.body) == (200, BYTES)
    assert [reply.headers.get(name) for name in ("x-data-type", "content-length", "content-type")] == [
        "file",
        "768",
        "application/octet-stream",
    ]


def test_read_missing_file(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.collection()}/none")
    assert (reply.status, error(reply)) == (404, "path not found")


def test_library_reads_file(site: Site, library: Library) -> None:
    path = site.collection({"a.bin": BYTES})
    reply = library.ask(f"client.file('data://{path}/a.bin').getBytes()")
    assert reply.value == BYTES.decode("latin-1")


def test_library_reads_short_text_in_its_charset(site: Site, library: Library) -> None:
    path = site.collection({"a.txt": "☎ €5 üüü"})
    reply = library.ask(f"client.file('data://{path}/a.txt').getString()")
    assert reply.value == "☎ €5 üüü"


def test_library_reports_a_missing_file(site: Site, library: Library) -> None:
    path = site.collection()
    reply = library.ask(f"client.file('data://{path}/none').getBytes()")
    assert (reply.error, reply.message) == ("DataApiError", f"unable to get file {path}/none - path not found")


def test_list_directory(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.collection({'a': 'x'})}")
    assert (reply.status, reply.headers.get("x-data-type"), len(reply.each("files"))) == (200, "directory", 1)


def test_list_missing_directory(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.user}/none")
    assert (reply.status, error(reply)) == (404, "path not found")


def test_list_foreign_directory(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.collection()}", key=site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)


def test_probe_file(site: Site) -> None:
    reply = site.curl("HEAD", f"/v1/data/{site.collection({'a': 'four'})}/a")
    assert (reply.status, reply.headers.get("x-data-type"), reply.headers.get("content-length")) == (200, "file", "4")


def test_probe_directory(site: Site) -> None:
    reply = site.curl("HEAD", f"/v1/data/{site.collection()}")
    assert (reply.status, reply.headers.get("x-data-type")) == (200, "directory")


def test_probe_has_a_date(site: Site) -> None:
    path = site.collection({"a": "x"})
    reply = site.curl("HEAD", f"/v1/data/{path}/a")
    assert (reply.headers.get("x-data-type"), parsedate_to_datetime(reply.headers["date"]).tzinfo is not None) == ("file", True)


def test_probe_failure_has_a_message_header(site: Site) -> None:
    path = f"/v1/data/{site.collection({'a': 'x'})}"
    replies = [
        site.curl("HEAD", f"{path}/none"),
        site.curl("HEAD", f"{path}/a", key="sim" + "x" * 25),
        site.curl("HEAD", f"{path}/a", key=site.other),
    ]
    assert [reply.status for reply in replies] == [404, 401, 403]
    assert all(reply.headers.get("x-error-message") for reply in replies)
    assert [reply.body for reply in replies] == [b"", b"", b""]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("shape", ["{}/sub/f.txt", "{}/sub/deeper/f.txt", "f.txt", "nobody", "nobody/things/f.txt"])
def test_impossible_paths(site: Site, method: str, shape: str) -> None:
    """Reads and deletions find nothing there. Clients that first probe local paths expect 404."""
    reply = site.curl(method, f"/v1/data/{shape.format(site.collection())}")
    told = reply.headers.get("x-error-message") if method == "HEAD" else error(reply)
    assert (reply.status, told) == (404, "path not found")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_data_of_others_is_forbidden(site: Site, method: str) -> None:
    reply = site.curl(method, f"/v1/data/{site.user}", key=site.other)
    assert (reply.status, reply.status if method == "HEAD" else reply.at("error", "code")) == (
        403,
        403 if method == "HEAD" else 2001,
    )


def test_write_to_impossible_paths(site: Site) -> None:
    path = f"/v1/data/{site.collection()}/sub"
    replies = [site.curl("PUT", f"{path}/f.txt", b"x"), site.curl("POST", path, {"name": "x"})]
    assert [(reply.status, reply.at("error", "code")) for reply in replies] == [(400, 6001)] * 2


@pytest.mark.parametrize("accept", ["application/octet-stream", "text/plain", "application/json", "*/*"])
@pytest.mark.parametrize("content", ["words", BYTES])
def test_probe_has_the_content_type_of_a_read(site: Site, accept: str, content: str | bytes) -> None:
    path = f"/v1/data/{site.collection({'a': content})}/a"
    probed, read = (site.curl(method, path, headers={"Accept": accept}) for method in ("HEAD", "GET"))
    assert (probed.headers.get("x-data-type"), probed.headers.get("content-type")) == ("file", read.headers.get("content-type"))


def test_library_probes(site: Site, library: Library) -> None:
    path = site.collection({"a": "x"})
    reply = library.ask(f"[client.file('data://{path}/' + name).exists() for name in ('a', 'none')]")
    assert reply.value == [True, False]


def test_write_file(site: Site) -> None:
    path = site.collection()
    reply = site.curl("PUT", f"/v1/data/{path}/a.bin", BYTES)
    assert (reply.status, reply.document) == (200, {"result": f"data://{path}/a.bin"})


def test_write_into_missing_collection(site: Site) -> None:
    reply = site.curl("PUT", f"/v1/data/{site.user}/none/a", b"x")
    assert (reply.status, isinstance(error(reply), str)) == (404, True)


def test_library_writes(site: Site, library: Library) -> None:
    path = site.collection()
    reply = library.ask(f"client.file('data://{path}/a').put('text').getString()")
    assert reply.value == "text"


def test_library_reports_a_failed_write(site: Site, library: Library) -> None:
    reply = library.ask(f"client.file('data://{site.user}/none/a').put('text').path")
    assert (reply.value, reply.error != "") == (None, True)
    assert reply.message.endswith("<Response [404]>") or reply.message == "The collection of this file does not exist"


def test_write_overwrites(site: Site) -> None:
    path = f"/v1/data/{site.collection({'a': 'old'})}/a"
    replies = [site.curl("PUT", path, b"new"), site.curl("GET", path)]
    assert [replies[0].status, replies[1].body] == [200, b"new"]


def test_write_in_chunks(site: Site) -> None:
    path = f"/v1/data/{site.collection()}/a"
    replies = [site.curl("PUT", path, BYTES, {"Transfer-Encoding": "chunked"}), site.curl("GET", path)]
    assert [replies[0].status, replies[1].body] == [200, BYTES]


def test_library_writes_empty_file(site: Site, library: Library) -> None:
    """`requests` sends an empty file object in chunks."""
    path = site.collection()
    reply = library.ask(f"[client.file('data://{path}/a').putFile('/dev/null').path, client.file('data://{path}/a').getBytes()]")
    assert reply.value == [f"{path}/a", ""]


def test_write_takes_any_content_type(site: Site) -> None:
    path = f"/v1/data/{site.collection()}/a"
    replies = [site.curl("PUT", path, b"{no json", {"Content-Type": "application/json"}), site.curl("GET", path)]
    assert [replies[0].status, replies[1].body] == [200, b"{no json"]


def test_write_returns_the_requested_path(site: Site) -> None:
    name = site.collection().partition("/")[2]
    reply = site.curl("PUT", f"/v1/data/.my/{name}/a", b"x")
    assert reply.document == {"result": f"data://.my/{name}/a"}


def test_create_collection(site: Site) -> None:
    name = site.name("made")
    reply = site.curl("POST", f"/v1/data/{site.user}", {"name": name})
    assert (reply.status, reply.document) == (200, {"result": f"data://{site.user}/{name}"})


def test_create_collection_twice(site: Site) -> None:
    name = site.collection().partition("/")[2]
    reply = site.curl("POST", f"/v1/data/{site.user}", {"name": name})
    assert (reply.status, isinstance(error(reply), str)) == (400, True)


def test_create_collection_from_a_bare_name(site: Site) -> None:
    name = site.name("made")
    reply = site.curl("POST", f"/v1/data/{site.user}/", name, {"Content-Type": "text/plain"})
    assert (reply.status, reply.at("result")) == (200, f"data://{site.user}/{name}")


def test_create_collection_as_text_json(site: Site) -> None:
    name = site.name("made")
    reply = site.curl("POST", f"/v1/data/{site.user}", f'{{"name": "{name}"}}', {"Content-Type": "text/json"})
    assert (reply.status, reply.document) == (200, {"result": f"data://{site.user}/{name}"})


def test_library_creates_collection(site: Site, library: Library) -> None:
    name = site.name("made")
    reply = library.ask(f"[client.dir('data://.my/{name}').create(), [each.path for each in client.dir('data://.my').list()]]")
    assert (reply.at(0), f".my/{name}" in reply.each(1)) == (None, True)


def test_change_acl(site: Site) -> None:
    path = f"/v1/data/{site.collection()}"
    reply = site.curl("PATCH", path, {"acl": {"read": ["user://*"]}})
    assert (reply.status, reply.body) == (200, b"")
    after = site.curl("GET", f"{path}?acl=true")
    assert after.at("acl") == {"read": ["user://*"]}


def test_change_acl_of_missing_collection(site: Site) -> None:
    reply = site.curl("PATCH", f"/v1/data/{site.user}/none", {"acl": {"read": []}})
    assert (reply.status, error(reply)) == (404, "path not found")


def test_delete_file(site: Site) -> None:
    reply = site.curl("DELETE", f"/v1/data/{site.collection({'a': 'x'})}/a")
    assert (reply.status, reply.body) == (200, b'{"result":{"deleted":1}}')


def test_delete_missing_file(site: Site) -> None:
    replies = [site.curl("DELETE", f"/v1/data/{path}/none") for path in (site.collection(), f"{site.user}/none")]
    assert [(reply.status, error(reply)) for reply in replies] == [(404, "path not found")] * 2


def test_library_deletes_file(site: Site, library: Library) -> None:
    path = site.collection({"a": "x"})
    reply = library.ask(f"[client.file('data://{path}/a').delete(), client.file('data://{path}/a').exists()]")
    assert reply.value == [True, False]
    again = library.ask(f"client.file('data://{path}/a').delete()")
    assert (again.error, again.message) == ("DataApiError", "path not found")


def test_delete_empty_directory_by_force(site: Site) -> None:
    reply = site.curl("DELETE", f"/v1/data/{site.collection()}?force=true")
    assert (reply.status, reply.body) == (200, b'{"result":{"deleted":1}}')


def test_delete_full_directory_by_force(site: Site) -> None:
    path = site.collection({"a": "x", "b": "y"})
    reply = site.curl("DELETE", f"/v1/data/{path}?force=true")
    assert (reply.status, reply.body) == (200, b'{"result":{"deleted":3}}')


def test_delete_full_directory(site: Site) -> None:
    path = f"/v1/data/{site.collection({'a': 'x'})}"
    replies = [site.curl("DELETE", path + query) for query in ("", "?force=false")]
    assert [(reply.status, reply.at("error", "deleted")) for reply in replies] == [(400, 0)] * 2
    assert all(isinstance(error(reply), str) for reply in replies)


def test_library_deletes_directory(site: Site, library: Library) -> None:
    path = site.collection({"a": "x"})
    refused = library.ask(f"client.dir('data://{path}').delete()")
    assert refused.error == "DataApiError"
    reply = library.ask(f"[client.dir('data://{path}').delete(force=True), client.dir('data://{path}').exists()]")
    assert reply.value == [True, False]


def test_there_is_no_checksum(site: Site) -> None:
    path = site.collection({"a": "x"})
    reply = site.curl("HEAD", f"/v1/data/{path}/a")
    assert (reply.headers.get("x-data-type"), reply.headers.get("etag"), reply.headers.get("content-md5")) == ("file", None, None)


def test_content_type_follows_accept(site: Site) -> None:
    path = f"/v1/data/{site.collection({'a.json': '[1]'})}/a.json"
    accepted = ("application/octet-stream", "text/plain", "application/json", "*/*")
    replies = [site.curl("GET", path, headers={"Accept": each}) for each in accepted]
    found = [reply.headers.get("content-type", "").partition(";")[0] for reply in replies]
    assert (found, [reply.body for reply in replies]) == ([*accepted[:3], "text/plain"], [b"[1]"] * 4)


def test_error_has_an_id(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.user}/none")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(reply.at("error", "id")))
