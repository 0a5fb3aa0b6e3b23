"""The pages: access, contents, size, and that they change nothing."""

import contextlib
import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Emulator, emulator, until
from faulty_cluster import FILE, faulty_cluster
from page_seeds import HOSTILE, SPOOF, SPOOF_SHOWN, basic, fetched, page, page_api, rehearse, rendered_page

from algosync.emulator.pages.listings import LISTED, RECENT
from algosync.emulator.pages.requests import READ, recent
from algosync.emulator.pages.routes import HEADERS
from algosync.emulator.records.accounts import key_id
from algosync.emulator.records.database import Database
from algosync.emulator.records.rights import READING, Rights

PEEKING = """
import os, urllib.error, urllib.request

def apply(path):
    headers = {"Authorization": "Simple " + os.environ["ALGORITHMIA_API_KEY"]}
    try:
        return urllib.request.urlopen(urllib.request.Request(os.environ["ALGORITHMIA_API"] + path, headers=headers)).status
    except urllib.error.HTTPError as error:
        return error.code
"""


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("pages") / "root", environments) as running:
        rehearse(running)
        yield running


def test_a_browser_asks_for_the_key(rehearsed: Emulator) -> None:
    asked = rehearsed.request("GET", "/page/", headers={"Authorization": ""})
    realm = 'Basic realm="Local cluster: any user name, an API key as the password"'
    assert (asked.status, asked.headers["www-authenticate"]) == (401, realm)
    for path, headers, status in [
        ("/page/", basic(rehearsed.key), 200),
        ("/page/", basic(rehearsed.key, user=""), 200),
        ("/page/", {"Authorization": f"Bearer {rehearsed.key}"}, 200),
        ("/page/", basic("sim0000000000000000000000000"), 401),
        ("/page/", basic(rehearsed.key, user="a:b"), 401),
        ("/page/", {"Authorization": "Basic *"}, 401),
        (f"/page/?key={rehearsed.key}", {"Authorization": ""}, 400),
        ("/page/", {"Authorization": "", "Cookie": f"session={rehearsed.key}"}, 401),
        # The credentials that a browser sends for the pages are valid for nothing else.
        ("/v1/data/", basic(rehearsed.key), 401),
        ("/git/local/Broken.git/info/refs?service=git-upload-pack", basic(rehearsed.key), 401),
    ]:
        assert (path, headers, rehearsed.request("GET", path, headers=headers).status) == (path, headers, status)


