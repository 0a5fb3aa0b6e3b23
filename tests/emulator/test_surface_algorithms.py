"""Algorithms by their ids, the filters of versions, source control, connectors."""

from typing import Any

import pytest
from emulated import Emulator

ECHO = "def apply(input):\n    return input\n"


@pytest.fixture(scope="module")
def algorithm(site: Emulator) -> Any:
    """Three versions: public, private, and one that is built but not published."""
    site.deploy("Known", ECHO)
    site.publish("Known", settings={"algorithm_callability": "public"})
    for number in (1, 2):
        site.build_of("Known", site.push("Known", {"new": str(number)}))
        if number == 1:
            site.publish("Known", version_info={"version_type": "revision"})
    return site.get("/v1/algorithms/local/Known")


def test_every_route_by_id(site: Emulator, algorithm: Any) -> None:
    """The same answers as by name."""
    commit, build = algorithm["version_info"]["git_hash"], algorithm["build"]["build_id"]
    paths = ["", "/builds", f"/builds/{build}", f"/builds/{build}/logs", "/versions", f"/versions/{commit}"]
    for path in [*paths, "/errors", "/log", "/scm/status"]:
        answers = [site.get(f"/v1/algorithms/{base}{path}") for base in ("local/Known", algorithm["id"])]
        assert answers[0] == answers[1], path
    assert site.request("POST", f"/v1/algorithms/{algorithm['id']}/compile", {}).json["id"] == algorithm["id"]


def test_versions_by_what_they_are(site: Emulator, algorithm: Any) -> None:
    numbers = {
        query: [
            each["version_info"].get("semantic_version")
            for each in site.get(f"/v1/algorithms/local/Known/versions?{query}")["results"]
        ]
        for query in ("", "published=true", "published=false", "callable=true", "callable=False", "callable=true&limit=1")
    }
    assert numbers == {
        "": [None, "0.1.1", "0.1.0"],
        "published=true": ["0.1.1", "0.1.0"],
        "published=false": [None],
        "callable=true": ["0.1.0"],
        "callable=False": ["0.1.1"],
        "callable=true&limit=1": ["0.1.0"],
    }


def test_the_log_of_commits(site: Emulator, algorithm: Any) -> None:
    commits = site.get("/v1/algorithms/local/Known/log")["commits"]
    assert [each["short_message"] for each in commits] == ["change", "change", "change", "Algorithmia initial commit"]
    assert set(commits[0]) == {"id", "short_message", "message", "author"}
    assert site.get(f"/v1/algorithms/local/Known/log?since={commits[1]['id']}")["commits"] == commits[:1]
    assert site.get(f"/v1/algorithms/local/Known/log?until={commits[2]['id']}")["commits"] == commits[2:]


def test_source_control(site: Emulator, algorithm: Any) -> None:
    assert site.get("/v1/algorithms/local/Known/scm/status") == {"scm_connection_status": "active"}
    [scm] = site.get("/v1/scms")["results"]
    assert scm == {"id": "internal", "provider": "internal", "default": True, "enabled": True, "name": "Algorithmia"}
    assert site.get("/v1/scms/internal") == scm
    assert site.request("GET", "/v1/scms/github").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "connector/s3",
        "connector/s3+label/bucket/key",
        "connector/dropbox/a",
        "data/s3+label://bucket/key",
        "connector/data/gs://b/k",
    ],
)
def test_connectors_that_are_not_here(site: Emulator, path: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        reply = site.request(method, f"/v1/{path}", b"" if method == "GET" else b"{}")
        assert reply.status == 400
        assert reply.json["error"]["message"].startswith("unsupported connector ")


def test_a_path_that_is_escaped_as_a_whole(site: Emulator) -> None:
    """Java's form: slashes are %2F, a space is +."""
    site.request("POST", "/v1/data/.my", {"name": "escaped"})
    assert site.request("PUT", "/v1/data/.my%2Fescaped%2Fa+b%2Bc", b"1").status == 200
    assert [each["filename"] for each in site.get("/v1/connector/data/.my%2Fescaped")["files"]] == ["a b+c"]
    assert site.request("GET", "/v1/data/local/escaped/a%20b+c").body == b"1"


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_half_a_surrogate_pair_names_nothing(site: Emulator, kind: str) -> None:
    """Valid JSON, but no text: refused, rather than stumbled over."""
    body = '{"name": "\\ud800"}'
    before = site.get("/v1/data/.my")
    assert site.request("POST", "/v1/data/.my", body, {"Content-Type": kind}).status == (400 if kind == "application/json" else 200)
    assert len(site.get("/v1/data/.my")["folders"]) == len(before["folders"]) + (kind == "text/plain")
