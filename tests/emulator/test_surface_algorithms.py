"""Algorithms by their ids, the filters of versions, source control, connectors."""

from typing import Any

import pytest
from dulwich.objects import Commit
from emulated import SETTINGS, Emulator, git_object

ECHO = "def apply(input):\n    return input\n"


@pytest.fixture(scope="module")
def algorithm(site: Emulator) -> Any:
    """An algorithm with a public version, a private one and an unpublished build."""
    site.deploy("Known", ECHO)
    site.publish("Known", settings={"algorithm_callability": "public"})
    for number in (1, 2):
        site.build_of("Known", site.push("Known", {"new": str(number)}))
        if number == 1:
            site.publish("Known", version_info={"version_type": "revision"})
    return site.get("/v1/algorithms/local/Known")


def test_routes_by_id_reply_as_those_by_name(site: Emulator, algorithm: Any) -> None:
    commit, build = algorithm["version_info"]["git_hash"], algorithm["build"]["build_id"]
    paths = ["", "/builds", f"/builds/{build}", f"/builds/{build}/logs", "/versions", f"/versions/{commit}"]
    for path in [*paths, "/errors", "/log", "/scm/status"]:
        answers = [site.get(f"/v1/algorithms/{base}{path}") for base in ("local/Known", algorithm["id"])]
        assert answers[0] == answers[1], path
    assert site.request("POST", f"/v1/algorithms/{algorithm['id']}/compile", {}).json["id"] == algorithm["id"]


