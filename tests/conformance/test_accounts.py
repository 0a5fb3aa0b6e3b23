"""Authorization, users, organizations and administration (PLATFORM.md §1, §3.1, §9)."""

import pytest
from clients import Library
from site_under_test import Algorithm, Site


@pytest.mark.parametrize("scheme", ["Simple ", "simple ", "Bearer ", ""])
def test_schemes_of_authorization(site: Site, scheme: str) -> None:
    reply = site.curl("GET", "/v1/data/", headers={"Authorization": scheme + site.curl.key})
    assert (reply.status, reply.at("folders", 0, "name")) == (200, site.user)


@pytest.mark.parametrize("path", ["/v1/data/", "/v1/algorithms/tester/None", "/v1/scms"])
def test_no_key(site: Site, path: str) -> None:
    reply = site.curl("GET", path, headers={"Authorization": ""})
    assert (reply.status, reply.at("error", "message")) == (401, "authorization required")


def test_call_without_key(site: Site, hello: Algorithm) -> None:
    headers = {"Authorization": "", "Content-Type": "application/json"}
    reply = site.curl("POST", f"/v1/algo/{hello.path}", "1", headers)
    assert (reply.status, reply.at("error", "message")) == (401, "authorization required")


@pytest.mark.parametrize("path", ["/v1/data/", "/v1/algorithms/tester/None", "/v1/scms"])
def test_unknown_key(site: Site, path: str) -> None:
    reply = site.curl("GET", path, key="sim" + "x" * 25)
    assert (reply.status, reply.at("error", "code")) == (401, 2002)


def test_library_with_unknown_key(site: Site, library: Library) -> None:
    stranger = f"Algorithmia.client('sim' + 'x' * 25, '{site.curl.address}')"
    reply = library.ask(f"{stranger}.file('data://.my/a/b').getBytes()")
    assert (reply.error, "invalid" in reply.message) == ("DataApiError", True)


def test_user(site: Site) -> None:
    reply = site.curl("GET", f"/v1/users/{site.user}")
    assert (reply.status, reply.at("username")) == (200, site.user)


@pytest.mark.parametrize(("path", "code"), [("users/nobody", 3000), ("organizations/nobody", 3100)])
def test_unknown_account(site: Site, path: str, code: int) -> None:
    reply = site.curl("GET", f"/v1/{path}", key=site.admin)
    assert (reply.status, reply.at("error", "code")) == (404, code)


def test_user_of_somebody_else(site: Site) -> None:
    reply = site.curl("GET", f"/v1/users/{site.user}", key=site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)


def test_generated_client_reads_accounts(site: Site, new: Library) -> None:
    """The client cannot read an account without an address, or an organization without label and contact."""
    user = new.ask(f"client.manageApi.get_user('{site.user}').to_dict()")
    assert (user.error, user.at("username"), user.at("email")) == ("", site.user, f"{site.user}@algorithmia.local")
    reply = new.ask(f"client.manageApi.get_organization('{site.organization}').to_dict()")
    assert (reply.error, reply.at("org_name"), reply.at("org_email")) == ("", "acme", "acme@algorithmia.local")
    assert (reply.at("org_label"), reply.at("org_contact_name")) == ("acme", "acme")


def admin(site: Site) -> str:
    return f"Algorithmia.client('{site.admin}', '{site.curl.address}')"


def user_request(name: str) -> dict[str, object]:
    return {"username": name, "email": f"{name}@localhost", "passwordHash": "", "shouldCreateHello": False}


def test_client_creates_user(site: Site, new: Library) -> None:
    name = site.name("person")
    reply = new.ask(f"{admin(site)}.create_user({user_request(name)!r})")
    assert (reply.error, reply.at("username")) == ("", name)


def test_organization_types(site: Site, new: Library) -> None:
    reply = new.ask(f"{admin(site)}.get_org_types()")
    assert ({each["name"] for each in reply.each()}, reply.names(0)) == ({"basic", "legacy", "pro"}, {"id", "name"})


def organization(name: str) -> dict[str, object]:
    return {
        "org_name": name,
        "org_label": "Label",
        "org_contact_name": "Person",
        "org_email": f"{name}@localhost",
        "org_url": "http://localhost",
        "external_admin_group": None,
        "external_member_group": None,
        "external_id": None,
        "owner_ids": [],
        "resource_type": "organization",
        "self_link": "",
        "type_id": "basic",
    }


def test_client_creates_reads_and_edits_organization(site: Site, new: Library) -> None:
    name, client = site.name("org"), admin(site)
    made = new.ask(f"{client}.create_org({organization(name)!r})")
    assert (made.error, made.at("org_name")) == ("", name)
    read = new.ask(f"{client}.get_org('{name}')")
    assert (read.at("org_name"), read.at("org_label")) == (name, "Label")
    types = new.ask(f"{client}.get_org_types()")
    changed = {**organization(name), "org_label": "Other", "type_id": types.at(0, "id")}
    edited = site.curl("PUT", f"/v1/organizations/{name}", changed, {"Authorization": site.admin})
    assert (edited.body, edited.status) == (b"", 204)
    after = new.ask(f"{client}.get_org('{name}')")
    assert after.at("org_label") == "Other"


