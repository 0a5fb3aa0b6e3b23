"""Algorithms, builds and versions in the management API."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from emulated import SETTINGS, Emulator

HELLO = "def apply(input):\n    return input\n"


def release(site: Emulator, name: str, *, count: int = 1) -> list[str]:
    """An algorithm with this number of built commits."""
    site.create(name)
    commits = []
    for number in range(count):
        files = {f"src/{name}.py": f"{HELLO}# {number}\n", "requirements.txt": ""}
        commits.append(site.push(name, files if number else {**files, ".adk": None}))
        assert site.build_of(name, commits[-1])["status"] == "succeeded"
    return commits


def test_a_new_algorithm(site: Emulator) -> None:
    missing = site.request("GET", "/v1/algorithms/local/Fresh")
    assert (missing.status, missing.body) == (404, b'{"error":"No such algorithm"}')
    environment = site.environment("Python 3.9")
    created = site.create("Fresh", "Python 3.9")
    assert created == {
        "id": created["id"],
        "name": "Fresh",
        "details": {"label": "Fresh"},
        "settings": {
            **SETTINGS,
            "algorithm_callability": "private",
            "insights_enabled": False,
            "royalty_microcredits": 0,
            "algorithm_environment": environment,
            "package_set": "python39",
        },
        "source": {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}},
        "resource_type": "algorithm",
    }
    assert site.get("/v1/algorithms/local/Fresh") == created
    assert site.get(f"/v1/algorithms/{created['id']}") == created
    assert site.get("/v1/algorithms/local/Fresh/builds") == {"marker": None, "next_link": None, "results": []}
    assert site.get("/v1/algorithms/local/Fresh/versions")["results"] == []
    assert site.get("/v1/algorithms/local/Fresh/scm/status") == {"scm_connection_status": "active"}
    assert [each["name"] for each in site.get("/v1/users/local/algorithms")["results"]].count("Fresh") == 1
    again = site.request(
        "POST", "/v1/algorithms/local", {"name": "Fresh", "details": {"label": ""}, "settings": created["settings"]}
    )
    assert (again.status, again.json["error"]["code"]) == (400, 1002)


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": "1x"}),
    ("name", {"name": "a/b"}),
    ("name", {"name": None}),
    ("label", {"details": {}}),
    ("settings", {"settings": None}),
    ("environment", {"settings": {**SETTINGS}}),
    ("environment", {"settings": {**SETTINGS, "algorithm_environment": "unknown"}}),
    ("license", {"settings": {**SETTINGS, "package_set": "python37", "license": "none"}}),
    ("switch", {"settings": {**SETTINGS, "package_set": "python37", "pipeline_enabled": "yes"}}),
    ("royalty", {"settings": {**SETTINGS, "package_set": "python37", "royalty_microcredits": -1}}),
    ("type", {"settings": [1]}),
]


@pytest.mark.parametrize(("what", "change"), BROKEN)
def test_invalid_creations(site: Emulator, what: str, change: dict[str, Any]) -> None:
    good = {"name": "Broken", "details": {"label": "x"}, "settings": {**SETTINGS, "package_set": "python37"}}
    assert site.request("POST", "/v1/algorithms/local", {**good, **change}).status == 400, what
    assert site.request("POST", "/v1/algorithms/somebody", good).status == 403
    assert site.request("GET", "/v1/algorithms/local/Broken").status == 404


def test_every_required_setting_is_required(site: Emulator) -> None:
    whole = {**SETTINGS, "package_set": "python37"}
    for name in SETTINGS:
        settings = {key: value for key, value in whole.items() if key != name}
        body = {"name": "Lacking", "details": {"label": "x"}, "settings": settings}
        assert site.request("POST", "/v1/algorithms/local", body).status == 400, name


def test_concurrent_creations_create_one_algorithm(site: Emulator) -> None:
    body = {"name": "Raced", "details": {"label": "x"}, "settings": {**SETTINGS, "package_set": "python37"}}
    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(lambda _: site.request("POST", "/v1/algorithms/local", body).status, range(6)))
    assert sorted(replies) == [200, 400, 400, 400, 400, 400]
    site.push("Raced", {"file": "x"})


def test_updating(site: Emulator) -> None:
    site.create("Changed")
    path = "/v1/algorithms/local/Changed"
    settings = {**SETTINGS, "license": "mit", "algorithm_environment": site.environment("Python 3.8")}
    changed = site.request("PUT", path, {"details": {"summary": "s"}, "settings": settings})
    assert changed.status == 200
    assert changed.json["details"] == {"label": "Changed", "summary": "s"}
    assert changed.json["settings"]["license"] == "mit"
    assert changed.json["settings"]["package_set"] == "python38"
    assert site.get(path) == changed.json
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.request("PUT", path, "details=label&settings=license", form).status == 400
    assert site.request("PUT", path, {"settings": {"license": "mit"}}).status == 400
    python2 = {**SETTINGS, "algorithm_environment": site.environment("Python 2.7")}
    assert site.request("PUT", path, {"settings": python2}).status == 400
    assert site.request("PUT", "/v1/algorithms/local/Unknown", {"settings": settings}).status == 404
    assert site.get(path) == changed.json


def test_deleting(site: Emulator) -> None:
    release(site, "Doomed")
    assert site.call("local/Doomed/latestPrivate", 1)["error"]["message"] == (
        "algorithm algo://local/Doomed/latestPrivate not found"
    )
    assert site.publish("Doomed").status == 200
    assert site.call("local/Doomed/latestPrivate", 1)["result"] == 1
    builds = len(list((site.root / "builds").iterdir()))
    deleted = site.request("DELETE", "/v1/algorithms/local/Doomed")
    assert (deleted.status, deleted.body) == (204, b"")
    assert site.request("GET", "/v1/algorithms/local/Doomed").status == 404
    assert site.request("DELETE", "/v1/algorithms/local/Doomed").status == 404
    assert site.call("local/Doomed/latestPrivate", 1)["error"]["message"].endswith("not found")
    assert len(list((site.root / "builds").iterdir())) == builds - 1
    commits = release(site, "Doomed")
    assert len(site.get("/v1/algorithms/local/Doomed/builds")["results"]) == len(commits) == 1


def test_public_algorithms_are_not_deleted(site: Emulator) -> None:
    release(site, "Famous")
    site.publish("Famous", settings={"algorithm_callability": "public"})
    assert site.request("DELETE", "/v1/algorithms/local/Famous").status == 400
    assert site.get("/v1/algorithms/local/Famous")["settings"]["algorithm_callability"] == "public"


def test_compiling(site: Emulator) -> None:
    site.create("Compiled")
    head = site.push("Compiled", {"src/Compiled.py": HELLO, ".adk": None, "requirements.txt": ""})
    site.build_of("Compiled", head)
    compiled = site.request("POST", "/v1/algorithms/local/Compiled/compile", {})
    assert compiled.status == 200
    assert compiled.json["version_info"]["git_hash"] == head
    assert compiled.json["compilation"] == {"successful": True, "output": ""}
    assert compiled.json["self_link"] == f"/v1/algorithms/local/Compiled/versions/{head}"
    assert site.call(f"local/Compiled/{head}", [1])["result"] == [1]
    builds = site.get("/v1/algorithms/local/Compiled/builds")["results"]
    assert [build["commit_sha"] for build in builds] == [head, head]
    assert site.get("/v1/algorithms/local/Compiled")["build"] == builds[0]
    assert site.get(f"/v1/algorithms/local/Compiled/builds/{builds[0]['build_id']}") == builds[0]
    assert site.request("GET", "/v1/algorithms/local/Compiled/builds/none").status == 404


def test_a_failed_compilation_has_status_200(site: Emulator) -> None:
    site.create("Uncompiled")
    head = site.push("Uncompiled", {"requirements.txt": "six ==\n"})
    site.build_of("Uncompiled", head)
    reply = site.request("POST", "/v1/algorithms/local/Uncompiled/compile", {})
    assert (reply.status, reply.json["compilation"]["successful"]) == (200, False)
    assert reply.json["build"]["status"] == "failed"
    assert site.publish("Uncompiled").status == 400
    error = site.call(f"local/Uncompiled/{head}", 1)["error"]
    assert error["message"] == (
        f"algorithm algo://local/Uncompiled/{head} not found: there is no successful build of this version hash"
    )


def test_versions_are_numbered_by_the_cluster(site: Emulator) -> None:
    site.create("Numbered")
    numbers: list[str] = []
    for bump in ("minor", "revision", "patch", "minor", "major", "", None):
        site.request("POST", "/v1/algorithms/local/Numbered/compile", {})
        commit = site.push("Numbered", {"file": f"{bump} {len(numbers)}", "requirements.txt": ""})
        site.build_of("Numbered", commit)
        body: dict[str, object] = {"version_info": {"version_type": bump}} if bump is not None else {}
        numbers.append(site.publish("Numbered", **body).json["version_info"]["semantic_version"])
    assert numbers == ["0.1.0", "0.1.1", "0.1.2", "0.2.0", "1.0.0", "1.1.0", "1.2.0"]
    assert site.request("POST", "/v1/algorithms/local/Numbered/version", {"version_info": {"version_type": "huge"}}).status == 400


@pytest.mark.parametrize(("bump", "number"), [("major", "1.0.0"), ("minor", "0.1.0"), ("revision", "0.0.1")])
def test_first_numbers(site: Emulator, bump: str, number: str) -> None:
    release(site, f"First{bump}")
    published = site.publish(f"First{bump}", version_info={"version_type": bump})
    assert published.json["version_info"]["semantic_version"] == number


def test_publishing(site: Emulator) -> None:
    (commit,) = release(site, "Published")
    info = {"release_notes": "first", "sample_input": "1", "sample_output": "2"}
    bad = site.publish("Published", version_info={"sample_input": {"not": "text"}})
    assert bad.status == 400
    published = site.publish("Published", details={"label": "other"}, version_info=info, source={}, scmsCredentials={})
    assert published.status == 200
    expected = {"git_hash": commit, "semantic_version": "0.1.0", **info}
    assert {key: value for key, value in published.json["version_info"].items() if key != "version_uuid"} == expected
    again = site.publish("Published")
    assert (again.status, again.json["error"]["code"]) == (400, 1007)
    assert again.json["error"]["message"].startswith("Version already published")
    current = site.get("/v1/algorithms/local/Published")
    assert current["version_info"] == published.json["version_info"]
    assert current["build"]["version_info"] == {"semantic_version": "0.1.0"}
    assert site.get(f"/v1/algorithms/local/Published/versions/{commit}") == published.json
    assert site.get("/v1/algorithms/local/Published/versions")["results"] == [published.json]
    assert site.request("GET", f"/v1/algorithms/local/Published/versions/{'0' * 40}").status == 404


def test_a_version_keeps_its_settings(site: Emulator) -> None:
    (first,) = release(site, "Kept")
    site.publish("Kept")
    before = site.environment("Python 3.7")
    after = site.environment("Python 3.8")
    settings = {**SETTINGS, "network_access": "isolated", "algorithm_environment": after}
    site.request("PUT", "/v1/algorithms/local/Kept", {"settings": settings})
    second = site.push("Kept", {"file": "2"})
    site.build_of("Kept", second)
    site.publish("Kept", settings={"algorithm_callability": "public"})

    def told(path: str) -> tuple[str, str, str]:
        found = site.get(path)["settings"]
        return found["algorithm_environment"], found["network_access"], found["algorithm_callability"]

    base = "/v1/algorithms/local/Kept"
    assert told(f"{base}/versions/{first}") == (before, "full", "private")
    assert told(f"{base}/versions/{second}") == (after, "isolated", "public")
    assert told(base) == (after, "isolated", "public")
    listed = site.get(f"{base}/versions")["results"]
    assert [each["settings"]["algorithm_environment"] for each in listed] == [after, before]


def test_lists_of_versions(site: Emulator) -> None:
    first, second, third = release(site, "Listed", count=3)
    site.publish("Listed")

    def commits(query: str = "") -> list[str]:
        found = site.get(f"/v1/algorithms/local/Listed/versions{query}")["results"]
        return [each["version_info"]["git_hash"] for each in found]

    assert commits() == [third, second, first]
    assert commits("?published=true") == [third]
    assert commits("?published=false") == [second, first]
    page = site.get("/v1/algorithms/local/Listed/versions?limit=2")
    assert commits(f"?limit=2&marker={page['marker']}") == [first]


def test_lists_of_builds(site: Emulator) -> None:
    first, second, third = release(site, "Paged", count=3)
    page = site.get("/v1/algorithms/local/Paged/builds?limit=2")
    assert [build["commit_sha"] for build in page["results"]] == [third, second]
    rest = site.get(f"/v1/algorithms/local/Paged/builds?limit=2&marker={page['marker']}")
    assert ([build["commit_sha"] for build in rest["results"]], rest["marker"]) == ([first], None)
    long = "0" * 19 + "1" * 5000
    queries = (("limit=0", 5003), ("limit=1001", 5003), ("limit=x", 5003), ("marker=x", 5002), (f"marker={long}", 5002))
    for query, code in queries:
        reply = site.request("GET", f"/v1/algorithms/local/Paged/builds?{query}")
        assert (reply.status, reply.json["error"]["code"]) == (400, code)


def test_the_log_of_commits(site: Emulator) -> None:
    first, second = release(site, "Logged", count=2)
    commits = site.get("/v1/algorithms/local/Logged/log")["commits"]
    assert [entry["id"] for entry in commits[:2]] == [second, first]
    assert commits[2]["short_message"] == "Algorithmia initial commit"
    since = site.get(f"/v1/algorithms/local/Logged/log?since={first}")["commits"]
    assert [entry["id"] for entry in since] == [second, first]
    assert site.request("GET", "/v1/algorithms/local/Logged/log?until=master").status == 404


def test_environments(site: Emulator) -> None:
    languages = site.get("/v1/algorithm-environments/edge/languages")
    assert [language["name"] for language in languages] == ["python2", "python3"]
    names = {}
    for language in ("python2", "python3"):
        found = site.client().get_environment(language)["environments"]
        names[language] = [each["display_name"] for each in found]
    assert names == {
        "python2": ["Python 2.7"],
        "python3": [
            "Python 3.6",
            "Python 3.7",
            "Python 3.8",
            "Python 3.9",
            "Python 3.7 + PyTorch 1.7.x",
            "Python 3.7 + TensorFlow GPU 1.14",
            "Python 3.7 + TensorFlow GPU 2.3",
            "Python 3.8 + TensorFlow GPU 2.3",
        ],
    }
    assert site.request("GET", "/v1/algorithm-environments/edge/languages/cobol/environments").status == 404


def test_the_official_client_manages(site: Emulator) -> None:
    algorithm = site.client().algo("local/Official")
    assert algorithm.exists() is False
    algorithm.create({"label": "x"}, {**SETTINGS, "algorithm_environment": site.environment()})
    assert algorithm.exists() is True
    commit = site.push("Official", {"src/Official.py": HELLO, ".adk": None, "requirements.txt": ""})
    build = site.build_of("Official", commit)
    assert algorithm.compile()["version_info"]["git_hash"] == commit
    assert algorithm.publish()["version_info"]["semantic_version"] == "0.1.0"
    assert algorithm.info(commit)["version_info"]["semantic_version"] == "0.1.0"
    assert len(algorithm.versions(published=True)["results"]) == 1
    assert [each["build_id"] for each in algorithm.get_builds()["results"]][1] == build["build_id"]
    assert algorithm.get_build(build["build_id"])["status"] == "succeeded"
    assert algorithm.get_build_logs(build["build_id"])["logs"].endswith("Build succeeded\n")
    assert algorithm.get_scm_status() == {"scm_connection_status": "active"}
    assert site.client().algo("local/Official/0.1.0").pipe("x").result == "x"
