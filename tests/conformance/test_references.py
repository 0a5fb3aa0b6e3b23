"""References in calls: versions, hashes, ids, and spellings of the path (PLATFORM.md §3.7)."""

import pytest
from clients import Library
from site_under_test import Algorithm, Site


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("", "0.1.1"),
        ("/latest", "0.1.1"),
        ("/latestPrivate", "0.2.0"),
        ("/0.1.0", "0.1.0"),
        ("/0.2.0", "0.2.0"),
        ("/0.1", "0.1.1"),
        ("/0.1.*", "0.1.1"),
        ("/0.1.x", "0.1.1"),
        ("/0", "0.1.1"),
        ("/0.*", "0.1.1"),
        ("/0.*.*", "0.1.1"),
    ],
)
def test_references(site: Site, released: dict[str, Algorithm], reference: str, answer: str) -> None:
    reply = site.curl("POST", f"/v1/algo/{released['commit'].path}{reference}", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("result")) == (200, answer)


def test_reference_by_hash(site: Site, released: dict[str, Algorithm], library: Library) -> None:
    commit = released["commit"]
    reply = library.ask(f"client.algo('algo://{commit.path}/{commit.commit}').pipe(1).result")
    assert reply.value == "commit"


def test_reference_by_id(site: Site, released: dict[str, Algorithm]) -> None:
    commit = released["commit"]
    reply = site.curl("POST", f"/v1/algo/{commit.id}/{commit.commit}", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("result")) == (200, "commit")


@pytest.mark.parametrize("reference", ["/0.2", "/0.2.x", "/9", "/9.9.9", "/nonsense"])
def test_references_without_a_version(site: Site, released: dict[str, Algorithm], reference: str) -> None:
    path = released["commit"].path + reference
    reply = site.curl("POST", f"/v1/algo/{path}", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("error", "message")) == (404, f"algorithm algo://{path} not found")


@pytest.mark.parametrize("reference", ["latestPrivate", "0.2.0", "commit"])
def test_private_references_of_strangers(site: Site, released: dict[str, Algorithm], reference: str) -> None:
    commit = released["commit"]
    path = f"/v1/algo/{commit.path}/{commit.commit if reference == 'commit' else reference}"
    reply = site.curl("POST", path, "1", {"Content-Type": "application/json"}, site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)


@pytest.mark.parametrize("reference", ["9.9.9", "0.2", "1.*", "nonsense"])
def test_strangers_without_a_version(site: Site, released: dict[str, Algorithm], hello: Algorithm, reference: str) -> None:
    """A missing version of a public algorithm is not found. References to a private algorithm are forbidden."""
    path = f"{released['commit'].path}/{reference}"
    json = {"Content-Type": "application/json"}
    reply = site.curl("POST", f"/v1/algo/{path}", "1", json, site.other)
    assert (reply.status, reply.at("error", "message")) == (404, f"algorithm algo://{path} not found")
    reply = site.curl("POST", f"/v1/algo/{hello.path}/{reference}", "1", json, site.other)
    assert (reply.status, reply.at("error", "code")) == (403, 2001)


def test_strangers_may_call_public_versions(site: Site, released: dict[str, Algorithm]) -> None:
    path = f"/v1/algo/{released['commit'].path}"
    reply = site.curl("POST", path, "1", {"Content-Type": "application/json"}, site.other)
    assert (reply.status, reply.at("result")) == (200, "0.1.1")


def test_unpublished_without_reference(site: Site, hello: Algorithm) -> None:
    reply = site.curl("POST", f"/v1/algo/{hello.path}", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("error", "message")) == (404, f"algorithm algo://{hello.path} not found")


@pytest.mark.parametrize("version", ["unknown", "unbuilt"])
def test_hash_without_build(site: Site, version: str) -> None:
    """Scripts wait for these words in the message."""
    made = site.created()
    commit = "f" * 40 if version == "unknown" else site.curl("GET", f"{made.url}/log").at("commits", 0, "id")
    reply = site.curl("POST", f"/v1/algo/{made.path}/{commit}", "1", {"Content-Type": "application/json"})
    assert (reply.status, "version hash" in str(reply.at("error", "message"))) == (404, True)


def test_old_client_reports_a_hash_without_build(site: Site, old: Library) -> None:
    made = site.created()
    reply = old.ask(f"client.algo('{made.path}/{'f' * 40}').pipe(1).result")
    assert (reply.error, "version hash" in reply.message) == ("AlgorithmException", True)


@pytest.mark.parametrize("shape", ["algo://{}", "{}/", "algo://{}/"])
def test_spellings_of_the_call_path(site: Site, released: dict[str, Algorithm], shape: str) -> None:
    path = shape.format(released["commit"].path)
    reply = site.curl("POST", f"/v1/algo/{path}?timeout=300", "1", {"Content-Type": "application/json"})
    assert (reply.status, reply.at("result")) == (200, "0.1.1")
