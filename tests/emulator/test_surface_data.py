"""Read access to data, for users and running algorithms, and the listing of hosted data."""

from typing import Any

import pytest
from emulated import Emulator

ACLS = {"private": [], "own": ["algo://.my/*"], "public": ["user://*"]}
CODE = """
import Algorithmia
def apply(path):
    file = Algorithmia.client().file("data://" + path)
    if path.startswith(".algo"):
        file.put("kept for " + Algorithmia.client().username())
    return file.getString() if file.exists() else None
"""


@pytest.fixture(scope="module")
def stranger(site: Emulator) -> Emulator:
    for name, read in ACLS.items():
        assert site.request("POST", "/v1/data/.my", {"name": name, "acl": {"read": read}}).status == 200
        assert site.request("PUT", f"/v1/data/.my/{name}/file", name.encode()).status == 200
    return site.acting("reader", site.key_of("reader"))


def statuses(who: Emulator, method: str, path: str, body: Any = None) -> list[int]:
    """The status for each of the collections."""
    return [who.request(method, f"/v1/data/local/{name}{path}", body).status for name in ACLS]


def test_other_users_can_only_read_public_data(site: Emulator, stranger: Emulator) -> None:
    for method, path in (("GET", ""), ("HEAD", ""), ("GET", "/file"), ("HEAD", "/file"), ("GET", "?acl=true")):
        assert (statuses(site, method, path), statuses(stranger, method, path)) == ([200] * 3, [403, 403, 200])
    assert stranger.request("GET", "/v1/data/local/public/file").body == b"public"
    assert set(stranger.get("/v1/data/local/public?acl=true")) == {"files"}
    for method, path, body in (
        ("PUT", "/file", b""),
        ("DELETE", "/file", None),
        ("DELETE", "", None),
        ("PATCH", "", {"acl": {"read": []}}),
    ):
        assert statuses(stranger, method, path, body) == [403] * 3
    assert stranger.request("GET", "/v1/data/local").status == 403
    assert stranger.get("/v1/data/") == stranger.get("/v1/connector/data") == {"folders": [{"name": "reader"}]}


def test_an_algorithm_reads_data_of_its_owner_and_caller(site: Emulator, stranger: Emulator) -> None:
    """It reads what its caller may read and what its owner permits algorithms to read. Each caller has its own `.algo`."""
    site.deploy("Reads", CODE, "algorithmia>=1.0.0,<2.0\nsix\n")
    site.publish("Reads", settings={"algorithm_callability": "public"})
    paths = [f"local/{name}/file" for name in ACLS]
    assert [site.call("local/Reads", path)["result"] for path in paths] == list(ACLS)
    assert [stranger.call("local/Reads", path)["result"] for path in paths] == [None, "own", "public"]
    for who, name in ((site, "local"), (stranger, "reader")):
        for kind in ("perm", "temp"):
            assert who.call("local/Reads", f".algo/{kind}/file")["result"] == f"kept for {name}"
            assert who.request("GET", f"/v1/data/.algo/local/Reads/{kind}/file").body == f"kept for {name}".encode()
    for path in (".algo/perm/file", ".session/file", ".algo/local/Reads/other/file"):
        assert site.request("GET", "/v1/data/" + path).status == 404


def test_a_collection_name_cannot_begin_with_a_dot(site: Emulator) -> None:
    """Special collections such as `.session` are at the start of a path only, never below an account."""
    for account in (".my", "local", "nobody"):
        for name in (".hidden", ".session", ".algo"):
            for method, end in (("PUT", "/file"), ("GET", "/file"), ("HEAD", "/file"), ("GET", ""), ("HEAD", ""), ("DELETE", "")):
                reply = site.request(method, f"/v1/data/{account}/{name}{end}", b"x" if method == "PUT" else None)
                assert reply.status == 404, (method, account, name, end)
    assert site.client().dir("data://.my/.hidden").exists() is False


@pytest.mark.parametrize(
    "read", [["user://anna"], ["algo://local/Reads"], ["user://*", "algo://.my/*"], ["user://*"] * 2, [[]], "", {}]
)
def test_only_three_acls_are_accepted(site: Emulator, stranger: Emulator, read: Any) -> None:
    assert site.request("PATCH", "/v1/data/.my/public", {"acl": {"read": read}}).status == 400
    assert site.get("/v1/data/.my/public?acl=true")["acl"] == {"read": ["user://*"]}
    assert site.request("POST", "/v1/data/.my", {"name": "fourth", "acl": {"read": read}}).status == 400
    assert site.request("GET", "/v1/data/.my/fourth").status == 404


def test_the_listing_of_hosted_data(site: Emulator, stranger: Emulator) -> None:
    described = {each["collection_name"]: each for each in site.get("/v1/hostedData")["result"]}
    assert {name: described[name]["acl"] for name in ACLS} == {
        "private": {"read_w": False, "read_g": False, "read_u": True, "read_a": False},
        "own": {"read_w": False, "read_g": False, "read_u": True, "read_a": True},
        "public": {"read_w": True, "read_g": True, "read_u": True, "read_a": True},
    }
    assert (described["own"]["username"], described["own"]["location"]) == ("local", "data://local/own")
    assert stranger.get("/v1/hostedData") == {"result": []}


def test_unnecessarily_encoded_paths(site: Emulator, stranger: Emulator) -> None:
    for path in ("/v1/%64ata/local/public/file", "/v1/connector/%64ata/local/public/file", "/v1/data/local/p%75blic/file"):
        assert stranger.request("GET", path).body == b"public"
        assert stranger.request("PUT", path, b"").status == 403
    assert stranger.request("GET", "/v1/%64ata").json == {"folders": [{"name": "reader"}]}
