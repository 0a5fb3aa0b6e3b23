"""Faults in the cluster's behaviour: stale listings, failing builds, expired keys; and stopping a server during faults."""

import base64
import contextlib
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulated import Emulator, emulator, until
from faulty_cluster import CONTENT, FILE, FaultyCluster, faulty_cluster

BOX = "/v1/data/.my/box"
PUSH = "POST /git/*/git-receive-pack"
PLAIN: dict[str, str | bytes | None] = {"requirements.txt": "", ".adk": None}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[FaultyCluster]:
    with faulty_cluster(tmp_path_factory.mktemp("faulty") / "root", environments) as running:
        yield running


@pytest.fixture
def site(cluster: FaultyCluster) -> Emulator:
    cluster.set([])
    return cluster.site


def names(site: Emulator) -> list[str]:
    return [file["filename"] for file in site.get(BOX)["files"]]


def commits(site: Emulator, name: str) -> list[str]:
    return [build["commit_sha"] for build in site.get(f"/v1/algorithms/local/{name}/builds")["results"]]


def test_a_stale_listing_lacks_only_the_last_write(cluster: FaultyCluster, site: Emulator) -> None:
    before = names(site)
    cluster.inject(f"GET {BOX}", {"listing": "stale", "reads": 2})
    assert [names(site) for _ in range(3)] == [before] * 3
    site.request("PUT", f"{BOX}/stale-1", b"1")
    site.request("PUT", f"{BOX}/stale-2", b"2")
    assert site.request("PUT", "/v1/data/.my/none/x", b"").status == 404
    one, two = sorted([*before, "stale-1"]), sorted([*before, "stale-1", "stale-2"])
    assert [names(site) for _ in range(3)] == [one, one, two]
    assert [line.get("fault") for line in site.log() if line["path"] == BOX][-3:] == ["listing", "listing", None]


def test_a_stale_listing_after_a_lost_answer(cluster: FaultyCluster, site: Emulator) -> None:
    before = names(site)
    listing = {"match": f"GET {BOX}", "then": {"listing": "stale"}}
    cluster.set([{"match": "PUT *", "then": {"reset": "after"}}, listing])
    assert cluster.ask("PUT", f"{BOX}/lost", b"1").end == "RST"
    assert [names(site) for _ in range(2)] == [before, sorted([*before, "lost"])]


@pytest.mark.parametrize("options", [(), ("--etag",)])
def test_a_stale_head_of_an_overwritten_file(tmp_path: Path, environments: Path, options: tuple[str, ...]) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"match": f"HEAD {BOX}/file", "then": {"listing": "stale"}}]))
    with emulator(tmp_path / "root", environments, "--faults", str(faults), *options) as site:
        site.request("POST", "/v1/data/.my", {"name": BOX.rpartition("/")[2]})
        for content in (b"one", b"three"):
            assert site.request("PUT", f"{BOX}/file", content).status == 200
        looks = [site.request("HEAD", f"{BOX}/file") for _ in range(2)]
    assert [(look.status, look.headers["content-length"]) for look in looks] == [(200, "3"), (200, "5")]
    assert ["etag" in look.headers for look in looks] == [False, bool(options)]


def test_stale_reads_of_a_deleted_collection_and_of_algorithms(cluster: FaultyCluster, site: Emulator) -> None:
    cluster.inject("GET /v1/*", {"listing": "stale"}, times="always")
    site.request("POST", "/v1/data/.my", {"name": "gone"})
    assert site.request("GET", "/v1/data/.my/gone").status == 404
    site.request("DELETE", "/v1/data/.my/gone")
    assert site.request("GET", "/v1/data/.my/gone").status == 200
    cluster.set([])
    environment = site.environment()
    cluster.inject("GET /v1/algorithms/*", {"listing": "stale"}, times="always")
    settings = {"algorithm_environment": environment, "source_visibility": "closed", "license": "apl", "network_access": "full"}
    created = {"name": "Unseen", "details": {"label": "x"}, "settings": {**settings, "pipeline_enabled": True}}
    assert site.request("POST", "/v1/algorithms/local", created).status == 200
    assert site.request("GET", "/v1/algorithms/local/Unseen").status == 404
    assert site.request("GET", "/v1/algorithms/local/Unseen", key="sim0000000000000000000000000").status == 401
    cluster.set([])
    assert site.request("GET", "/v1/algorithms/local/Unseen").status == 200


def test_stale_builds_and_versions(cluster: FaultyCluster, site: Emulator) -> None:
    site.create("Late")
    cluster.inject("GET */builds", {"listing": "stale"})
    commit = site.push("Late", {**PLAIN, "src/Late.py": "def apply(input):\n    return input\n"})
    assert [commits(site, "Late") for _ in range(2)] == [[], [commit]]
    site.build_of("Late", commit)
    cluster.inject("GET */versions*", {"listing": "stale", "reads": 2})
    assert site.publish("Late").status == 200
    path = "/v1/algorithms/local/Late/versions"
    found = [[each["version_info"].get("semantic_version") for each in site.get(path)["results"]] for _ in range(3)]
    assert found == [[None], [None], ["0.1.0"]]