def test_other_pages_cannot_embed_the_pages(rehearsed: Emulator) -> None:
    for path in ("/page/", "/page/nothing-here", "/page/algorithms/local/None"):
        stranger = {"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}
        for headers in stranger:
            assert rehearsed.request("GET", path, headers={**basic(rehearsed.key), **headers}).status == 403
    told = fetched(rehearsed, "/page/").headers
    assert {name: told[name.lower()] for name in HEADERS} == HEADERS
    assert "set-cookie" not in told
    directives = dict(part.split(" ", 1) for part in told["content-security-policy"].split("; "))
    assert directives.pop("style-src").startswith("'sha256-")
    assert directives == dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
    assert rehearsed.request("POST", "/page/", {}).status == 405


def test_algorithms_and_administration_keys_are_refused(site: Emulator) -> None:
    refused = fetched(site, "/page/", site.admin_key)
    # The browser then asks for another key.
    assert (refused.status, refused.headers["www-authenticate"][:5]) == (401, "Basic")
    assert refused.json["error"]["message"] == "This key is for administration only: the pages need another one"
    peeking = site.deploy("Peeking", PEEKING)
    assert [site.call(peeking, path)["result"] for path in ("/page/", "/v1/data/")] == [403, 200]


def test_the_page_of_all_algorithms(rehearsed: Emulator) -> None:
    overview = page(rehearsed, "/page/")
    assert overview.links[4:6] == ["/page/algorithms/local/Broken", overview.links[5]]
    words = " ".join(overview.text.split())
    newest, good = rehearsed.get("/v1/algorithms/local/Broken/builds")["results"]
    assert f"local/Broken Python 3.7 · nothing published failed build of {newest['commit_sha'][:10]} " in words
    detail = page(rehearsed, "/page/algorithms/local/Broken")
    assert [link for link in detail.links if "/builds/" in link] == [
        f"/page/algorithms/local/Broken/builds/{each['build_id']}" for each in (newest, good)
    ]
    assert "pipeline enabled on" in " ".join(detail.text.split())
    assert rehearsed.request("POST", "/v1/algorithms/local/Broken/versions", {}).status == 200
    assert "published 0.1.0, private" in page(rehearsed, "/page/").text
    assert f"0.1.0 private {good['commit_sha']}" in page(rehearsed, "/page/algorithms/local/Broken").text


def test_the_page_of_a_build(rehearsed: Emulator) -> None:
    build = rehearsed.get("/v1/algorithms/local/Broken/builds")["results"][0]
    log = rehearsed.logs("Broken", build)
    assert HOSTILE in log
    path = f"/page/algorithms/local/Broken/builds/{build['build_id']}"
    assert log in page(rehearsed, path).text
    file = rehearsed.root / "builds" / build["build_id"] / "build.log"
    file.write_bytes(b"first line\n" + b"x" * 2**20 + b"\xff\nlast line\n")
    long = page(rehearsed, path)
    assert long.text.rstrip().endswith("x\ufffd\nlast line")
    assert "first line" not in long.text
    assert len(long.html) < 300_000
    file.unlink()
    file.parent.rename(file.parent.with_name("gone"))
    assert "The log is empty." in page(rehearsed, path).text


def test_the_page_of_failed_calls(rehearsed: Emulator) -> None:
    for path in ("/page/calls", "/page/algorithms/local/Broken"):
        words = page(rehearsed, path).text
        assert HOSTILE + SPOOF_SHOWN in words
        assert f"Input: {HOSTILE}"[:100] in words
        assert "AlgorithmError" in words
        assert "Stack trace" in words
    words = " ".join(page(rehearsed, "/page/calls").text.split())
    failed = words[words.index("Requests that failed") : words.index("Last calls of algorithms")]
    assert "404 GET /v1/data/.my/models/none?<script>alert(5)" in failed
    assert " s path not found" in failed, "the error is shown"
    overview = page(rehearsed, "/page/")
    count = len(rehearsed.get("/v1/algorithms/local/Broken/errors"))
    assert f"{count} failed call" in overview.text
    assert "/page/algorithms/local/Broken#failed" in overview.links
    called = words[words.index("Last calls of algorithms") : words.index("Last requests")]
    line = next(each for each in rehearsed.log() if each["path"].startswith("/v1/algo/"))
    assert (
        f"POST {line['path']} {line['time'][:19].replace('T', ' ')} UTC · local · {size(line['bytes'])} · {line['seconds']} s"
        in called
    )
    assert "/page/" not in words


def size(count: int) -> str:
    return f"{count} B" if count < 1024 else f"{count / 1024:.1f} KiB"


def test_the_pages_of_data_show_no_contents(rehearsed: Emulator) -> None:
    words = " ".join(page(rehearsed, "/page/data").text.split())
    assert "local/models 3 files · 21 B · last written " in words
    link = next(link for link in page(rehearsed, "/page/data").links if link.startswith("/page/data/"))
    listing = page(rehearsed, link)
    assert "<img src=x onerror=alert(4)> 7\u00a0B · " in listing.text
    assert "1234567" not in listing.html


def test_the_default_collection(site: Emulator) -> None:
    """The page of an algorithm shows its default collection while that exists. Only a collection of its owner can be set."""
    site.deploy("Bound", "def apply(input):\n    return input\n")
    bound = f"/v1/algorithms/{site.get('/v1/algorithms/local/Bound')['id']}/collections"
    assert site.request("POST", "/v1/data/.my", {"name": "weights"}).status == 200
    [known] = [each["id"] for each in site.get("/v1/hostedData")["result"] if each["collection_name"] == "weights"]
    assert "default collection" not in page(site, "/page/algorithms/local/Bound").text
    assert site.request("POST", f"{bound}/{known}", {}).json["result"]["location"] == "data://local/weights"
    shown = page(site, "/page/algorithms/local/Bound")
    assert ("local/weights" in shown.text, f"/page/data/{known}" in shown.links) == (True, True)
    stranger = site.key_of("stranger")
    nowhere = "00000000-0000-4000-8000-000000000000"
    missing = f"/v1/algorithms/{nowhere}/collections/{known}"
    asked = [(f"{bound}/{nowhere}", None), (missing, None), (f"{bound}/{known}", stranger)]
    assert [site.request("POST", path, {}, key=key).status for path, key in asked] == [404, 404, 403]
    assert site.request("DELETE", "/v1/data/.my/weights").status == 200
    assert "default collection" not in page(site, "/page/algorithms/local/Bound").text


def test_users_see_their_own_objects(rehearsed: Emulator) -> None:
    key = rehearsed.key_of("stranger")
    collection = next(link for link in page(rehearsed, "/page/data").links if link.startswith("/page/data/"))
    for path in ("/page/algorithms/local/Broken", collection):
        refused = fetched(rehearsed, path, key)
        assert (refused.status, refused.headers["content-type"]) == (403, "text/html; charset=utf-8")
    own = {path: page(rehearsed, f"/page/{path}", key).text for path in ("", "calls", "data", "accounts")}
    assert ["Broken" in own[""], "models" in own["data"], "You are stranger." in own["accounts"]] == [False, False, True]
    assert ["Broken" in own["calls"], set(re.findall(r"/v1/\S+", own["calls"])) - {"/v1/data/"}] == [False, set()]
    rehearsed.join("stranger", "research")
    assert "research stranger" in " ".join(page(rehearsed, "/page/accounts").text.split())
    for path in ("algorithms/local/None", "algorithms/local/Broken/builds/none", "data/none", "anything", "calls/of/nobody"):
        missing = fetched(rehearsed, f"/page/{path}")
        assert (missing.status, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_the_page_of_keys(site: Emulator) -> None:
    site.key_of("keyed", Rights(call=False), expires_in=-1)
    site.key_of("keyed", READING, expires_in=3600)
    words = " ".join(page(site, "/page/accounts", site.key_of("keyed")).text.split())
    keys = words[words.index("Your keys") : words.index("Users")]
    lines = [
        r"Your keys May read, write, manage [0-9a-f]{12} · expired \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        r"May read [0-9a-f]{12} · until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        r"May read, write, call, manage [0-9a-f]{12} · does not expire ",
    ]
    assert re.fullmatch(" ".join(lines), keys)
    words = " ".join(page(site, "/page/accounts").text.split())
    assert re.findall("May ([a-z, ]+?) [0-9a-f]{12} · main key · does not expire", words) == [
        *["read, write, call, manage", "administer"],
    ]
    site.key_of("cloning", Rights(write=False))
    assert "May read, call, clone " in " ".join(page(site, "/page/accounts", site.key_of("cloning")).text.split())


class Counting(Database):
    """Counts its queries."""

    queries = 0

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        self.queries += 1
        return super().rows(sql, *values)


def test_the_number_of_queries_does_not_depend_on_the_number_of_objects(tmp_path: Path) -> None:
    for count in (2, 200):
        with contextlib.closing(Counting(tmp_path / str(count))) as database:
            pages = page_api(database, count, tmp_path)
            for path, most in [("", 1), ("calls", 1), ("data", 1), ("accounts", 3), ("algorithms/local/A0001", 4), ("data/0", 2)]:
                database.queries = 0
                assert len(rendered_page(pages, f"/page/{path}").text) > 100
                assert (path, database.queries) == (path, most)


def test_long_lists_are_cut(tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path / "database")) as database:
        pages = page_api(database, LISTED + 1, tmp_path)
        for path, last, beyond in [("", "A0499", "A0500"), ("data", "c0499", "c0500"), ("calls", "broke 451", "broke 450")]:
            text = rendered_page(pages, f"/page/{path}").text
            most = RECENT if path == "calls" else LISTED
            assert (path, f"There are more than these {most}." in text, last in text, beyond in text) == (path, True, True, False)
        first = rendered_page(pages, "/page/data/0")
        assert (first.text.count("10\u00a0B"), first.links[-1]) == (LISTED, "/page/data/0?after=g0498")
        following = rendered_page(pages, first.links[-1])
        assert (following.text.count("10\u00a0B"), following.links[-1]) == (2, "/page/data/0/g0500")


def test_only_the_end_of_the_request_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    entry = {"time": "t", "caller": None, "method": "GET", "path": "/x", "status": 200, "bytes": 1}
    spoiled = ["", "[]", "null", "{", '{"time": "t"}', json.dumps({**entry, "status": "?"}), "\x00" * 10]
    lines = [json.dumps({**entry, "path": f"/{n}", "status": n}) for n in range(20_000)]
    log.write_text("\n".join([*lines, *spoiled, json.dumps({**entry, "fault": "cut"}), '{"time": "t", "cal']))
    found = list(recent(log))
    assert (found[0].fault, found[0].failed) == ("cut", True)
    assert [line.path for line in found[1:4]] == ["/19999", "/19998", "/19997"]
    assert READ / 120 < len(found) < READ / 80


def test_pages_do_not_use_up_faults(tmp_path: Path, environments: Path) -> None:
    with faulty_cluster(tmp_path / "root", environments) as cluster:
        cluster.inject("GET /*", {"status": 503}, times=1)
        assert page(cluster.site, "/page/calls").text.count("fault") == 0
        assert [cluster.site.request("GET", FILE).status for _ in range(2)] == [503, 200]
        words = " ".join(page(cluster.site, "/page/calls").text.split())
        assert f"503 GET {FILE} " in words[words.index("Requests that failed") : words.index("Last calls")]
        assert "fault status" in words


def test_all_users_see_refused_requests_without_a_known_user(tmp_path: Path, environments: Path) -> None:
    """The first requests of algosync name no account, so all users see them. Others are shown to the accounts that they name."""
    with faulty_cluster(tmp_path / "root", environments) as cluster:
        cluster.inject("* *", {"status": 503}, nth=3, times=1)
        environment = "/v1/algorithm-environments/edge/languages"
        asked = [("/v1/data/", "simNobody"), (environment, "simNobody"), ("/v1/data/", cluster.site.key), (FILE, "simNobody")]
        asked += [("/v1/data/somebody/box", "simNobody"), ("/v1/users/somebody", "simNobody")]
        statuses = [cluster.site.request("GET", path, key=key).status for path, key in asked]
        assert statuses == [401, 401, 503, 401, 401, 401]
        words = " ".join(page(cluster.site, "/page/calls", cluster.site.key_of("eve")).text.split())
        failed = words[words.index("Requests that failed") : words.index("Last calls")]
        assert re.findall(r"(\d{3}) GET (\S+)", failed) == [
            *[("401", FILE), ("503", "/v1/data/"), ("401", environment), ("401", "/v1/data/")],
        ]


def test_a_page_names_its_cluster(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "staging", environments, "--etag", "--duplicate-status", "409") as site:
        site.create("Mine")
        commit = site.push("Mine", {"src/Mine.py": "x = 1"}, "Say why\n\nAt length")
        site.build_of("Mine", commit)
        assert site.publish("Mine").status == 200
        overview, algorithm = page(site, "/page/"), page(site, "/page/algorithms/local/Mine")
        words = " ".join(overview.text.split())
        assert words.startswith("Algorithms · staging, local cluster ")
        assert f"staging {site.address} · duplicate_status 409, etag True Algorithms Calls" in words
        assert " · published as 0.1.0Say why " in " ".join(algorithm.text.split())
        assert f"repository{site.address}/git/local/Mine.git" in algorithm.text
        for path in ("/", "/page"):
            found = [
                site.request("GET", path, headers={"Authorization": "", "Accept": accept})
                for accept in ("text/html,application/xhtml+xml;q=0.9", "application/json", "*/*")
            ]
            assert [(each.status, each.headers.get("location")) for each in found] == [(303, "/page/"), (401, None), (401, None)]


def test_a_failed_call_is_found_by_its_id(site: Emulator) -> None:
    source = "def apply(input):\n    print('weights', 'loaded')\n    return input['none']\n"
    reference = site.deploy("Failing", source)
    first, second = (site.call(reference, {"a": None})["metadata"]["request_id"] for _ in range(2))
    words = " ".join(page(site, f"/page/calls?id={first}").text.split())
    assert (first in words, second in words) == (True, False)
    for expected in ('Input: {"a": null}', "Outputweights loaded", "200 POST /v1/algo/local/Failing/"):
        assert expected in words
    kept = site.get("/v1/algorithms/local/Failing/errors")[0]
    assert {"stdout", "duration", "stacktrace"}.isdisjoint(kept)


WORDLESS = """
import os

def apply(how):
    if how == "exit":
        os.write(1, b"the last words" + bytes([10]))
        os._exit(3)
    if how == "memory":
        raise MemoryError
    if how == "talk":
        error = ValueError("what went wrong")
        print(error)
        raise error
    assert how == "well"
"""


def test_a_failure_without_message_shows_the_exception(site: Emulator) -> None:
    """The output of a process that ended is shown once, because nothing else is known."""
    reference = site.deploy("Wordless", WORDLESS)
    shown = {}
    for how in ("assert", "memory", "exit", "talk"):
        request = site.call(reference, how)["metadata"]["request_id"]
        words = " ".join(page(site, f"/page/calls?id={request}").text.split())
        shown[how] = words[words.index(request, words.index("Algorithms that failed")) : words.index("Requests that failed")]
    assert re.search(r" AssertionError Stack trace.* AssertionError Input: assert$", shown["assert"].strip())
    assert " MemoryError: a process may have half of this machine's memory Stack trace" in shown["memory"]
    assert (shown["exit"].count("the last words"), "Stack trace" in shown["exit"]) == (1, False)
    assert ("Stack trace" in shown["talk"], "Output" in shown["talk"]) == (True, True), "the output does not end with the trace"


WAITING = """
import socket

def apply(port):
    socket.create_connection(("127.0.0.1", port)).recv(1)
"""


def test_a_refusal_names_the_key_and_the_missing_right(site: Emulator) -> None:
    """The reply itself is the platform's and does not name them."""
    key = site.key_of("local", Rights(write=False))
    refused = site.request("PUT", "/v1/data/.my/lacking/file", b"1", key=key)
    assert (refused.status, refused.json["error"]["message"]) == (403, "Caller is not authorized to perform this operation")
    line = site.log()[-1]
    assert (line["needs"], line["key"]) == ("write", key_id(key))
    words = " ".join(page(site, "/page/calls").text.split())
    assert f"Caller is not authorized to perform this operation · key {key_id(key)} · needs: write Id: " in words


def test_the_first_request_of_git_is_no_failure(site: Emulator) -> None:
    """It is hidden only if a successful request follows. Otherwise the client had no credentials, which is a failure."""
    site.create("Cloned")
    path = "/git/local/Cloned.git/info/refs?service=git-upload-pack"
    silent = {"Authorization": ""}
    asked = (silent, silent, basic(site.key, "local"), silent, basic("simNobody", "local"))
    assert [site.request("GET", path, headers=headers).status for headers in asked] == [401, 401, 200, 401, 401]
    words = " ".join(page(site, "/page/calls").text.split())
    failed = words[words.index("Requests that failed") : words.index("Last calls of algorithms")]
    told = re.findall(r"401 GET /git/local/Cloned.git\S+ (\u00d7\d+)?.*?(authorization required|unknown or invalid)", failed)
    assert told == [("", "unknown or invalid"), ("\u00d72", "authorization required")]


def test_readers_are_described_in_words(site: Emulator) -> None:
    acls = {"open": "user://*", "mine": "algo://.my/*", "closed": None}
    for name, acl in acls.items():
        read = [acl] if acl else []
        assert site.request("POST", "/v1/data/.my", {"name": name, "acl": {"read": read}}).status == 200
    words = " ".join(page(site, "/page/data").text.split())
    told = dict(re.findall(r"local/(\w+) 0 files · 0 B · read by (.+?)(?= local/|$)", words))
    expected = {"open": "everybody", "mine": "the owner's algorithms", "closed": "its owner only"}
    assert {name: told.get(name) for name in acls} == expected


def test_a_call_whose_client_disconnected_is_a_failure(site: Emulator) -> None:
    reference = site.deploy("Waiting", WAITING)
    with socket.create_server(("127.0.0.1", 0)) as door:
        with contextlib.closing(site.connection()) as client:
            headers = {"Authorization": site.key, "Content-Type": "application/json"}
            client.request("POST", f"/v1/algo/{reference}", json.dumps(door.getsockname()[1]), headers)
            waiting = door.accept()[0]
        waiting.close()
    path = f"/v1/algo/{reference}"
    line = until(lambda: next((each for each in site.log() if each["path"] == path), None))
    assert (line["status"], line["left"]) == (200, True)
    words = " ".join(page(site, "/page/calls").text.split())
    failed = words[words.index("Requests that failed") : words.index("Last calls of algorithms")]
    assert re.search(rf"200 POST {path} [^·]*UTC · local · \S+ \S+ · \S+ s · the client disconnected ", failed)


def test_a_failed_import_shows_the_frames_of_the_algorithm(site: Emulator) -> None:
    source = "import json\n\nnothing = {}['none']\n\ndef apply(input):\n    return input\n"
    error = site.call(site.deploy("Loading", source), 1)["error"]
    head, place, *_ = error["stacktrace"].splitlines()
    assert head == "Traceback (most recent call last):"
    assert place.endswith('/src/Loading.py", line 3, in <module>')
    parts = [link for link in page(site, "/page/algorithms/local/Loading").links if "#" in link]
    assert parts == [f"/page/algorithms/local/Loading#{part}" for part in ("versions", "builds", "failed")]


def test_repeated_requests_are_one_line(site: Emulator) -> None:
    for _ in range(12):
        assert site.request("GET", "/v1/data/.my/nowhere/again").status == 404
    words = " ".join(page(site, "/page/calls").text.split())
    failed = words[words.index("Requests that failed") : words.index("Last calls of algorithms")]
    assert (failed.count("nowhere/again"), "404 GET /v1/data/.my/nowhere/again \u00d712 " in failed) == (1, True)


def test_a_successful_call_with_its_answer(site: Emulator) -> None:
    reference = site.deploy("Answers", f"def apply(input):\n    print({SPOOF!r})\n    return [input, {HOSTILE!r}]\n")
    call = site.call(reference, "question")["metadata"]["request_id"]
    text = page(site, f"/page/calls?id={call}").text
    part = text[text.index("Calls that succeeded") : text.index("Last calls of algorithms")]
    assert all(each in part for each in ("local/Answers", call, '["question", ', "alert(2)", SPOOF_SHOWN, "Input: question"))
    stranger = site.key_of("page-stranger")
    assert "question" not in page(site, "/page/calls", stranger).text


def test_source_and_files_as_text(site: Emulator) -> None:
    content = f"{HOSTILE}{SPOOF}"
    site.create("Shown")
    commit = site.push("Shown", {"src/table.txt": content, "src/long": b"y" * 70_000})
    build = site.build_of("Shown", commit)
    source = f"/page/algorithms/local/Shown/source/{commit}"
    assert source in page(site, f"/page/algorithms/local/Shown/builds/{build['build_id']}").links
    text = page(site, source).text
    assert all(each in text for each in ("src/table.txt", HOSTILE, SPOOF_SHOWN, "[cut: the first 65536 bytes]"))
    site.request("POST", "/v1/data/.my", {"name": "shown"})
    site.request("PUT", "/v1/data/.my/shown/a%20b", content.encode() + b"\xff")
    collections = [link for link in page(site, "/page/data").links if link.startswith("/page/data/")]
    (file,) = (link for each in collections for link in page(site, each).links if link.endswith("/a%20b"))
    listed = file.rpartition("/")[0]
    assert HOSTILE + SPOOF_SHOWN + "\ufffd" in page(site, file).text
    stranger = site.key_of("page-stranger")
    assert [fetched(site, path, stranger).status for path in (source, file)] == [403, 403]
    assert [fetched(site, path).status for path in (f"{source[:-40]}{'0' * 40}", f"{listed}/none")] == [404, 404]


def test_lookups_of_algosync_are_no_failures(site: Emulator) -> None:
    for agent in ("algosync", "curl/8"):
        path = f"/v1/data/.my/looked-up-by-{agent.partition('/')[0]}"
        assert site.request("GET", path, headers={"User-Agent": agent}).status == 404
    text = page(site, "/page/calls").text
    failed = text[text.index("Requests that failed") : text.index("Calls that succeeded")]
    assert ("looked-up-by-curl" in failed, "looked-up-by-algosync" in failed) == (True, False)
    assert "looked-up-by-algosync" in text
