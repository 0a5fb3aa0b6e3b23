"""Compiles, builds, logs, publishing and versions (PLATFORM.md §3.5, §3.6)."""

import re

import pytest
from clients import Library
from site_under_test import Algorithm, Site

HASH = re.compile(r"[0-9a-f]{40}")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PLAIN = "def apply(input):\n    return 'plain'\n"


def publication(kind: str = "minor", **info: object) -> dict[str, object]:
    return {"settings": {"algorithm_callability": "private"}, "version_info": {"version_type": kind, **info}}


def plain(site: Site) -> Algorithm:
    return site.built(PLAIN)


def test_compile(site: Site) -> None:
    made = site.built(PLAIN)
    reply = site.curl("POST", f"{made.url}/compile", {})
    assert (reply.status, reply.at("version_info", "git_hash")) == (200, made.commit)
    assert (reply.at("compilation", "successful"), reply.at("build", "status")) == (True, "succeeded")


def test_client_compiles_calls_and_publishes(site: Site, new: Library) -> None:
    """Create, compile, call by hash, publish and read the version, without waiting in between. There is exactly one build."""
    made = site.created()
    compiled = new.ask(f"client.algo('{made.path}').compile()")
    commit = str(compiled.at("version_info", "git_hash"))
    assert (compiled.error, bool(HASH.fullmatch(commit))) == ("", True)
    called = new.ask(f"client.algo('{made.path}/{commit}').pipe('you').result")
    assert called.value == "hello you"
    asked = "settings={'algorithm_callability': 'private'}, version_info={'version_type': 'minor', 'release_notes': 'first'}"
    published = new.ask(f"client.algo('{made.path}').publish(details={{'label': 'x'}}, {asked})")
    assert (published.error, published.at("version_info", "semantic_version")) == ("", "0.1.0")
    version = new.ask(f"client.algo('{made.path}').info('{commit}')")
    assert (version.at("version_info", "semantic_version"), version.at("version_info", "release_notes")) == ("0.1.0", "first")
    again = new.ask(f"client.algo('{made.path}/{commit}').pipe('you').result")
    assert again.value == "hello you"
    builds = new.ask(f"client.algo('{made.path}').get_builds()")
    assert [each["commit_sha"] for each in builds.each("results")] == [commit]


def test_failed_compile(site: Site) -> None:
    made = site.built(PLAIN, {"requirements.txt": "no requirement ===\n"})
    reply = site.curl("POST", f"{made.url}/compile", {})
    assert (reply.status, reply.at("compilation", "successful"), reply.at("build", "status")) == (200, False, "failed")
    logs = site.curl("GET", f"{made.url}/builds/{reply.at('build', 'build_id')}/logs")
    assert (logs.names(), "no requirement ===" in str(logs.at("logs"))) == ({"logs"}, True)
    called = site.run(made, 1)
    assert (called.status, "version hash" in str(called.at("error", "message"))) == (404, True)


def test_builds(site: Site, released: dict[str, Algorithm]) -> None:
    newest = released["commit"]
    reply = site.curl("GET", f"{newest.url}/builds")
    assert (reply.names(), reply.at("marker"), reply.at("next_link")) == ({"marker", "next_link", "results"}, None, None)
    commits = [released[version].commit for version in ("commit", "0.2.0", "0.1.1", "0.1.0")]
    assert [each["commit_sha"] for each in reply.each("results")] == commits
    named = {"build_id", "status", "commit_sha", "started_at", "finished_at", "resource_type"}
    assert (reply.names("results", 0), reply.names("results", 1)) == (named, named | {"version_info"})
    stamps = [reply.at("results", 0, name) for name in ("started_at", "finished_at")]
    assert (all(STAMP.fullmatch(stamp) for stamp in stamps), reply.at("results", 0, "resource_type")) == (True, "algorithm_build")


def test_builds_by_page(site: Site, released: dict[str, Algorithm]) -> None:
    url = released["commit"].url
    first = site.curl("GET", f"{url}/builds?limit=3")
    second = site.curl("GET", f"{url}/builds?limit=3&marker={first.at('marker')}")
    assert ([len(reply.each("results")) for reply in (first, second)], second.at("marker")) == ([3, 1], None)


@pytest.mark.parametrize("listing", ["builds", "versions"])
def test_pages_link_to_the_next(site: Site, released: dict[str, Algorithm], listing: str) -> None:
    """The link repeats the query with another marker."""
    path = f"{released['commit'].url}/{listing}?limit=1&published=true"
    first = site.curl("GET", path)
    assert first.at("next_link") == f"{path}&marker={first.at('marker')}"
    second = site.curl("GET", first.at("next_link"))
    assert second.at("next_link") == f"{path}&marker={second.at('marker')}"
    assert second.at("marker") != first.at("marker")
    last = site.curl("GET", f"{path.replace('limit=1', 'limit=9')}&marker={second.at('marker')}")
    assert (last.at("next_link"), last.at("marker"), last.each("results") != []) == (None, None, True)


