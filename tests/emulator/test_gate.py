"""Who is let in, and what is written down."""

import base64
import re
import uuid
from pathlib import Path

import pytest
from emulated import Emulator

from algosync.emulator.cluster import Cluster, Place
from algosync.emulator.database import Database

OPEN = {"/health", "/v1/insights", "/v1/algorithm-environments/edge/environment-specifications/{specification}/template"}


def test_nothing_without_a_key(site: Emulator, tmp_path: Path) -> None:
    """Every route of the table, whatever is added to it."""
    database = Database(tmp_path / "database")
    cluster = Cluster(Place(tmp_path, tmp_path, 1, "token"), database)
    table = [(method, route.path) for route in cluster.routes() for method in sorted(route.methods or ())]
    assert len(table) > 50
    for method, pattern in [*table, ("GET", "/"), ("GET", "/nothing")]:
        path = re.sub(r"{\w+:uuid}", str(uuid.uuid4()), pattern)
        path = re.sub(r"{[^}]*}", "x", path)
        missing = site.request(method, path, headers={"Authorization": ""})
        wrong = site.request(method, path, key="sim0000000000000000000000000")
        if pattern in OPEN:
            assert missing.status in (200, 404, 405), (method, path)
            continue
        assert (missing.status, wrong.status) == (401, 401), (method, path)
        if method != "HEAD":
            assert missing.json["error"]["message"] == "authorization required"
            assert wrong.json["error"]["code"] == 2002
    database.close()


@pytest.mark.parametrize("form", ["{}", "Simple {}", "Bearer {}"])
def test_the_forms_of_a_key(site: Emulator, form: str) -> None:
    assert site.request("GET", "/v1/data/", headers={"Authorization": form.format(site.key)}).status == 200


def test_git_takes_basic_credentials_only_and_they_open_nothing_else(site: Emulator) -> None:
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


def test_only_the_own_host_and_origin(site: Emulator) -> None:
    port = site.host.rpartition(":")[2]
    statuses = {
        host: site.request("GET", "/v1/data/", headers={"Host": host}).status
        for host in (site.host, f"localhost:{port}", "127.0.0.1", "evil.example", f"evil.example:{port}", "[::1]")
    }
    assert statuses == {
        site.host: 200,
        f"localhost:{port}": 200,
        "127.0.0.1": 403,
        "evil.example": 403,
        f"evil.example:{port}": 403,
        "[::1]": 403,
    }
    assert site.request("GET", "/v1/data/", headers={"Origin": site.address}).status == 200
    assert site.request("GET", "/v1/data/", headers={"Origin": "http://evil.example"}).status == 403
    assert site.request("GET", "/v1/data/", headers={"Origin": "null"}).status == 403


def test_unknown_routes_answer_json(site: Emulator) -> None:
    missing = site.request("GET", "/v2/nothing")
    assert (missing.status, missing.json["error"]["message"]) == (404, "Not Found")
    wrong = site.request("PATCH", "/v1/scms")
    assert (wrong.status, wrong.json["error"]["message"]) == (405, "Method Not Allowed")


def test_a_head_tells_its_error_in_a_header(site: Emulator) -> None:
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


def test_the_key_is_kept_in_one_place(site: Emulator) -> None:
    """The database has a digest only."""
    assert site.request("GET", "/v1/data/").status == 200
    holding = [p.name for p in site.root.rglob("*") if p.is_file() and site.key.encode() in p.read_bytes()]
    assert holding == ["cluster.json"]