def test_a_stale_listing_affects_neither_writes_nor_contents(cluster: FaultyCluster, site: Emulator) -> None:
    """A write to previous records would change the current blobs, and overwritten contents no longer exist."""
    before = names(site)
    cluster.inject("* /v1/data/*", {"listing": "stale"}, times="always")
    for content in (b"first", b"second!"):
        assert site.request("PUT", f"{BOX}/twice", content).status == 200
        assert site.request("GET", f"{BOX}/twice").body == content
    assert site.request("HEAD", f"{BOX}/twice").headers["content-length"] == "5"
    assert names(site) == sorted([*before, "twice"])
    assert [site.request("DELETE", f"{BOX}/twice").status for _ in range(2)] == [200, 404]
    assert names(site) == sorted([*before, "twice"])
    cluster.set([])
    assert names(site) == before
    assert site.request("GET", FILE).body == CONTENT


def test_previous_records_are_deleted(cluster: FaultyCluster, site: Emulator) -> None:
    cluster.inject("GET *", {"listing": "stale"}, times="always")
    for number in range(3):
        site.request("PUT", f"{BOX}/past", str(number).encode())
        names(site)
    past = site.root / "past"
    assert [path.name for path in past.rglob("*") if path.is_file()] == ["cluster.sqlite"]
    cluster.set([])
    names(site)
    assert list(past.iterdir()) == []


def test_a_start_deletes_previous_records_of_a_killed_server(tmp_path: Path, environments: Path) -> None:
    left = tmp_path / "root" / "past" / "copy"
    left.mkdir(parents=True)
    with emulator(tmp_path / "root", environments):
        assert not left.exists()


def test_a_failing_build_whose_log_cannot_be_written(cluster: FaultyCluster, site: Emulator) -> None:
    site.create("Full")
    cluster.inject(PUSH, {"build": "fail", "log": "x"})
    (site.root / "builds").rename(site.root / "builds.away")
    commit = site.push("Full", PLAIN)
    assert site.build_of("Full", commit)["status"] == "failed"
    (site.root / "builds.away").rename(site.root / "builds")


def test_a_looping_listing(cluster: FaultyCluster, site: Emulator) -> None:
    whole = site.get(BOX)
    assert "marker" not in whole
    cluster.inject("GET *", {"listing": "loop"}, times="always")
    first = site.get(BOX)
    assert first == {**whole, "marker": first["marker"]}
    assert site.get(f"{BOX}?marker={first['marker']}") == first
    assert site.get(f"{BOX}?acl=true&marker={first['marker']}") == {**first, "acl": {"read": ["algo://.my/*"]}}
    # Other replies are unchanged.
    assert site.request("GET", FILE).body == CONTENT
    assert site.request("GET", f"{BOX}-none").status == 404


def pushed(site: Emulator, name: str) -> str:
    site.create(name)
    return site.push(name, {**PLAIN, f"src/{name}.py": "def apply(input):\n    return input\n"})


def builds(site: Emulator, name: str) -> list[Any]:
    found: list[Any] = site.get(f"/v1/algorithms/local/{name}/builds")["results"]
    return found


def test_a_failing_build_and_a_successful_one_after_it(cluster: FaultyCluster, site: Emulator) -> None:
    cluster.inject(PUSH, {"build": "fail", "log": "no \x1b[31mwheels\nfor you"})
    commit = pushed(site, "Failing")
    build = site.build_of("Failing", commit)
    assert (build["status"], site.logs("Failing", build)) == ("failed", "no \x1b[31mwheels\nfor you\nBuild failed\n")
    compiled = site.request("POST", "/v1/algorithms/local/Failing/compile").json
    assert (compiled["build"]["commit_sha"], compiled["build"]["status"]) == (commit, "succeeded")


def test_a_failing_compilation(cluster: FaultyCluster, site: Emulator) -> None:
    commit = pushed(site, "Compiled")
    site.build_of("Compiled", commit)
    cluster.inject("POST */compile", {"build": "fail", "log": "x"})
    assert site.request("POST", "/v1/algorithms/local/Compiled/compile").json["build"]["status"] == "failed"
    assert [each["status"] for each in builds(site, "Compiled")] == ["failed", "succeeded"]