def test_filters_of_versions(site: Emulator, algorithm: Any) -> None:
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
    assert site.get(f"/v1/algorithms/local/Known/log?since={commits[1]['id']}")["commits"] == commits[:2]
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
def test_unsupported_connectors(site: Emulator, path: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        reply = site.request(method, f"/v1/{path}", b"" if method == "GET" else b"{}")
        assert reply.status == 400
        assert reply.json["error"]["message"].startswith("unsupported connector ")


def test_a_path_with_encoded_slashes(site: Emulator) -> None:
    """The Java client encodes slashes as %2F and spaces as +."""
    site.request("POST", "/v1/data/.my", {"name": "escaped"})
    assert site.request("PUT", "/v1/data/.my%2Fescaped%2Fa+b%2Bc", b"1").status == 200
    assert [each["filename"] for each in site.get("/v1/connector/data/.my%2Fescaped")["files"]] == ["a b+c"]
    assert site.request("GET", "/v1/data/local/escaped/a%20b+c").body == b"1"


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_unpaired_surrogates_are_refused(site: Emulator, kind: str) -> None:
    """They are valid JSON, but UTF-8 cannot encode them."""
    body = '{"name": "\\ud800"}'
    site.request("POST", "/v1/data/.my", {"name": "paired"})  # a listing without folders lacks that member
    before = site.get("/v1/data/.my")
    assert site.request("POST", "/v1/data/.my", body, {"Content-Type": kind}).status == (400 if kind == "application/json" else 200)
    assert len(site.get("/v1/data/.my")["folders"]) == len(before["folders"]) + (kind == "text/plain")


def test_selectors_of_an_environment(site: Emulator) -> None:
    """By environment, by package set, or by a legacy language; with the error codes of unknown values."""
    made = []
    for number, selector in enumerate(({"package_set": "python37"}, {"language": "python3-1", "environment": "cpu"})):
        body = {"name": f"Selected{number}", "details": {"label": "x"}, "settings": {**SETTINGS, **selector}}
        made.append(site.request("POST", "/v1/algorithms/local", body).json["settings"]["algorithm_environment"])
    assert made == [site.environment("Python 3.7")] * 2
    codes = []
    for selector in ({"package_set": "none"}, {"language": "cobol", "environment": "cpu"}, {}):
        body = {"name": "Unselected", "details": {"label": "x"}, "settings": {**SETTINGS, **selector}}
        refused = site.request("POST", "/v1/algorithms/local", body)
        codes.append((refused.status, refused.json["error"]["code"]))
    assert codes == [(400, 1003), (400, 4001), (400, 6001)]


def test_a_sample_input_is_shown_with_the_version(site: Emulator) -> None:
    commit = site.deploy("Sampled", ECHO).rpartition("/")[2]
    path = "/v1/algorithms/local/Sampled"
    update = {"settings": SETTINGS, "version_info": {"sample_input": '"new"'}}
    site.publish("Sampled", version_info={"sample_input": '"old"', "release_notes": "first"})
    assert site.request("PUT", path, update).json["version_info"]["sample_input"] == '"new"'
    shown = site.get(f"{path}/versions/{commit}")["version_info"]
    assert (shown["sample_input"], shown["release_notes"], shown["semantic_version"]) == ('"new"', "first", "0.1.0")
    creation = {"name": "Wrong", "details": {"label": "x"}, "settings": {**SETTINGS, "package_set": "python37"}}
    for method, to, body in (("PUT", path, update), ("POST", "/v1/algorithms/local", creation)):
        assert site.request(method, to, {**body, "version_info": {"sample_input": 1}}).status == 400


def test_a_sample_input_is_kept_for_the_first_version(site: Emulator) -> None:
    """It is not visible before. A version with its own sample input ignores it, and later versions do too."""
    path = "/v1/algorithms/local"
    shown: list[str | None] = []
    settings = {**SETTINGS, "package_set": "python37"}
    for number, (updated, published) in enumerate(((None, {}), ('"put"', {}), ('"put"', {"sample_input": '"said"'}), ("", {}))):
        name = f"Waiting{number}"
        creation = {"name": name, "details": {"label": "x"}, "settings": settings, "version_info": {"sample_input": '"made"'}}
        answers = [site.request("POST", path, creation)]
        if updated is not None:
            answers.append(site.request("PUT", f"{path}/{name}", {"settings": SETTINGS, "version_info": {"sample_input": updated}}))
        assert [(each.status, each.json["details"], "version_info" in each.json) for each in answers] == [
            (200, {"label": "x"}, False)
        ] * len(answers)
        for kind in (published, {}):
            site.build_of(name, site.push(name, {"src/new.py": str(len(shown)), ".adk": None} if kind is published else {"a": ""}))
            answer = site.publish(name, version_info=kind).json
            assert answer["details"] == site.get(f"{path}/{name}")["details"] == {"label": "x"}
            shown.append(answer["version_info"].get("sample_input"))
    assert shown == ['"made"', None, '"put"', None, '"said"', None, None, None]


def test_a_webhook_starts_no_build(site: Emulator, algorithm: Any) -> None:
    builds = site.get("/v1/algorithms/local/Known/builds")
    reply = site.request("POST", "/v1/algorithms/local/Known/scm/webhook", {})
    assert (reply.status, reply.body, site.get("/v1/algorithms/local/Known/builds")) == (204, b"", builds)


@pytest.mark.parametrize("text", ['{"x": NaN}', '{"x": [-Infinity]}', '{"x": -1e999}', "[]", "{"])
def test_a_body_that_is_not_a_json_object(site: Emulator, algorithm: Any, text: str) -> None:
    reply = site.request("POST", "/v1/algorithms/local/Known/scm/webhook", text, {"Content-Type": "application/json"})
    assert (reply.status, reply.json["error"]["code"]) == (400, 6001)


def test_what_other_users_can_read(site: Emulator, algorithm: Any) -> None:
    """They see public versions with their published settings, and can change nothing."""
    stranger = site.acting("passer", site.key_of("passer"))
    public, private = (
        each["version_info"]["git_hash"]
        for each in reversed(site.get("/v1/algorithms/local/Known/versions?published=true")["results"])
    )
    path = "/v1/algorithms/local/Known"
    shown = stranger.get(path)
    assert (shown["version_info"]["semantic_version"], shown["settings"]["algorithm_callability"]) == ("0.1.0", "public")
    assert [shown] == stranger.get(path + "/versions")["results"] == stranger.get("/v1/users/local/algorithms")["results"]
    assert stranger.get(f"{path}/versions/{public}") == shown
    assert stranger.request("GET", f"{path}/versions/{private}").status == 404
    hidden = [stranger.request("GET", path + each).status for each in ("/builds", "/errors", "/log", "/secrets", "/scm/status")]
    assert hidden == [403] * 5
    refused = [("PUT", ""), ("DELETE", ""), ("POST", "/versions"), ("POST", "/compile"), ("POST", "/scm/webhook")]
    assert [stranger.request(method, path + each, {}).status for method, each in refused] == [403] * 5


def test_listings_do_not_reveal_others_private_algorithms(site: Emulator) -> None:
    """Neither by markers nor by the number of pages."""
    lister = site.acting("lister", site.key_of("lister"))
    for name in ("Aa", "Bb", "Cc", "Dd"):
        lister.create(name)
        if name in ("Bb", "Dd"):
            lister.build_of(name, lister.push(name, {"requirements.txt": "", ".adk": None}))
            assert lister.publish(name, settings={"algorithm_callability": "public"}).status == 200
    path = "/v1/users/lister/algorithms?limit=1"
    pages: list[tuple[list[str], str | None]] = []
    while path and len(pages) < 9:
        page = site.get(path)
        pages.append(([each["name"] for each in page["results"]], page["marker"]))
        path = page["next_link"]
    assert pages == [(["Bb"], "Bb"), (["Dd"], None)]
    own = lister.get("/v1/users/lister/algorithms?limit=3")
    assert ([each["name"] for each in own["results"]], own["marker"]) == (["Aa", "Bb", "Cc"], "Cc")


def test_compilation_of_a_given_commit(site: Emulator) -> None:
    """Trees and unknown ids are refused."""
    first = site.deploy("Chosen", ECHO).rpartition("/")[2]
    site.build_of("Chosen", site.push("Chosen", {"new": "1"}))
    path = "/v1/algorithms/local/Chosen"
    compiled = site.request("POST", path + "/compile", {"commitSha": first}).json
    assert (compiled["version_info"]["git_hash"], compiled["compilation"]["successful"]) == (first, True)
    repository, head = site.fetch("Chosen")
    tree = git_object(repository, Commit, head).tree.decode()
    for wrong in (tree, "0" * 40, "x"):
        assert site.request("POST", path + "/compile", {"commitSha": wrong}).status == 404
        assert site.request("GET", f"{path}/log?until={wrong}").status == 404
    assert site.request("POST", path + "/compile", {"commitSha": 1}).status == 400
    assert len(site.get(path + "/builds")["results"]) == 3


@pytest.mark.parametrize("listing", ["builds", "versions"])
def test_invalid_parameters_of_pages(site: Emulator, algorithm: Any, listing: str) -> None:
    path = f"/v1/algorithms/local/Known/{listing}?"
    replies = [site.request("GET", path + query) for query in ("limit=0", "limit=1001", "limit=x", "marker=x", "marker=-1")]
    assert [(reply.status, reply.json["error"]["code"]) for reply in replies] == [(400, 5003)] * 3 + [(400, 5002)] * 2


def test_the_container_of_a_version(site: Emulator, algorithm: Any) -> None:
    commit = algorithm["version_info"]["git_hash"]
    path = f"/v1/algorithms/{algorithm['id']}/versions/{commit}/registry"
    assert site.get(path) == {"git_hash": commit, "status": "succeeded"}
    reply = site.request("POST", path, {})
    assert (reply.status, reply.body) == (204, b"")
    missing = path.replace(commit, "0" * 40)
    assert [site.request(method, missing).status for method in ("GET", "POST")] == [404, 404]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/users/local/algorithms/"),
        ("GET", "/v1/algorithms/local/Any/"),
        ("POST", "/v1/algorithms/local/"),
        ("GET", "/v1/hostedData/"),
        ("GET", "/v1/algorithm-environments/edge/languages/"),
        ("HEAD", "/health/"),
    ],
)
def test_a_trailing_slash_makes_a_route_unknown(site: Emulator, method: str, path: str) -> None:
    """The reply is JSON, not a redirect."""
    reply = site.request(method, path, {} if method == "POST" else None)
    assert (reply.status, reply.headers["content-type"]) == (404, "application/json")
    assert method == "HEAD" or reply.json["error"]["message"] == "Not Found"