@pytest.mark.parametrize(("query", "code"), [("limit=0", 5003), ("limit=x", 5003), ("limit=-1", 5003), ("marker=x", 5002)])
@pytest.mark.parametrize("listing", ["builds", "versions"])
def test_bad_pages(site: Site, hello: Algorithm, listing: str, query: str, code: int) -> None:
    reply = site.curl("GET", f"{hello.url}/{listing}?{query}")
    assert (reply.status, reply.at("error", "code")) == (400, code)


def test_one_build(site: Site, hello: Algorithm, library: Library) -> None:
    listed = site.curl("GET", f"{hello.url}/builds")
    reply = library.ask(f"client.algo('{hello.path}').get_build('{listed.at('results', 0, 'build_id')}')")
    assert (reply.error, reply.at("commit_sha"), reply.at("status")) == ("", hello.commit, "succeeded")


def test_logs(site: Site, hello: Algorithm, library: Library) -> None:
    listed = site.curl("GET", f"{hello.url}/builds")
    reply = library.ask(f"client.algo('{hello.path}').get_build_logs('{listed.at('results', 0, 'build_id')}')")
    assert (reply.error, len(reply.at("logs") or "") > 0) == ("", True)


def test_log_names_the_interpreter(site: Site, hello: Algorithm) -> None:
    """`Python 3.7` may run on another interpreter, which the log names."""
    listed = site.curl("GET", f"{hello.url}/builds")
    reply = site.curl("GET", f"{hello.url}/builds/{listed.at('results', 0, 'build_id')}/logs")
    assert re.search(r"Python 3\.7.*Python 3\.\d+", str(reply.at("logs")), re.DOTALL), reply


def test_running_build(site: Site) -> None:
    """A running build has no log and cannot be published."""
    made = site.created()
    replies = site.during_build(
        made,
        lambda build: [
            site.curl("GET", f"{made.url}/builds/{build}"),
            site.curl("GET", f"{made.url}/builds/{build}/logs"),
            site.curl("POST", f"{made.url}/versions", publication()),
        ],
    )
    assert (replies[0].at("status"), "finished_at" in replies[0].names()) == ("in-progress", False)
    assert (replies[1].status, isinstance(replies[1].at("error", "message"), str)) == (404, True)
    assert (replies[2].status // 100, isinstance(replies[2].at("error", "message"), str)) == (4, True)


def test_publish(site: Site) -> None:
    made = plain(site)
    info = {"release_notes": "notes", "sample_input": '"in"', "sample_output": '"out"'}
    reply = site.curl("POST", f"{made.url}/versions", {**publication(**info), "source": {}, "scmsCredentials": {}})
    assert (reply.status, reply.at("version_info", "git_hash")) == (200, made.commit)
    assert {name: reply.at("version_info", name) for name in info} == info
    current = site.curl("GET", made.url)
    assert (current.at("version_info", "semantic_version"), current.at("build", "version_info")) == (
        "0.1.0",
        {"semantic_version": "0.1.0"},
    )


def test_publish_changes_the_details(site: Site) -> None:
    """The published details become those of the algorithm. Details that the request leaves out stay."""
    made = plain(site)
    site.curl("PUT", made.url, {"details": {"tagline": "kept"}, "settings": site.creation("X")["settings"]})
    reply = site.curl("POST", f"{made.url}/versions", {**publication(), "details": {"label": "new", "summary": "words"}})
    assert reply.at("details") == {"label": "new", "summary": "words", "tagline": "kept"}
    reply = site.curl("GET", made.url)
    assert reply.at("details") == {"label": "new", "summary": "words", "tagline": "kept"}


def test_publish_at_the_older_route(site: Site) -> None:
    reply = site.curl("POST", f"{plain(site).url}/version", publication())
    assert (reply.status, reply.at("version_info", "semantic_version")) == (200, "0.1.0")


def test_publish_without_a_body(site: Site) -> None:
    reply = site.curl("POST", f"{plain(site).url}/versions", {})
    assert (reply.at("version_info", "semantic_version"), reply.at("settings", "algorithm_callability")) == ("0.1.0", "private")


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [("major", ("1.0.0", "2.0.0")), ("minor", ("0.1.0", "0.2.0")), ("revision", ("0.0.1", "0.0.2")), ("patch", ("0.0.1", "0.0.2"))],
)
def test_version_numbers(site: Site, kind: str, numbers: tuple[str, str]) -> None:
    made = plain(site)
    replies = [site.curl("POST", f"{made.url}/versions", publication(kind))]
    site.pushed(made, {"README.md": "more"})
    replies.append(site.curl("POST", f"{made.url}/versions", publication(kind)))
    assert [reply.at("version_info", "semantic_version") for reply in replies] == list(numbers)


def test_lower_parts_are_reset(site: Site) -> None:
    made, replies = plain(site), []
    for kind in ("revision", "minor", "revision", "major"):
        replies.append(site.curl("POST", f"{made.url}/versions", publication(kind)))
        site.pushed(made, {"README.md": f"after {kind} {len(replies)}"})
    assert [reply.at("version_info", "semantic_version") for reply in replies] == ["0.0.1", "0.1.0", "0.1.1", "1.0.0"]


