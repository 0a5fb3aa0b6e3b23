"""Listings, their pages, ACLs, names and special collections (PLATFORM.md §2.3, §2.4, §2.5)."""

import re

import pytest
from clients import Library
from site_under_test import NOWHERE, Algorithm, Site

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
ACLS = {"private": [], "my_algos": ["algo://.my/*"], "public": ["user://*"]}


@pytest.fixture(scope="session")
def crowd(site: Site) -> str:
    """A collection with more files than a page."""
    path = site.collection()
    site.fill(path, 1001)
    return path


def test_listing_entry(site: Site) -> None:
    reply = site.curl("GET", f"/v1/data/{site.collection({'a.bin': 'four'})}")
    assert reply.names("files", 0) == {"filename", "size", "last_modified"}
    assert (reply.at("files", 0, "filename"), reply.at("files", 0, "size")) == ("a.bin", 4)
    assert STAMP.fullmatch(str(reply.at("files", 0, "last_modified")))


def test_listing_omits_empty_lists(site: Site) -> None:
    replies = [site.curl("GET", f"/v1/data/{path}") for path in (site.collection(), site.collection({"a": "x"}))]
    assert [reply.headers.get("x-data-type") for reply in replies] == ["directory"] * 2
    assert [reply.names() for reply in replies] == [set(), {"files"}]


def test_listing_pages(site: Site, crowd: str) -> None:
    first = site.curl("GET", f"/v1/data/{crowd}")
    assert (len(first.each("files")), bool(first.at("marker"))) == (1000, True)
    marker = str(first.at("marker")).replace("=", "%3D").replace("+", "%2B")
    second = site.curl("GET", f"/v1/data/{crowd}?marker={marker}")
    names = {entry["filename"] for reply in (first, second) for entry in reply.each("files")}
    assert (second.names(), len(names)) == ({"files"}, 1001), second


def test_library_follows_markers(crowd: str, site: Site, library: Library) -> None:
    reply = library.ask(f"len({{each.path for each in client.dir('data://{crowd}').files()}})")
    assert reply.value == 1001


def test_listing_has_times(site: Site, library: Library) -> None:
    path = site.collection({"a": "four"})
    reply = library.ask(f"[(each.size, each.last_modified.year > 2000) for each in client.dir('data://{path}').files()]")
    assert reply.value == [[4, True]]


@pytest.mark.parametrize("path", ["/v1/data", "/v1/data/"])
def test_root_lists_accounts(site: Site, path: str) -> None:
    reply = site.curl("GET", path)
    assert (reply.status, reply.document) == (200, {"folders": [{"name": site.user}, {"name": site.organization}]})


def test_client_finds_its_user_name(site: Site, new: Library) -> None:
    reply = new.ask("client.username()")
    assert reply.value == site.user


def test_own_account_lists_collections(site: Site) -> None:
    name = site.collection().partition("/")[2]
    replies = [site.curl("GET", f"/v1/data/{path}") for path in (".my", ".my/", site.user)]
    assert [reply.names() for reply in replies] == [{"folders"}] * 3
    assert all({"name": name} in reply.each("folders") for reply in replies)


def test_acl_is_listed_for_its_owner_only(site: Site) -> None:
    path = f"/v1/data/{site.collection({'a': 'x'}, acl=['user://*'])}"
    replies = [site.curl("GET", path), site.curl("GET", path + "?acl=true"), site.curl("GET", path + "?acl=true", key=site.other)]
    assert [reply.names() for reply in replies] == [{"files"}, {"files", "acl"}, {"files"}]


def test_special_collections_have_no_acl(site: Site, hello: Algorithm) -> None:
    path = f"/v1/data/.algo/{hello.path}/perm"
    written = site.curl("PUT", f"{path}/a", b"x")
    assert written.status == 200
    reply = site.curl("GET", f"{path}?acl=true")
    assert reply.names() == {"files"}


