"""The file of faults: valid and invalid content, matching of requests, changes while the cluster runs."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from faulty_cluster import FILE, FaultyCluster, faulty_cluster

from algosync.emulator.faults.kinds import KINDS
from algosync.emulator.faults.rules import MAX_SIZE, Rule, parse
from algosync.emulator.faults.setting_checks import FaultError

VALID: list[Mapping[str, object]] = [
    {"status": 200},
    {"status": 599, "retry_after": "-1", "body": "x", "headers": {"Set-Cookie": "a=b"}, "after": True},
    {"status": 429, "retry_after": ""},
    {"delay": 0},
    {"delay": 1.5},
    {"drip": 0.5},
    {"drip_header": 10},
    {"stall": 0},
    {"truncate": 2**40},
    {"length": "missing"},
    {"length": -1},
    {"length": 1},
    {"gzip": "whole"},
    {"gzip": "truncated"},
    {"gzip": "stored"},
    {"interim": 103},
    {"version": "1.0"},
    {"corrupt": 0},
    {"chunked_cut": 1},
    *({kind: moment} for kind in ("reset", "close") for moment in ("before", "request", "headers", "body", "after")),
    {"body": ""},
    {"body": "\u001b[1mé", "type": "text/plain; charset=utf-8"},
    {"empty": True},
    {"shape": None},
    {"endless": True},
    {"headers": 1_000_000},
    {"redirect": "https://elsewhere.example/", "status": 308},
    {"listing": "stale"},
    {"listing": "stale", "reads": 3},
    {"listing": "loop"},
    {"build": "slow", "seconds": 0.5},
    {"build": "fail", "log": "no\nreason"},
    {"build": "never-listed"},
    {"build": "never-ends"},
    {"expire_key": True},
]

WRONG: list[tuple[object, str]] = [
    ({}, "then does not name a kind of fault"),
    ([], "then is not an object"),
    ("reset", "then is not an object"),
    ({"statsu": 500}, "then does not name a kind of fault"),
    ({"status": "500"}, "status is not an integer from 200 to 599"),
    ({"status": True}, "status is not an integer from 200 to 599"),
    ({"status": 100}, "status is not an integer from 200 to 599"),
    ({"status": 500.0}, "status is not an integer from 200 to 599"),
    ({"status": 204, "body": "x"}, "an answer with status 204 cannot have a body"),
    ({"status": 500, "after": False}, "after is not true"),
    ({"status": 500, "retry_after": 3}, "retry_after is not a valid header value"),
    ({"status": 500, "retry_after": "3\r\nX: y"}, "retry_after is not a valid header value"),
    ({"status": 500, "retry_after": " 3"}, "retry_after is not a valid header value"),
    ({"status": 500, "headers": 3}, "headers is not an object"),
    ({"status": 500, "headers": {"a b": "c"}}, "headers: 'a b' is not a valid header name"),
    ({"status": 500, "headers": {"a": "€"}}, "headers: a is not a valid header value"),
    ({"status": 500, "headers": {"Content-Length": "3"}}, "headers: Content-Length cannot be set by a fault"),
    ({"status": 500, "body": 3}, "body is not a string"),
    ({"status": 500, "body": "\ud800"}, "body has an unpaired surrogate"),
    ({"status": 500, "seconds": 3}, "then combines settings of different kinds of faults: status, seconds"),
    ({"status": 500, "delay": 3}, "then combines settings of different kinds of faults: status, delay"),
    ({"truncate": 3, "stall": 3}, "then combines settings of different kinds of faults: truncate, stall"),
    ({"redirect": "https://x/", "status": 200}, "status is not an integer from 300 to 399"),
    ({"redirect": "https://x/", "status": 304}, "status is not one of 301, 302, 303, 307, 308"),
    ({"redirect": "a\nb"}, "redirect is not a valid header value"),
    ({"delay": -1}, "delay is not a number from 0 to 86400"),
    ({"delay": "1"}, "delay is not a number from 0 to 86400"),
    ({"drip": 0}, "drip is not a number from 0.01 to 1e+09"),
    ({"drip_header": True}, "drip_header is not a number from 0.01 to 1e+09"),
    ({"stall": -1}, f"stall is not an integer from 0 to {2**62}"),
    ({"truncate": 1.5}, f"truncate is not an integer from 0 to {2**62}"),
    ({"length": 0}, 'length is neither "missing" nor a difference in bytes'),
    ({"length": "+3"}, 'length is neither "missing" nor a difference in bytes'),
    ({"gzip": True}, "gzip is not one of whole, truncated"),
    ({"corrupt": None}, f"corrupt is not an integer from 0 to {2**62}"),
    ({"reset": "now"}, "reset is not one of before, request, headers, body, after"),
    ({"close": 1}, "close is not one of before, request, headers, body, after"),
    ({"body": "x", "type": "\n"}, "type is not a valid header value"),
    ({"empty": False}, "empty is not true"),
    ({"endless": 1}, "endless is not true"),
    ({"headers": 0}, "headers is not an integer from 1 to 1000000"),
    ({"headers": {"a": "b"}}, "headers is not an integer from 1 to 1000000"),
    ({"listing": "old"}, "listing is not one of stale, loop"),
    ({"listing": "loop", "reads": 3}, "only a stale listing can have reads"),
    ({"listing": "stale", "reads": 0}, "reads is not an integer from 1 to 1000000"),
    ({"build": "slow"}, "a slow build needs seconds, and other builds cannot have them"),
    ({"build": "never-ends", "seconds": 1}, "a slow build needs seconds, and other builds cannot have them"),
    ({"build": "fail"}, "a failing build needs a log, and other builds cannot have one"),
    ({"build": "slow", "seconds": 1, "log": "x"}, "a failing build needs a log, and other builds cannot have one"),
    ({"build": "broken"}, "build is not one of slow, fail, never-listed, never-ends"),
    ({"expire_key": "k"}, "expire_key is not true"),
]

ENTRIES: list[tuple[object, str]] = [
    (3, "it is not an object"),
    ({"then": {"empty": True}}, "missing: match"),
    ({"match": "GET /"}, "missing: then"),
    ({"match": "GET /", "then": {"empty": True}, "time": 3}, "unknown: time"),
    ({"match": "GET /", "then": {"empty": True}, "nth": 0}, f"nth is not an integer from 1 to {2**62}"),
    ({"match": "GET /", "then": {"empty": True}, "times": "ever"}, f"times is not an integer from 1 to {2**62}"),
    (
        {"match": "GET /", "then": {"listing": "stale", "reads": 2}, "times": 3},
        "times cannot be combined with reads, which has the same meaning",
    ),
    *(
        ({"match": f"{method} *", "then": {"listing": "stale"}}, "a stale listing can match GET and HEAD only")
        for method in ("PUT", "POST", "DELETE", "PATCH", "OPTIONS")
    ),
    *(
        ({"match": match, "then": {"empty": True}}, "match is not METHOD /path or METHOD /path?query, escaped as in a URL")
        for match in (None, "", "GET", "/v1", "get /v1", "GET v1", "GET  /v1", "GET /a b", "GET /é", "GET /a#\n")
    ),
]


def rules(*entries: object) -> list[Rule]:
    return parse(json.dumps(list(entries)).encode())


def test_valid_settings_of_faults() -> None:
    found = [rules({"match": "GET /", "then": then})[0] for then in VALID]
    assert [rule.kind for rule in found] == [next(iter(then)) for then in VALID]
    assert {rule.kind for rule in found} == set(KINDS)
    assert all(type(rule.fault) is KINDS[rule.kind] for rule in found)


@pytest.mark.parametrize(("then", "reason"), WRONG, ids=lambda value: str(value)[:40])
def test_invalid_settings_of_faults(then: object, reason: str) -> None:
    with pytest.raises(FaultError) as caught:
        rules({"match": "GET /", "then": {"empty": True}}, {"match": "GET /", "then": then})
    assert str(caught.value).startswith(f"entry 2: {reason}")


@pytest.mark.parametrize(("entry", "reason"), ENTRIES, ids=lambda value: str(value)[:40])
def test_invalid_entries(entry: object, reason: str) -> None:
    with pytest.raises(FaultError) as caught:
        rules(entry)
    assert str(caught.value) == f"entry 1: {reason}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is not JSON"),
        (b"[", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'[{"match": "GET /", "match": "GET /x"}]', "an object has the same key twice"),
        (b'[{"match": "GET /", "then": {"shape": NaN}}]', "NaN is not JSON"),
        (b'[{"match": "GET /", "then": {"delay": 1e999}}]', "entry 1: delay is not a number"),
        (b'"faults"', "it is neither a list of entries nor"),
        (b'{"faults": [], "more": 1}', "it is neither a list of entries nor"),
        (b'{"faults": {}}', "it is neither a list of entries nor"),
        (b" " * (MAX_SIZE + 1), f"it is larger than {MAX_SIZE} bytes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_invalid_files(data: bytes, reason: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse(data)
    assert str(caught.value).startswith(reason)


def test_both_formats_of_the_file() -> None:
    assert parse(b"[]") == parse(b'{"faults": []}') == []


@pytest.mark.parametrize(
    ("match", "method", "path", "query", "yes"),
    [
        ("GET /v1/data", "GET", "/v1/data", "", True),
        ("GET /v1/data", "GET", "/v1/data", "marker=1", True),
        ("GET /v1/data", "GET", "/v1/data/", "", False),
        ("GET /v1/data", "PUT", "/v1/data", "", False),
        ("* /v1/data", "PUT", "/v1/data", "", True),
        ("GET *", "GET", "/", "", True),
        ("GET *", "GET", "/a/b", "c", True),
        ("GET /v1/*/file", "GET", "/v1/a/b/file", "", True),
        ("GET /v1/**", "GET", "/v1/a", "", True),
        ("GET */c", "GET", "/a/b/c", "", True),
        ("GET */c", "GET", "/a/b/cd", "", False),
        ("GET /a.b", "GET", "/axb", "", False),
        ("GET /a%20b", "GET", "/a%20b", "", True),
        ("GET /a%20b", "GET", "/a+b", "", False),
        ("GET /[ab]", "GET", "/a", "", False),
        ("GET /v1?marker=*", "GET", "/v1", "marker=abc", True),
        ("GET /v1?marker=*", "GET", "/v1", "", False),
        ("GET /v1?", "GET", "/v1", "", True),
        ("GET /v1?", "GET", "/v1", "a", False),
        ("GET *?*service=git-receive-pack*", "GET", "/git/u/a.git/info/refs", "service=git-receive-pack", True),
    ],
)
def test_matching(match: str, method: str, path: str, query: str, yes: bool) -> None:
    (rule,) = rules({"match": match, "then": {"empty": True}})
    assert rule.matches({"method": method, "raw_path": path.encode(), "query_string": query.encode()}) is yes


@pytest.mark.parametrize(
    ("more", "injected"),
    [
        ({}, [True, False, False, False, False]),
        ({"nth": 2}, [False, True, False, False, False]),
        ({"nth": 2, "times": 3}, [False, True, True, True, False]),
        ({"nth": 4, "times": "always"}, [False, False, False, True, True]),
    ],
)
def test_counting(more: dict[str, object], injected: list[bool]) -> None:
    (rule,) = rules({"match": "GET /", "then": {"empty": True}, **more})
    assert [rule.due() for _ in range(5)] == injected


def test_a_server_does_not_start_with_an_invalid_file(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    command = [sys.executable, "-m", "algosync.emulator", str(tmp_path / "root"), "--faults", str(faults)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, f"Error: Cannot use the faults of {faults}: No such file or directory\n")
    faults.write_text('[{"match": "GET /", "then": {"reset": "now"}}]')
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    reason = "entry 1: reset is not one of before, request, headers, body, after"
    assert (done.returncode, done.stderr) == (1, f"Error: Cannot use the faults of {faults}: {reason}\n")
    assert not (tmp_path / "root").exists()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[FaultyCluster]:
    with faulty_cluster(tmp_path_factory.mktemp("faulty") / "root", environments) as running:
        yield running


def test_a_changed_file_restarts_the_counts(cluster: FaultyCluster) -> None:
    entry = {"match": f"GET {FILE}", "nth": 2, "then": {"status": 500}}
    for entries in ([entry], [entry], [entry, {"match": "GET /x", "then": {"empty": True}}]):
        cluster.set(entries)
        assert [cluster.ask().start[9:12] for _ in range(3)] == ["200", "500", "200"]


def test_the_first_due_entry_applies_and_all_matching_ones_count(cluster: FaultyCluster) -> None:
    cluster.set(
        [
            {"match": "GET /v1/*", "nth": 2, "then": {"status": 500}},
            {"match": f"GET {FILE}", "times": 2, "then": {"status": 501}},
            {"match": "PUT *", "then": {"status": 502}},
            {"match": f"* {FILE}", "nth": 3, "then": {"status": 503}},
        ]
    )
    assert [cluster.ask().start[9:12] for _ in range(4)] == ["501", "500", "503", "200"]


def test_every_request_fails_while_the_file_is_invalid(cluster: FaultyCluster) -> None:
    """A fault that is silently omitted would make a test that cannot fail. Only the server's log has the reason, once each."""
    cluster.faults.write_text("[{}]")
    message = "The faults cannot be used: `algosync emulator logs` tells why"
    for path in (FILE, "/v1/data/"):
        reply = cluster.site.request("GET", path, key="simNobody")
        assert (reply.status, reply.json["error"]["message"]) == (500, message)
        line = cluster.site.log()[-1]
        told = {"status": 500, "bytes": len(reply.body), "error": message, "id": reply.json["error"]["id"]}
        assert {name: line[name] for name in told} == told
    assert cluster.site.request("HEAD", FILE).headers["x-error-message"] == message
    assert cluster.site.log()[-1]["bytes"] == 0
    cluster.faults.unlink()
    assert cluster.site.request("GET", FILE).json["error"]["message"] == message
    cluster.set([])
    assert cluster.site.request("GET", FILE).status == 200
    cluster.faults.unlink()
    assert cluster.site.request("GET", FILE).status == 500
    cluster.set([])
    reasons = [f"{cluster.faults}: {why}" for why in ("entry 1: missing: match, then", *["No such file or directory"] * 2)]
    assert cluster.site.process.stdout
    told_once = [cluster.site.process.stdout.readline() for _ in reasons]
    assert told_once == [f"The faults cannot be used: {reason}\n" for reason in reasons]


@pytest.mark.parametrize("path", ["/page/", "/page", "/health"])
def test_pages_and_health_checks_are_exempt_from_faults(cluster: FaultyCluster, path: str) -> None:
    """They also work while the file is invalid."""
    cluster.set([])
    before = cluster.ask(path=path).start
    cluster.inject("GET *", {"status": 418})
    assert [cluster.ask(path=path).start, cluster.ask().start] == [before, "HTTP/1.1 418 I'm a Teapot"]
    cluster.faults.write_text("[{}]")
    assert cluster.ask(path=path).start == before
    cluster.set([])


def test_requests_without_a_fault_are_logged_without_one(cluster: FaultyCluster) -> None:
    cluster.inject("GET /v1/*", {"empty": True}, nth=2)
    assert [cluster.ask().body != b"" for _ in range(3)] == [True, False, True]
    assert [line.get("fault", "none") for line in cluster.site.log() if line["path"] == FILE][-3:] == ["none", "empty", "none"]
