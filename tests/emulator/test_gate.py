"""Admission of requests: host, origin, key; and the request log."""

import base64
import contextlib
import socket
from urllib.parse import quote

import pytest
from emulated import Emulator

from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import KeyFormat, new_key


@pytest.mark.parametrize("form", ["{}", "Simple {}", "Bearer {}"])
def test_schemes_of_authorization(site: Emulator, form: str) -> None:
    assert site.request("GET", "/v1/data/", headers={"Authorization": form.format(site.key)}).status == 200


def test_basic_credentials_are_for_git_only(site: Emulator) -> None:
    site.create("Guarded")
    refs = "/git/local/Guarded.git/info/refs?service=git-upload-pack"
    basic = {"Authorization": "Basic " + base64.b64encode(f"local:{site.key}".encode()).decode()}
    other = {"Authorization": "Basic " + base64.b64encode(f"other:{site.key}".encode()).decode()}
    assert site.request("GET", refs, headers=basic).status == 200
    assert site.request("GET", refs, headers=other).status == 401
    refused = site.request("GET", refs)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="algorithmia"')
    assert site.request("GET", "/v1/data/", headers=basic).status == 401
    assert site.request("GET", refs, headers={"Authorization": "Basic *"}).status == 401


def test_only_the_own_host_is_accepted(site: Emulator) -> None:
    port = site.host.rpartition(":")[2]
    own = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]", "api.localhost", "git.localhost")]
    names = [
        "127.0.0.1",
        "localhost",
        "evil.example",
        f"evil.example:{port}",
        "[::1]",
        f"::1:{port}",
        f"localhost.:{port}",
        "127.0.0.1:1",
    ]
    odd = [
        f"127.0.0.1:0{port}",
        f"0.0.0.0:{port}",
        f"127.1:{port}",
        f"2130706433:{port}",
        f"user@{site.host}",
        f"{site.host},{site.host}",
    ]
    assert [site.request("GET", "/v1/data/", headers={"Host": host}).status for host in own] == [200] * len(own)
    assert [site.request("GET", "/v1/data/", headers={"Host": host}).status for host in names + odd] == [403] * len(names + odd)


def test_only_the_own_origin_is_accepted(site: Emulator) -> None:
    """On every route, also on those that need no key."""
    foreign = [
        "http://evil.example",
        "null",
        site.host,
        f"https://{site.host}",
        f"{site.address}.evil.example",
        f"{site.address}/",
        " ",
    ]
    for path in ("/v1/data/", "/health", "/page/"):
        assert site.request("GET", path, headers={"Origin": site.address}).status in (200, 401)
        assert [site.request("GET", path, headers={"Origin": origin}).status for origin in foreign] == [403] * len(foreign)
    sent = f"GET /health HTTP/1.1\r\nHost: {site.host}\r\nOrigin: {site.address}\r\nOrigin: http://evil.example\r\n"
    assert raw(site, sent).startswith(b"HTTP/1.1 403 ")


def test_the_target_and_host_of_a_request(site: Emulator) -> None:
    """Requests that libraries do not send: no Host, two Hosts, an absolute URL, `*`, CONNECT."""
    key = f"Authorization: {site.key}\r\n"
    sent = {
        f"GET /v1/data HTTP/1.1\r\n{key}": 400,
        f"GET /v1/data HTTP/1.0\r\n{key}": 403,
        f"GET /v1/data HTTP/1.1\r\n{key}Host: {site.host}\r\nHost: {site.host}\r\n": 400,
        f"GET {site.address}/v1/data HTTP/1.1\r\n{key}Host: {site.host}\r\n": 400,
        f"GET http://evil.example/v1/data HTTP/1.1\r\n{key}Host: {site.host}\r\n": 400,
        f"OPTIONS * HTTP/1.1\r\n{key}Host: {site.host}\r\n": 400,
        f"CONNECT {site.host} HTTP/1.1\r\n{key}Host: {site.host}\r\n": 400,
    }
    assert {head: int(raw(site, head).split()[1]) for head in sent} == sent


def raw(site: Emulator, head: str) -> bytes:
    host, _, port = site.host.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode() + b"\r\n")
        return connection.recv(65536)


def test_replies_have_neither_cors_headers_nor_cookies(site: Emulator) -> None:
    """No other site may read a reply. A cookie would be sent to every port of this machine."""
    asked = {"Origin": site.address, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    for method, path in (("OPTIONS", "/v1/data/.my"), ("GET", "/v1/data/"), ("GET", "/health"), ("GET", "/page/")):
        found = site.request(method, path, headers=asked).headers
        assert [name for name in found if name.startswith(("access-control-", "set-cookie"))] == []


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain;charset=utf-8"]
)
def test_content_types_of_html_forms_are_not_json(site: Emulator, kind: str) -> None:
    for method, path in (("POST", "/v1/algorithms/local"), ("PATCH", "/v1/data/.my/box"), ("POST", "/v1/organizations")):
        key = site.admin_key if "organizations" in path else site.key
        refused = site.request(method, path, b'{"name": "Form"}', {"Content-Type": kind}, key)
        assert (refused.status, refused.json["error"]["message"]) == (
            400,
            f"The body is {kind.partition(';')[0].lower()} and not JSON",
        )
    made = site.request("POST", "/v1/data/.my", b"plainly", {"Content-Type": kind})
    assert made.status == (200 if kind.startswith("text") else 400)