def test_own_algorithms_may_read_by_default(site: Site) -> None:
    path = f"/v1/data/{site.collection()}"
    reply = site.curl("GET", f"{path}?acl=true")
    assert reply.at("acl") == {"read": ["algo://.my/*"]}


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_public_collections_are_read_only(site: Site, method: str) -> None:
    """Only the owner may write to a collection that everybody may read, or create one beside it."""
    path = site.collection({"a": "words"}, ["user://*"])
    bodies: dict[str, object] = {"PUT": "changed", "POST": {"name": "more"}, "PATCH": {"acl": {"read": []}}}
    changed = {"POST": site.user, "PATCH": path}.get(method, f"{path}/a")
    reply = site.curl(method, f"/v1/data/{changed}", bodies.get(method), key=site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)
    after = site.curl("GET", f"/v1/data/{path}/a", key=site.other)
    assert (after.status, after.body) == (200, b"words")


@pytest.mark.parametrize("name", sorted(ACLS))
def test_library_knows_acls(site: Site, library: Library, name: str) -> None:
    made = site.name("made")
    created = library.ask(f"client.dir('data://.my/{made}').create(ReadAcl.{name})")
    assert created.error == ""
    reply = library.ask(f"client.dir('data://.my/{made}').get_permissions().to_api_param()")
    assert reply.value == {"read": ACLS[name]}


def test_library_changes_acl(site: Site, library: Library) -> None:
    folder = f"client.dir('data://{site.collection()}')"
    reply = library.ask(f"[{folder}.update_permissions(ReadAcl.public), {folder}.get_permissions().to_api_param()]")
    assert reply.value == [True, {"read": ["user://*"]}]


@pytest.mark.parametrize(("name", "status"), [("private", 403), ("my_algos", 403), ("public", 200)])
def test_acl_decides_whether_strangers_may_read(site: Site, name: str, status: int) -> None:
    path = site.collection({"a": "words"}, acl=ACLS[name])
    reply = site.curl("GET", f"/v1/data/{path}/a", key=site.other)
    expected = (200, "words", None) if status == 200 else (403, "", 2001)
    assert (reply.status, reply.body.decode() if status == 200 else "", reply.at("error", "code")) == expected


READER = """\
import Algorithmia


def apply(input):
    try:
        return Algorithmia.client().file(input).getString()
    except Exception as error:
        return "{}: {}".format(type(error).__name__, error)
"""


@pytest.fixture(scope="session")
def reader(site: Site) -> Algorithm:
    """A public algorithm of `user` that reads the file that its input names."""
    if site.cluster is None:
        return Algorithm(site.user, "Reader")
    made = site.built(READER, {"requirements.txt": "algorithmia>=1.0.0,<2.0\nsix\n"})
    return site.published(made, "public")


def test_own_algorithms_may_read_when_strangers_call(site: Site, reader: Algorithm) -> None:
    """An algorithm acts as its caller. It may also read what its owner shared with the owner's algorithms."""
    paths = {name: site.collection({"a": "words"}, acl=ACLS[name]) for name in ("my_algos", "private")}
    url = f"/v1/algo/{reader.path}"
    replies = {
        name: site.curl("POST", url, f"data://{path}/a", {"Content-Type": "text/plain"}, site.other) for name, path in paths.items()
    }
    assert replies["my_algos"].at("result") == "words"
    assert str(replies["private"].at("result")).startswith("DataApiError: unable to get file")
    own = site.curl("POST", url, f"data://{paths['private']}/a", {"Content-Type": "text/plain"})
    assert own.at("result") == "words"


def test_my_is_the_caller_inside_an_algorithm(site: Site, reader: Algorithm) -> None:
    name = site.collection({"a": "words"}).partition("/")[2]
    replies = [
        site.curl("POST", f"/v1/algo/{reader.path}", f"data://.my/{name}/a", {"Content-Type": "text/plain"}, key)
        for key in (site.curl.key, site.other)
    ]
    assert replies[0].at("result") == "words"
    assert str(replies[1].at("result")).startswith("DataApiError: ")


def test_hosted_data_view(site: Site) -> None:
    name = site.collection().partition("/")[2]
    reply = site.curl("GET", "/v1/hostedData")
    places = [number for number, each in enumerate(reply.each("result")) if each.get("collection_name") == name]
    assert len(reply.each("result")) >= len(places) == 1
    assert reply.names("result", places[0]) == {"id", "object_id", "collection_name", "username", "acl", "location"}
    assert reply.names("result", places[0], "acl") == {"read_w", "read_g", "read_u", "read_a"}
    assert reply.at("result", places[0], "username") == site.user