def test_explicit_numbers_are_ignored(site: Site) -> None:
    body = publication(semantic_version="7.7.7", git_hash="0" * 40)
    reply = site.curl("POST", f"{plain(site).url}/versions", body)
    assert reply.at("version_info", "semantic_version") == "0.1.0"


def test_sample_input_is_a_string(site: Site) -> None:
    reply = site.curl("POST", f"{plain(site).url}/versions", publication(sample_input={"not": "text"}))
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (400, True)


def test_publish_with_nulls(site: Site) -> None:
    """Some clients send nulls for values that they do not have. They are ignored."""
    body = publication(release_notes=None, sample_input=None, sample_output='"out"')
    reply = site.curl("POST", f"{plain(site).url}/versions", body)
    assert (reply.status, reply.at("version_info", "sample_output")) == (200, '"out"')
    assert not reply.names("version_info") & {"release_notes", "sample_input"}


def test_publish_twice(site: Site) -> None:
    made = plain(site)
    replies = [site.curl("POST", f"{made.url}/versions", publication()) for _ in range(2)]
    assert (replies[0].status, replies[1].status, replies[1].at("error", "code")) == (200, 400, 1007)
    compiled = site.curl("POST", f"{made.url}/compile", {})
    assert compiled.status == 200
    reply = site.curl("POST", f"{made.url}/versions", publication())
    assert reply.at("error", "message") == "Version already published: push a new commit first"


def test_old_client_reports_publishing_twice(site: Site, old: Library) -> None:
    made = plain(site)
    body = "{'label': 'x'}, {'algorithm_callability': 'private'}, {'version_type': 'minor', 'sample_input': '1'}"
    first, second = (old.ask(f"client.algo('{made.path}').publish({body})") for _ in range(2))
    assert (first.error, first.at("version_info", "semantic_version")) == ("", "0.1.0")
    assert (second.error, "Version already published" in second.message) == ("AlgorithmException", True)


def test_publish_without_a_build(site: Site) -> None:
    reply = site.curl("POST", f"{site.created().url}/versions", publication())
    assert (reply.status // 100, isinstance(reply.at("error", "message"), str)) == (4, True)


def test_versions(site: Site, released: dict[str, Algorithm], new: Library) -> None:
    newest = released["commit"]
    reply = new.ask(f"client.algo('{newest.path}').versions()")
    assert (reply.names(), reply.at("marker")) == ({"marker", "next_link", "results"}, None)
    numbers = [each["version_info"].get("semantic_version") for each in reply.each("results")]
    assert (numbers, reply.at("results", 0, "version_info", "git_hash")) == ([None, "0.2.0", "0.1.1", "0.1.0"], newest.commit)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("published=true", ["0.2.0", "0.1.1", "0.1.0"]),
        ("published=false", [None]),
        ("published=False", [None]),
        ("limit=2", [None, "0.2.0"]),
    ],
)
def test_versions_filtered(site: Site, released: dict[str, Algorithm], query: str, numbers: list[str | None]) -> None:
    reply = site.curl("GET", f"{released['commit'].url}/versions?{query}")
    found = [each["version_info"].get("semantic_version") for each in reply.each("results")]
    assert (found, reply.status) == (numbers, 200)


@pytest.mark.parametrize("query", ["published=yes", "callable=1", "callable=none"])
def test_versions_filtered_by_an_invalid_value(site: Site, hello: Algorithm, query: str) -> None:
    reply = site.curl("GET", f"{hello.url}/versions?{query}")
    assert (reply.status, reply.at("error", "code")) == (400, 6001)


def test_versions_filtered_by_callable(site: Site, released: dict[str, Algorithm]) -> None:
    """All users may call public versions."""
    reply = site.curl("GET", f"{released['commit'].url}/versions?callable=true")
    found = [each["version_info"].get("semantic_version") for each in reply.each("results")]
    assert (found, reply.status) == (["0.1.1", "0.1.0"], 200)


def test_one_version(site: Site, released: dict[str, Algorithm], library: Library) -> None:
    version = released["0.1.1"]
    reply = library.ask(f"client.algo('{version.path}').info('{version.commit}')")
    assert (reply.error, reply.at("version_info", "semantic_version")) == ("", "0.1.1")
    assert reply.at("version_info", "git_hash") == version.commit


def test_versions_cannot_be_deleted(site: Site, released: dict[str, Algorithm]) -> None:
    """No route deletes a version."""
    version = released["0.1.1"]
    site.curl("DELETE", f"{version.url}/versions/{version.commit}")
    reply = site.curl("GET", f"{version.url}/versions/{version.commit}")
    assert (reply.status, reply.at("version_info", "semantic_version")) == (200, "0.1.1")


def test_missing_version(site: Site, hello: Algorithm) -> None:
    reply = site.curl("GET", f"{hello.url}/versions/{'0' * 40}")
    assert (reply.status, isinstance(reply.at("error", "message"), str)) == (404, True)