def test_a_slow_build(cluster: FaultyCluster, site: Emulator) -> None:
    cluster.inject(PUSH, {"build": "slow", "seconds": 3})
    began = time.monotonic()
    commit = pushed(site, "Slow")
    assert builds(site, "Slow")[0]["status"] == "in-progress" or time.monotonic() - began >= 3
    assert site.build_of("Slow", commit)["status"] == "succeeded"
    assert time.monotonic() - began >= 3


def test_a_build_that_is_never_listed(cluster: FaultyCluster, site: Emulator) -> None:
    cluster.inject(PUSH, {"build": "never-listed"})
    commit = pushed(site, "Unlisted")
    assert builds(site, "Unlisted") == []
    assert site.request("GET", f"/v1/algorithms/local/Unlisted/versions/{commit}").status == 404
    assert site.fetch("Unlisted")[1].decode() == commit
    compiled = site.request("POST", "/v1/algorithms/local/Unlisted/compile").json
    assert (compiled["build"]["commit_sha"], compiled["build"]["status"]) == (commit, "succeeded")


def test_a_build_that_never_ends_does_not_block_others(cluster: FaultyCluster, site: Emulator) -> None:
    for name in ("Endless1", "Endless2", "Endless3"):
        cluster.inject(PUSH, {"build": "never-ends"})
        pushed(site, name)
    cluster.set([])
    assert site.build_of("Fine", pushed(site, "Fine"))["status"] == "succeeded"
    assert [builds(site, name)[0]["status"] for name in ("Endless1", "Endless2", "Endless3")] == ["in-progress"] * 3


def test_an_expired_key_is_refused_until_the_file_changes(cluster: FaultyCluster, site: Emulator) -> None:
    site.create("Guarded")
    other = site.key
    cluster.inject(f"PUT {BOX}/*", {"expire_key": True}, nth=2)
    assert [site.request("PUT", f"{BOX}/expire-{number}", b"x").status for number in (1, 2, 3)] == [200, 401, 401]
    git = {"Authorization": "Basic " + base64.b64encode(f"local:{other}".encode()).decode()}
    refs = "/git/local/Guarded.git/info/refs?service=git-upload-pack"
    refused = site.request("GET", refs, headers=git)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="algorithmia"')
    for form in ("{}", "Bearer {}", "Simple {}"):
        reply = site.request("GET", BOX, headers={"Authorization": form.format(other)})
        assert (reply.status, reply.json["error"]["code"]) == (401, 2002)
    assert site.request("GET", "/health", headers={"Authorization": ""}).status == 200
    cluster.set([])
    assert site.request("GET", refs, headers=git).status == 200
    assert [site.request("GET", f"{BOX}/expire-{number}").status for number in (1, 2, 3)] == [200, 404, 404]


@pytest.mark.parametrize("options", [(), ("--tls",)], ids=["tcp", "tls"])
def test_a_server_stops_during_any_fault(tmp_path: Path, environments: Path, options: tuple[str, ...]) -> None:
    """Within its grace period. Otherwise it would write to stderr, which `faulty_cluster` asserts to be empty."""
    waiting = [{"stall": 10}, {"delay": 600}, {"endless": True}, {"drip": 0.1}, {"drip_header": 0.1}]
    with faulty_cluster(tmp_path / "root", environments, *options) as cluster, contextlib.ExitStack() as stack:
        pushed(cluster.site, "Waiting")
        entries = [{"match": f"GET {FILE}?{index}", "then": then} for index, then in enumerate(waiting)]
        cluster.set([*entries, {"match": "POST */compile", "then": {"build": "never-ends"}}])
        for index in range(len(waiting)):
            connection = stack.enter_context(contextlib.closing(cluster.connect()))
            cluster.send(connection, "GET", f"{FILE}?{index}")
        compiling = stack.enter_context(contextlib.closing(cluster.connect()))
        cluster.send(compiling, "POST", "/v1/algorithms/local/Waiting/compile")
        # All requests but the delayed one and the compilation are logged when their fault begins.
        until(lambda: sum("fault" in line for line in cluster.site.log()) == len(waiting) - 1)
        until(lambda: len(builds(cluster.site, "Waiting")) == 2)
        assert cluster.site.stop(signal.SIGTERM) == 0


def test_a_restart_performs_builds_that_faults_held_back(tmp_path: Path, environments: Path) -> None:
    with faulty_cluster(tmp_path / "root", environments) as cluster:
        cluster.set(
            [
                {"match": "POST */Ends.git/git-receive-pack", "then": {"build": "never-ends"}},
                {"match": "POST */Listed.git/git-receive-pack", "then": {"build": "never-listed"}},
            ]
        )
        commit = {name: pushed(cluster.site, name) for name in ("Ends", "Listed")}
        assert [len(builds(cluster.site, name)) for name in commit] == [1, 0]
    with emulator(tmp_path / "root", environments) as site:
        assert [site.build_of(name, commit[name])["status"] for name in commit] == ["succeeded", "succeeded"]
