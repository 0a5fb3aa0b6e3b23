"""Both variants of each behaviour in which real clusters differ: by default, and with its option."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import SETTINGS, Emulator, emulator

from algosync.emulator.server.last_start import LastStart, last_start

NO_KEY = "authorization required"
OPTIONS = (
    *("--unbuilt-status", "200", "--duplicate-status", "409", "--largest-file", "5"),
    *("--etag", "--strict-names", "--strict-versions", "--my-algorithms", "--any-case", "--plain-templates"),
)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Emulator]:
    """A cluster with the other variants."""
    with emulator(tmp_path_factory.mktemp("variants") / "root", environments, *OPTIONS) as running:
        yield running


def test_status_of_a_hash_that_is_not_built(site: Emulator, other: Emulator) -> None:
    seen = []
    for cluster in (site, other):
        cluster.create("Unbuilt")
        reply = cluster.request("POST", f"/v1/algo/local/Unbuilt/{'0' * 40}", {})
        assert "version hash" in reply.json["error"]["message"]
        seen.append(reply.status)
    assert seen == [404, 200]


def test_errors_of_calls_with_status_200(tmp_path: Path, environments: Path, site: Emulator) -> None:
    """Except for raw results and for requests that are not calls. The log has the original status."""
    seen = []
    with emulator(tmp_path / "root", environments, "--call-errors-as-200") as old:
        for cluster in (site, old):
            failing = cluster.deploy("Fails", "def apply(input):\n    raise ValueError(input)\n")
            asked = [("None", {}, ""), ("None", {"Authorization": ""}, ""), ("None", {}, "?output=raw")]
            asked += [("None", {"Content-Type": "image/png"}, ""), (failing.partition("/")[2], {}, "?output=raw")]
            calls = [cluster.request("POST", f"/v1/algo/local/{name}{query}", {}, headers) for name, headers, query in asked]
            assert [call.json["error"]["message"] for call in calls[:2]] == ["algorithm algo://local/None not found", NO_KEY]
            seen.append([call.status for call in calls] + [cluster.request("GET", "/v1/data/.my/none").status])
        assert [line["status"] for line in old.log() if line["path"] == "/v1/algo/local/None"] == [404, 401, 415]
    assert seen == [[404, 401, 404, 415, 400, 404], [200, 200, 404, 200, 400, 404]]


def test_status_of_a_duplicate_collection(site: Emulator, other: Emulator) -> None:
    statuses = [[cluster.request("POST", "/v1/data/.my", {"name": "twice"}).status for _ in "12"] for cluster in (site, other)]
    assert statuses == [[200, 400], [200, 409]]


@pytest.mark.parametrize("name", ["a" * 31, "1a", "a-b", "ä"])
def test_names_of_collections(site: Emulator, other: Emulator, name: str) -> None:
    assert [cluster.request("POST", "/v1/data/.my", {"name": name}).status for cluster in (site, other)] == [200, 400]
    assert other.request("POST", "/v1/data/.my", {"name": f"b{ord(name[0])}" + "_" * (len(name) - 4)}).status == 200


def test_checksum_and_maximum_size_of_a_file(site: Emulator, other: Emulator) -> None:
    seen = []
    for cluster in (site, other):
        assert cluster.request("POST", "/v1/data/.my", {"name": "capped"}).status == 200
        small = cluster.request("PUT", "/v1/data/.my/capped/small", b"12345").status
        tag = cluster.request("HEAD", "/v1/data/.my/capped/small").headers.get("etag")
        large = cluster.request("PUT", "/v1/data/.my/capped/large", b"123456").status
        seen.append((small, tag, large, len(cluster.get("/v1/data/.my/capped")["files"])))
    assert seen == [(200, None, 200, 2), (200, hashlib.md5(b"12345").hexdigest(), 413, 1)]


def test_callability_in_a_minor_version(site: Emulator, other: Emulator) -> None:
    seen = []
    for cluster in (site, other):
        cluster.deploy("Changing", "def apply(input):\n    return input\n")
        assert cluster.publish("Changing").status == 200
        cluster.build_of("Changing", cluster.push("Changing", {"new": "1"}))
        public = {"algorithm_callability": "public"}
        minor = cluster.publish("Changing", settings=public, version_info={"version_type": "minor"}).status
        seen.append((minor, cluster.publish("Changing", settings=public, version_info={"version_type": "major"}).status))
    assert seen == [(200, 400), (400, 200)]


def test_the_callers_own_algorithms(site: Emulator, other: Emulator) -> None:
    seen = []
    for cluster in (site, other):
        commit = cluster.deploy("Mine", "def apply(input):\n    return input\n").rpartition("/")[2]
        reply = cluster.request("POST", f"/v1/algo/.my/Mine/{commit}", {"a": 1})
        seen.append((reply.status, reply.json.get("result")))
    assert seen == [(404, None), (200, {"a": 1})]


def test_the_case_of_names_in_calls(site: Emulator, other: Emulator) -> None:
    """An exact match is preferred."""
    seen = []
    for cluster in (site, other):
        for name in ("Cased", "CASED"):
            cluster.deploy(name, f"def apply(input):\n    return {name!r}\n")
            cluster.publish(name, settings={"algorithm_callability": "public"}, version_info={"version_type": "minor"})
        seen.append([cluster.call(path, 1).get("result") for path in ("local/Cased", "local/CASED", "LOCAL/cased")])
    assert seen == [["Cased", "CASED", None], ["Cased", "CASED", "CASED"]]


def test_templates_without_the_adk(site: Emulator, other: Emulator) -> None:
    for cluster, has_adk in ((site, True), (other, False)):
        cluster.create("Templated")
        files = cluster.files("Templated")
        assert (".adk" in files, b"ADK(" in files["src/Templated.py"]) == (has_adk, has_adk)
        specification = cluster.get("/v1/algorithm-environments/edge/languages/python3/environments")["environments"][1]
        assert specification["display_name"] == "Python 3.7"
        path = (
            f"/v1/algorithm-environments/edge/environment-specifications/{specification['environment_specification_id']}/template"
        )
        with tarfile.open(fileobj=io.BytesIO(cluster.request("GET", path).body)) as archive:
            assert (".adk" in archive.getnames()) == has_adk


def test_the_legacy_language_has_the_legacy_template(site: Emulator) -> None:
    for name, selected in (("Legacy", {"language": "python3-1"}), ("Both", {"algorithm_environment": site.environment()})):
        body = {"name": name, "details": {"label": name}, "settings": {**SETTINGS, "language": "python3-1", **selected}}
        assert site.request("POST", "/v1/algorithms/local", body).status == 200
        assert (".adk" in site.files(name)) == (name == "Both")


def test_options_keep_their_values_of_the_last_start(tmp_path: Path, environments: Path) -> None:
    """A given option also holds for later starts."""
    seen = []
    for options in (("--duplicate-status", "409", "--largest-file", "5"), ("--etag",), ("--largest-file", "none", "--no-etag")):
        with emulator(tmp_path / "root", environments, *options) as cluster:
            told = json.loads((tmp_path / "root" / "cluster.json").read_text())["stances"]
            cluster.request("POST", "/v1/data/.my", {"name": "things"})
            duplicate = cluster.request("POST", "/v1/data/.my", {"name": "things"}).status
            large = cluster.request("PUT", "/v1/data/.my/things/large", b"123456").status
            seen.append((duplicate, large, told["largest_file"], told["etag"]))
    assert seen == [(409, 413, 5, False), (409, 413, 5, True), (409, 200, None, False)]


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"stances": 1}', '{"stances": {"duplicate_status": 500, "etag": 1}}'])
def test_a_damaged_file_of_the_last_start(tmp_path: Path, damage: str) -> None:
    (tmp_path / "cluster.json").write_text(damage, errors="surrogateescape")
    assert last_start(tmp_path) == LastStart()


@pytest.mark.parametrize("option", [("--unbuilt-status", "500"), ("--duplicate-status", "200"), ("--largest-file", "-1")])
def test_invalid_values_of_options(tmp_path: Path, option: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "algosync.emulator", str(tmp_path / "root"), *option]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr.count(f"argument {option[0]}: invalid")) == (2, 1)