def test_default_collection_is_bound(site: Site, hello: Algorithm) -> None:
    name = site.collection().partition("/")[2]
    listed = site.curl("GET", "/v1/hostedData")
    found = [each["id"] for each in listed.each("result") if each.get("collection_name") == name]
    reply = site.curl("POST", f"/v1/algorithms/{hello.id}/collections/{found[0] if found else NOWHERE}", {})
    assert (listed.status, len(found), reply.status // 100, reply.at("error")) == (200, 1, 2, None)


def test_collections_are_flat(site: Site) -> None:
    reply = site.curl("POST", f"/v1/data/{site.collection()}", {"name": "inner"})
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


def test_collection_names_may_be_long(site: Site) -> None:
    name = site.name("classification_albert_0123456789ab")
    reply = site.curl("POST", f"/v1/data/{site.user}", {"name": name})
    assert (reply.status, reply.at("result")) == (200, f"data://{site.user}/{name}")


@pytest.mark.parametrize("name", ["a b.txt", "ü.bin", "a#b", "a?b", "100%", "a+b", ".hidden", "x" * 200])
def test_file_names_may_have_any_characters(site: Site, name: str) -> None:
    from urllib.parse import quote

    path = site.collection()
    written = site.curl("PUT", f"/v1/data/{path}/{quote(name, safe='')}", name)
    assert written.at("result") == f"data://{path}/{name}"
    reply = site.curl("GET", f"/v1/data/{path}")
    assert reply.at("files", 0, "filename") == name


def test_session_exists_only_inside_an_algorithm(site: Site) -> None:
    """`.session` belongs to the tree of a call. A request for data from outside has none."""
    replies = [site.curl("PUT", "/v1/data/.session/a", b"x"), site.curl("GET", "/v1/data/.session/a")]
    assert [(reply.status, isinstance(reply.at("error", "message"), str)) for reply in replies] == [(404, True)] * 2


WRITER = """\
import Algorithmia


def apply(input):
    client = Algorithmia.client()
    for path in (".session/a", ".algo/temp/a", ".algo/perm/a"):
        client.file("data://" + path).put(input)
    return [client.file("data://" + path).getString() for path in (".session/a", ".algo/temp/a", ".algo/perm/a")]
"""


@pytest.fixture(scope="session")
def writer(site: Site) -> Algorithm:
    """A public algorithm that writes to each special collection, and reads it."""
    if site.cluster is None:
        return Algorithm(site.user, "Writer")
    return site.published(site.built(WRITER, {"requirements.txt": "algorithmia>=1.0.0,<2.0\nsix\n"}), "public")


def test_special_collections_inside_an_algorithm(site: Site, writer: Algorithm) -> None:
    reply = site.curl("POST", f"/v1/algo/{writer.path}", "inside", {"Content-Type": "text/plain"})
    assert reply.at("result") == ["inside"] * 3


@pytest.mark.parametrize("kind", ["temp", "perm"])
def test_only_the_caller_may_read_a_special_collection(site: Site, writer: Algorithm, kind: str) -> None:
    site.curl("POST", f"/v1/algo/{writer.path}", "called", {"Content-Type": "text/plain"}, site.other)
    site.curl("POST", f"/v1/algo/{writer.path}", "owned", {"Content-Type": "text/plain"})
    replies = [site.curl("GET", f"/v1/data/.algo/{writer.path}/{kind}/a", key=key) for key in (site.other, site.curl.key)]
    assert [reply.body for reply in replies] == [b"called", b"owned"]


def test_short_forms_exist_only_inside_an_algorithm(site: Site) -> None:
    replies = [site.curl("PUT", f"/v1/data/.algo/{kind}/a", b"x") for kind in ("temp", "perm")]
    assert [(reply.status, isinstance(reply.at("error", "message"), str)) for reply in replies] == [(404, True)] * 2


def test_organizations_own_collections(site: Site) -> None:
    name = site.name("made")
    made = site.curl("POST", f"/v1/data/{site.organization}", {"name": name})
    assert (made.status, made.document) == (200, {"result": f"data://{site.organization}/{name}"})
    stranger = site.curl("GET", f"/v1/data/{site.organization}/{name}", key=site.other)
    assert (stranger.status, stranger.at("error", "code")) == (403, 2001)