@pytest.mark.parametrize("name", ["key", "api_key", "apiKey", "API-KEY", "access_token", "Authorization", "%6bey", "x"])
def test_a_key_in_a_query_is_refused(site: Emulator, name: str) -> None:
    """Detected by the parameter's name, by the key's format, or because the cluster knows it."""
    for value in ("sim" + "q" * 25, "sim%71" + "q" * 24, "eyJhbGci.eyJzdWIi.c2ln", "a%2Bb" if name != "x" else site.key):
        refused = site.request("GET", f"/v1/data/?marker=YQ==&{name}={value}")
        assert (refused.status, refused.json["error"]["message"][:24]) == (400, "A key in the URL is refu")
        assert site.log()[-1]["path"] == "/v1/data/?(removed: it held a key)"


def test_known_keys_of_every_format_in_a_query_are_refused(site: Emulator) -> None:
    with contextlib.closing(Database(site.root / "cluster.sqlite")) as database:
        keys = [new_key(form, "local") for form in KeyFormat]
        for key in keys:
            Accounts(database).add_key("local", key)
    for key in keys:
        for written in (quote(key, safe=""), quote(key, safe="+/=")):
            assert site.request("GET", f"/health?nonce={written}").status == 400
            assert site.request("GET", f"/health?{written}").status == 400
        assert key not in (site.root / "requests.jsonl").read_text()
    assert site.request("GET", "/health?nonce=c2ltcGx5IGEgbWFya2VyIHRoYXQgbG9va3MgbGlrZSBvbmU=").status == 200


@pytest.mark.parametrize("form", list(KeyFormat))
def test_a_key_inside_a_path_or_value_is_refused(site: Emulator, form: KeyFormat) -> None:
    """Also between other text, for expired keys, with and without an Authorization header, and for a wrong host."""
    before = len(site.log())
    key = new_key(form, "local")
    with contextlib.closing(Database(site.root / "cluster.sqlite")) as database:
        Accounts(database).add_key("local", key, expires_at=1)
    written = (key, quote(key, safe=""))
    for path in [f"/health?x=local:{key}", f"/v1/data/?x={written[1]},", *[f"/v1/data/.my/c/{each}" for each in written]]:
        for sent in ({}, {"Authorization": ""}, {"Host": "elsewhere"}):
            status = 403 if "Host" in sent else 400
            assert (site.request("GET", path, headers=sent).status, path, sent) == (status, path, sent)
    assert {line["path"].rpartition("/")[2].rpartition("?")[2] for line in site.log()[before:]} == {"(removed: it held a key)"}
    assert key not in (site.root / "requests.jsonl").read_text()


def test_a_key_as_a_file_name_is_refused_on_a_reused_connection(site: Emulator) -> None:
    """Earlier uploads on the connection do not disable the check."""
    site.request("POST", "/v1/data/.my", {"name": "beside"})
    names = ["first", "second", site.key, "sim" + "n" * 25]
    with contextlib.closing(site.connection()) as connection:
        statuses = []
        for name in names:
            connection.request("PUT", f"/v1/data/.my/beside/{name}", b"1", {"Authorization": site.key})
            reply = connection.getresponse()
            reply.read()
            statuses.append(reply.status)
    assert statuses == [200, 200, 400, 200]
    assert site.key not in (site.root / "requests.jsonl").read_text()


def test_a_url_with_too_many_possible_keys_is_refused(site: Emulator) -> None:
    words = "/".join(f"sim{n:025}" for n in range(60))
    assert (site.request("GET", f"/{words}").status, site.log()[-1]["path"]) == (400, "/(removed: it held a key)")


def test_unknown_routes_reply_with_json(site: Emulator) -> None:
    missing = site.request("GET", "/v2/nothing")
    assert (missing.status, missing.json["error"]["message"]) == (404, "Not Found")
    wrong = site.request("PATCH", "/v1/scms")
    assert (wrong.status, wrong.json["error"]["message"]) == (405, "Method Not Allowed")


def test_a_head_request_has_its_error_in_a_header(site: Emulator) -> None:
    missing = site.request("HEAD", "/v1/data/.my/none")
    assert (missing.status, missing.body, missing.headers["x-error-message"]) == (404, b"", "path not found")
    denied = site.request("HEAD", "/v1/data/.my/none", key="sim0000000000000000000000000")
    assert (denied.status, denied.headers["x-error-message"]) == (401, "The API key is unknown or invalid")


def test_every_reply_has_a_date(site: Emulator) -> None:
    for path in ("/health", "/v1/data/", "/nothing"):
        assert site.request("GET", path).headers["date"].endswith(" GMT")


def test_the_log_has_every_request_and_no_key(site: Emulator) -> None:
    before = len(site.log())
    site.request("POST", "/v1/data/.my", {"name": "logged"})
    site.request("PUT", "/v1/data/.my/logged/a%20b", b"12345")
    body = site.request("GET", "/v1/data/.my/logged/a%20b?x=1").body
    site.request("GET", "/v1/data/.my/other", key="sim1111111111111111111111111")
    lines = site.log()[before:]
    assert [(line["caller"], line["method"], line["path"], line["status"]) for line in lines] == [
        ("local", "POST", "/v1/data/.my", 200),
        ("local", "PUT", "/v1/data/.my/logged/a%20b", 200),
        ("local", "GET", "/v1/data/.my/logged/a%20b?x=1", 200),
        (None, "GET", "/v1/data/.my/other", 401),
    ]
    assert lines[2]["bytes"] == len(body) == 5
    assert all(line["time"].endswith("Z") for line in lines)
    text = (site.root / "requests.jsonl").read_text()
    assert [secret for secret in (site.key, "sim1111111111111111111111111") if secret in text] == []


def test_the_key_is_stored_in_one_file_only(site: Emulator) -> None:
    """The database holds only its digest."""
    assert site.request("GET", "/v1/data/").status == 200
    holding = [p.name for p in site.root.rglob("*") if p.is_file() and site.key.encode() in p.read_bytes()]
    assert holding == ["cluster.json"]