def test_client_invites_to_organization(site: Site, new: Library) -> None:
    name, person, client = site.name("org"), site.name("person"), admin(site)
    new.ask(f"[{client}.create_user({user_request(person)!r}), {client}.create_org({organization(name)!r})]")
    replies = [new.ask(f"{client}.invite_to_org('{name}', '{person}').status_code") for _ in "12"]
    assert [(reply.error, reply.value) for reply in replies] == [("", 201), ("", 200)]


@pytest.mark.parametrize(("kind", "code"), [("user", 3003), ("organization", 3101)])
def test_create_an_account_that_exists(site: Site, kind: str, code: int) -> None:
    body = user_request(site.user) if kind == "user" else organization(site.organization)
    reply = site.curl("POST", f"/v1/{kind}s", body, key=site.admin)
    assert (reply.status, reply.at("error", "code")) == (409, code)


def test_remove_someone_who_is_no_member(site: Site) -> None:
    reply = site.curl("DELETE", f"/v1/organizations/{site.organization}/members/stranger", key=site.admin)
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("kind", ["user", "organization"])
def test_client_reads_errors_of_accounts(site: Site, new: Library, kind: str) -> None:
    account = site.user if kind == "user" else site.organization
    reply = new.ask(f"client.get_{kind}_errors('{account}')")
    assert (reply.error, isinstance(reply.value, list)) == ("", True)


def test_openapi_specification(site: Site) -> None:
    reply = site.curl("GET", "/v1/openapispec")
    assert (reply.status, str(reply.at("openapi"))[:2]) == (200, "3.")


def test_data_by_connector(site: Site) -> None:
    """`/v1/connector/data` is the same as `/v1/data`."""
    path = site.collection({"a": "words"})
    replies = [site.curl("GET", f"/v1/{prefix}/{path}/a") for prefix in ("connector/data", "data")]
    assert [reply.body for reply in replies] == [b"words"] * 2


@pytest.mark.parametrize("shape", ["/v1/data/{}%2F{}%2Fa+b", "/v1/data/{}/{}/a%20b", "/v1/connector/data/{}/{}/a%20b"])
def test_encoded_paths(site: Site, shape: str) -> None:
    """One client encodes the whole path like a form. In such a path `+` is a space."""
    owner, name = site.collection({"a%20b": "words"}).split("/")
    reply = site.curl("GET", shape.format(owner, name))
    assert (reply.status, reply.body) == (200, b"words")


@pytest.mark.parametrize(
    "path", ["/v1/data/s3+label://bucket/key", "/v1/connector/s3/bucket/key", "/v1/data/dropbox://folder/file"]
)
def test_other_connectors(site: Site, path: str) -> None:
    reply = site.curl("GET", path)
    assert (reply.status, "connector" in str(reply.at("error", "message"))) == (400, True)


@pytest.mark.parametrize("shape", ["/v1/data/data://{}/a", "/v1/connector/data/data://{}/a", "/v1/data/data%3A%2F%2F{}%2Fa"])
def test_scheme_in_the_path(site: Site, shape: str) -> None:
    """Some clients leave `data://` in the path. Clients that remove it find the same file."""
    path = site.collection()
    replies = [
        site.curl("PUT", shape.format(path), b"words"),
        site.curl("GET", shape.format(path)),
        site.curl("GET", f"/v1/data/{path}/a"),
    ]
    assert (replies[0].document, replies[1].body, replies[2].body) == ({"result": f"data://{path}/a"}, b"words", b"words")


@pytest.mark.parametrize("path", ["data://", "data%3A%2F%2F"])
def test_scheme_without_a_path(site: Site, path: str) -> None:
    """`data://` alone means the root."""
    replies = [site.curl("GET", f"/v1/data/{each}") for each in ("", path)]
    assert [(reply.status, site.user in str(reply.document)) for reply in replies] == [(200, True)] * 2


@pytest.mark.parametrize("path", [".my/", "{}/", "//{}"])
def test_leading_and_trailing_slashes(site: Site, path: str) -> None:
    site.collection()
    reply = site.curl("GET", "/v1/data/" + path.format(site.user))
    assert (reply.status, reply.names()) == (200, {"folders"})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_errors_are_wrapped(site: Site, method: str) -> None:
    """All clients understand an error object with a message. No error has an empty body."""
    reply = site.curl(method, f"/v1/data/{site.user}/none/none", {"name": "x", "acl": {"read": []}})
    assert (reply.status // 100, isinstance(reply.at("error", "message"), str)) == (4, True)


def test_answers_have_a_length(site: Site) -> None:
    """Answers have a `Content-Length`, so clients can keep their connections."""
    reply = site.curl("GET", "/v1/data/")
    assert (reply.headers.get("content-length"), reply.at("folders", 0, "name")) == (str(len(reply.body)), site.user)
