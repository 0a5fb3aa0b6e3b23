"""Users and organizations: creation, access, memberships, errors."""

from contextlib import closing
from typing import Any

from emulated import Emulator, Reply

from algosync.emulator.records.database import Database


def administer(site: Emulator, method: str, path: str, body: Any = None) -> Reply:
    return site.request(method, path, body, key=site.admin_key)


def test_the_life_of_a_user(site: Emulator) -> None:
    body = {"username": "anna", "email": "anna@example.org", "passwordHash": "hash", "shouldCreateHello": False}
    made = administer(site, "POST", "/v1/users", body)
    assert made.status == 200
    assert {**made.json, "id": ""} == {
        "id": "",
        "username": "anna",
        "email": "anna@example.org",
        "fullname": "anna",
        "self_link": "/v1/users/anna",
        "resource_type": "user",
    }
    assert site.request("GET", "/v1/users/anna", key=site.key_of("anna")).json == made.json
    assert administer(site, "GET", "/v1/users/anna").json == made.json
    assert site.request("GET", "/v1/users/anna").json["error"]["code"] == 2001
    missing = administer(site, "GET", "/v1/users/none")
    assert (missing.status, missing.json["error"]["code"]) == (404, 3000)
    again = administer(site, "POST", "/v1/users", body)
    assert (again.status, again.json["error"]["code"]) == (409, 3003)
    for refused in ({"username": "-"}, {"username": 1}, {}, {"username": "ok", "email": 1}):
        assert administer(site, "POST", "/v1/users", refused).status == 400
    assert administer(site, "GET", "/v1/users/ok").status == 404


def test_the_life_of_an_organization(site: Emulator) -> None:
    types = {each["name"]: each["id"] for each in site.get("/v1/organization/types")}
    assert list(types) == ["basic", "legacy", "pro"]
    body = {"org_name": "pond", "org_email": "pond@example.org", "type_id": types["pro"]}
    made = administer(site, "POST", "/v1/organizations", body)
    assert made.status == 200
    assert {name: made.json[name] for name in body} == body
    assert made.json["resource_type"] == "organization"
    assert administer(site, "GET", "/v1/organizations/pond").json == made.json
    changed = {"org_name": "pond", "org_label": "Pond", "type_id": types["basic"]}
    updated = administer(site, "PUT", "/v1/organizations/pond", changed)
    assert (updated.status, updated.body) == (204, b"")
    assert administer(site, "GET", "/v1/organizations/pond").json == {**made.json, **changed}
    again = administer(site, "POST", "/v1/organizations", body)
    assert (again.status, again.json["error"]["code"]) == (409, 3101)
    for method, path, refused in (
        ("POST", "", {"org_name": "local"}),
        ("POST", "", {**body, "org_name": "lake", "type_id": ""}),
        ("PUT", "/pond", {"org_name": "lake"}),
        ("PUT", "/pond", {"type_id": "none"}),
    ):
        assert administer(site, method, "/v1/organizations" + path, refused).status == 400
    assert [administer(site, "DELETE", "/v1/organizations/pond").status for _ in "12"] == [204, 404]
    assert administer(site, "GET", "/v1/organizations/pond").json["error"]["code"] == 3100


def test_members_can_be_added_and_removed(site: Emulator) -> None:
    frog = site.acting("frog", site.key_of("frog"), owner="marsh")
    administer(site, "POST", "/v1/organizations", {"org_name": "marsh"})
    member = "/v1/organizations/marsh/members/frog"
    assert frog.request("GET", "/v1/organizations/marsh").status == 403
    joined = administer(site, "PUT", member)
    assert (joined.status, joined.body) == (201, b"")
    assert administer(site, "PUT", member).status == 200
    assert frog.get("/v1/data/") == {"folders": [{"name": "frog"}, {"name": "marsh"}]}
    assert frog.get("/v1/organizations/marsh")["org_name"] == "marsh"
    assert frog.request("POST", "/v1/data/marsh", {"name": "eggs"}).status == 200
    assert administer(site, "DELETE", "/v1/organizations/marsh").status == 400
    assert [administer(site, "DELETE", member).status for _ in "12"] == [204, 204]
    assert frog.get("/v1/data/") == {"folders": [{"name": "frog"}]}
    for path in ("marsh/members/none", "none/members/frog"):
        assert administer(site, "PUT", "/v1/organizations/" + path).status == 404


def test_an_organization_with_unlisted_data_cannot_be_deleted(site: Emulator) -> None:
    """A new organization of the same name would inherit collections whose names begin with a dot, which older clusters accepted."""
    administer(site, "POST", "/v1/organizations", {"org_name": "reed"})
    with closing(Database(site.root / "cluster.sqlite")) as database, database.write() as connection:
        connection.execute("INSERT INTO collections (id, account, name, acl) VALUES ('1', 'reed', '.hidden', '[]')")
    assert administer(site, "DELETE", "/v1/organizations/reed").status == 400


def test_the_errors_of_an_account(site: Emulator) -> None:
    """The errors of its algorithms for all callers."""
    site.join("toad", "swamp")
    toad = site.acting("toad", site.key_of("toad"), owner="swamp")
    toad.call(toad.deploy("Fails", "def apply(input):\n    raise ValueError('no')\n"), "x" * 200)
    [error] = toad.get("/v1/organizations/swamp/errors")
    assert (error["username"], error["algoname"], error["input"], error["error"]) == ("toad", "Fails", "x" * 128, "no")
    assert toad.get("/v1/algorithms/swamp/Fails/errors") == [error]
    assert toad.get("/v1/users/toad/errors") == []
    assert administer(site, "GET", "/v1/organizations/swamp/errors").json == [error]
    assert site.request("GET", "/v1/organizations/swamp/errors").status == 403
    assert administer(site, "GET", "/v1/users/none/errors").status == 404
    assert administer(site, "GET", "/v1/organizations/none/errors").status == 404


def test_the_official_client(site: Emulator) -> None:
    client = site.client(site.admin_key)
    assert client.create_user({"username": "newt", "email": "newt@example.org"})["username"] == "newt"
    assert client.create_org({"org_name": "bog", "type_id": "basic"})["org_name"] == "bog"
    assert client.edit_org("bog", {"org_name": "bog", "org_label": "Bog", "type_id": "legacy"}).status_code == 204
    assert client.get_org("bog")["org_label"] == "Bog"
    assert client.invite_to_org("bog", "newt").status_code == 201
    assert (client.get_user_errors("newt"), client.get_organization_errors("bog")) == ([], [])
