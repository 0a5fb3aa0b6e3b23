"""The node client 0.3.10 (PLATFORM.md §2.2, §9). How it parses an answer depends on its request."""

import pytest
from clients import Library
from site_under_test import Algorithm, Site

BYTES = bytes(range(256))


def test_put_and_get_string(site: Site, node: Library) -> None:
    """The client sends in chunks, and a GET with an empty chunked body."""
    path = site.collection()
    put = node.ask(f"client.file('data://{path}/a').putString('☎ words', done)")
    assert (put.error, put.at(0, "result"), put.at(1)) == ("", f"data://{path}/a", 200)
    reply = node.ask(f"client.file('data://{path}/a').getString(done)")
    assert (reply.at(0), reply.at(1)) == ("☎ words", 200)


def test_put_and_get_json(site: Site, node: Library) -> None:
    path = site.collection()
    put = node.ask(f"client.file('data://{path}/a').putJson(JSON.stringify({{a: [1]}}), done)")
    assert (put.at(0, "result"), put.at(1)) == (f"data://{path}/a", 200)
    reply = node.ask(f"client.file('data://{path}/a').getJson(done)")
    assert (reply.at(0), reply.at(1)) == ({"a": [1]}, 200)


@pytest.mark.parametrize("content", [BYTES, b"plain words", b'{"j": 1}'])
def test_put_and_get_bytes(site: Site, node: Library, content: bytes) -> None:
    path = site.collection()
    put = node.ask(f"client.file('data://{path}/a').put(Buffer.from({list(content)}), done)")
    assert put.at(1) == 200
    reply = node.ask(f"client.file('data://{path}/a').get(done)")
    assert (reply.at(0), reply.at(1, "data")) == (None, list(content))


def test_get_of_a_missing_file(site: Site, node: Library) -> None:
    reply = node.ask(f"client.file('data://{site.collection()}/none').getString(done)")
    assert (reply.at(1), reply.at(0, "error", "message")) == (404, "path not found")


def test_file_exists(site: Site, node: Library) -> None:
    path = site.collection({"a": "x"})
    replies = [node.ask(f"client.file('data://{path}/{name}').exists(done)") for name in ("a", "none")]
    assert [reply.at(0) for reply in replies] == [True, False]
    assert replies[1].at(2, "error", "message") == "path not found"


def test_file_delete(site: Site, node: Library) -> None:
    """The tests of the client itself compare the whole answer."""
    path = site.collection({"a": "x"})
    reply = node.ask(f"client.file('data://{path}/a').delete(done)")
    assert (reply.at(0), reply.at(1)) == ({"result": {"deleted": 1}}, 200)


def test_directory_create_and_exists(site: Site, node: Library) -> None:
    name = site.name("made")
    reply = node.ask(f"client.dir('data://.my/{name}').create(done)")
    assert (reply.at(0, "result"), reply.at(1)) == (f"data://.my/{name}", 200)
    replies = [node.ask(f"client.dir('data://.my/{each}').exists(done)") for each in (name, "none")]
    assert [each.at(0) for each in replies] == [True, False]


def test_directory_delete(site: Site, node: Library) -> None:
    path = site.collection()
    reply = node.ask(f"client.dir('data://{path}').delete(true, done)")
    assert (reply.at(0), reply.at(1)) == ({"result": {"deleted": 1}}, 200)


def test_directory_delete_of_a_full_one(site: Site, node: Library) -> None:
    path = site.collection({"a": "x"})
    reply = node.ask(f"client.dir('data://{path}').delete(false, done)")
    assert (reply.at(0, "error", "deleted"), reply.at(1)) == (0, 400)


def test_directory_iteration(site: Site, node: Library) -> None:
    path = site.collection({"a": "four", "b": "four"})
    code = "const found = []; client.dir('data://%s').forEach((error, file) => found.push([file.data_path, file.size]))"
    reply = node.ask(code % path + ".then(() => done(...found))")
    assert reply.value == [[f"{path}/a", 4], [f"{path}/b", 4]]


@pytest.mark.parametrize("reference", ["{}", "algo://{}"])
@pytest.mark.parametrize(("value", "result"), [("'text'", "text"), ("{a: [1]}", {"a": [1]}), ("null", None)])
def test_call(site: Site, odd: Algorithm, node: Library, reference: str, value: str, result: object) -> None:
    path = reference.format(f"{odd.path}/{odd.commit}")
    reply = node.ask(f"client.algo('{path}').pipe({value}).then(answer => done(answer.get(), answer.status, 'answered'))")
    assert reply.value == [result, 200, "answered"]


def test_call_with_bytes(site: Site, odd: Algorithm, node: Library) -> None:
    code = f"client.algo('{odd.path}/{odd.commit}').pipe(Buffer.from({list(BYTES)}))"
    reply = node.ask(code + ".then(answer => done(answer.get()))")
    assert reply.at(0, "data") == list(BYTES)


def test_call_that_fails(site: Site, odd: Algorithm, node: Library) -> None:
    code = f"client.algo('{odd.path}/{odd.commit}').pipe({{do: 'raise', with: 'spoken'}})"
    reply = node.ask(code + ".then(answer => done(answer.error, answer.status))")
    assert (reply.at(0, "message"), reply.at(1)) == ("spoken", 200)


def test_call_of_a_missing_algorithm(site: Site, node: Library) -> None:
    code = f"client.algo('{site.user}/None').pipe(1).then(answer => done(answer.error, answer.status))"
    reply = node.ask(code)
    assert (reply.at(0, "message"), reply.at(1)) == (f"algorithm algo://{site.user}/None not found", 404)


def test_management_by_raw_requests(site: Site, hello: Algorithm, node: Library) -> None:
    """Later tests of the client send these requests themselves: the builds of an algorithm that was compiled once."""
    reply = node.ask(f"client.req('{hello.url}/builds', 'GET', '', {{Accept: 'application/json'}}, done)")
    assert ([each["commit_sha"] for each in reply.each(0, "results")], reply.at(1)) == ([hello.commit], 200)


def test_missing_algorithm(site: Site, node: Library) -> None:
    path = f"/v1/algorithms/{site.user}/None"
    reply = node.ask(f"client.req('{path}', 'GET', '', {{Accept: 'application/json'}}, done)")
    assert (reply.at(0), reply.at(1)) == ({"error": "No such algorithm"}, 404)
