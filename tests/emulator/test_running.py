"""Calls: input, output, errors, the caller's rights, and the end of workers."""

import base64
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from emulated import ADK, Emulator, alive, emulator, until

from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.database import Database
from algosync.emulator.records.keys import new_key

ECHO = """
import ctypes, os, sys, threading, time
seen = []
def apply(input):
    seen.append(1)
    if input == "raise": raise ValueError("wörse")
    if input == "typed":
        error = RuntimeError("own type"); error.error_type = "InputError"; raise error
    if input == "exit": sys.exit(3)
    if input == "die": os._exit(4)
    if input == "sleep": time.sleep(1000)
    if input == "unserialisable": return object()
    if input == "bytes": return b"\\x00\\xff"
    if input == "none": return None
    if input == "large": return "x" * (16 * 1024 * 1024)
    if input == "count": return len(seen)
    if input == "pid": return os.getpid()
    if input == "stdin": return sys.stdin.read()
    if input == "environment": return dict(os.environ)
    if input == "print":
        print("print"); print("error", file=sys.stderr); os.write(1, b"write\\n"); os.system("echo child")
        ctypes.CDLL(None).puts(b"C"); ctypes.CDLL(None).fflush(None)
        print("x" * 200000)
    if isinstance(input, bytes): return input[::-1]
    return input
"""

WITH_LOAD = """
import os
from Algorithmia import ADK
def load():
    if os.path.exists({marker!r}): raise RuntimeError("no model")
    return {{"loaded": os.getpid()}}
def apply(input, state):
    print("applied")
    if input == "raise": raise ValueError("bad")
    if isinstance(input, bytes): return input
    return [input, state["loaded"] == os.getpid()]
algorithm = ADK(apply, load)
algorithm.init("sample that must not run")
"""

HANDLER = """
import Algorithmia
def load():
    return "state"
def apply(input, state):
    if input == "raise": raise ValueError("bad")
    return [input, state]
Algorithmia.handler(apply, load).serve()
"""

CALLER = """
from concurrent.futures import ThreadPoolExecutor
import Algorithmia
client = Algorithmia.client()
def call(argument):
    reference, value = argument
    try:
        return client.algo(reference).pipe(value).result
    except Exception as error:
        return "error: " + getattr(error, "message", str(error))
def apply(input):
    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(call, input))
"""

DATA = """
import Algorithmia
def apply(input):
    client = Algorithmia.client()
    action, path, *text = input
    file = client.file(path)
    if action == "put":
        file.put(text[0])
    if action == "list":
        return [each.path for each in client.dir(path).files()]
    return file.getString() if file.exists() else None
"""


@pytest.fixture(scope="module")
def echo(site: Emulator) -> str:
    return site.deploy("Echo", ECHO)


def send(site: Emulator, reference: str, body: bytes, content_type: str, query: str = "") -> Any:
    return site.request("POST", f"/v1/algo/{reference}{query}", body, {"Content-Type": content_type})


@pytest.mark.parametrize("value", [None, True, 1.5, "täxt ☎", [1, [2]], {"a": {"b": None}}, "", {}])
def test_json_input_and_result(site: Emulator, echo: str, value: object) -> None:
    began = time.monotonic()
    reply = site.call(echo, value)
    took = time.monotonic() - began
    assert reply["result"] == value
    assert reply["metadata"]["content_type"] == ("text" if isinstance(value, str) else "json")
    assert set(reply["metadata"]) == {"content_type", "duration", "request_id"}
    assert 0 <= reply["metadata"]["duration"] < took + 0.01


def test_text_and_binary_input(site: Emulator, echo: str) -> None:
    for kind in ("text/plain", "application/text", "text/plain; charset=utf-8"):
        assert send(site, echo, "☎".encode(), kind).json["result"] == "☎"
    binary = send(site, echo, b"\0\1\xff", "application/octet-stream").json
    assert (binary["metadata"]["content_type"], base64.b64decode(binary["result"])) == ("binary", b"\xff\1\0")
    assert site.client().algo(echo).pipe(bytearray(b"\0\1\xff")).result == b"\xff\1\0"
    assert send(site, echo, b"1", "image/png").status == 415
    assert send(site, echo, b"{", "application/json").status == 400
    assert site.call(echo, "none")["result"] is None


def test_raw_and_void_output(site: Emulator, echo: str) -> None:
    assert send(site, echo, b"a", "text/plain", "?output=raw").body == b"a"
    assert send(site, echo, b"[1, 2]", "application/json", "?output=raw").body == b"[1,2]"
    assert send(site, echo, b"\0\1", "application/octet-stream", "?output=raw").body == b"\1\0"
    failed = send(site, echo, b"raise", "text/plain", "?output=raw")
    assert (failed.status, failed.body) == (400, "wörse".encode())
    detached = send(site, echo, b"a", "text/plain", "?output=void").json
    assert (detached["async"], set(detached)) == ("void", {"async", "async_protocol", "request_id"})


def test_exceptions_are_reported(site: Emulator, echo: str) -> None:
    reply = site.call(echo, "raise")
    error = reply["error"]
    assert (error["message"], error["error_type"]) == ("wörse", "AlgorithmError")
    assert error["stacktrace"] == error["stack_trace"]
    lines = error["stacktrace"].splitlines()
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "ValueError: wörse")
    assert lines[1].endswith('src/Echo.py", line 6, in apply')
    assert set(reply["metadata"]) == {"duration", "request_id"}
    assert site.call(echo, "typed")["error"]["error_type"] == "InputError"
    assert "not JSON serializable" in site.call(echo, "unserialisable")["error"]["message"]
    assert site.call(echo, "large")["error"]["error_type"] == "TooLargeError"
    with pytest.raises(Exception, match="wörse"):
        site.client().algo(echo).pipe("raise")


def test_failures_are_listed(site: Emulator) -> None:
    reference = site.deploy("Failing", "def apply(input):\n    raise ValueError(input)\n")
    before = time.time()
    for text in ("one", "two" * 100):
        site.call(reference, text)
    newest, oldest = site.get("/v1/algorithms/local/Failing/errors")
    assert (oldest["error"], oldest["error_type"], oldest["username"]) == ("one", "AlgorithmError", "local")
    assert (newest["input"], newest["algoversion"]) == (("two" * 100)[:128], reference.rpartition("/")[2])
    assert before - 1 < newest["created_at"] / 1000 < time.time() + 1


def test_stdout_is_separate_for_each_call(site: Emulator, echo: str) -> None:
    printed = site.call(echo, "print", "?stdout=True")["metadata"]["stdout"]
    assert sorted(line[:5] for line in printed.splitlines()) == ["C", "child", "error", "print", "write", "xxxxx"]
    assert site.call(echo, 1, "?stdout=true")["metadata"]["stdout"] == ""
    assert "stdout" not in site.call(echo, "print", "?stdout=False")["metadata"]
    assert site.call(echo, "stdin")["result"] == ""


def test_workers_stay_warm_and_survive_errors(site: Emulator) -> None:
    reference = site.deploy("Warm", ECHO)
    assert site.call(reference, "count")["result"] == 1
    site.call(reference, "raise")
    assert site.call(reference, "count")["result"] == 3


@pytest.mark.parametrize(("how", "error_type"), [("exit", "SystemExit"), ("die", "SystemExit")])
def test_an_ended_process_is_replaced(site: Emulator, echo: str, how: str, error_type: str) -> None:
    pid = site.call(echo, "pid")["result"]
    error = site.call(echo, how)["error"]
    code = {"exit": 3, "die": 4}[how]
    assert (error["error_type"], error["message"].rpartition(" ")[2]) == (error_type, str(code))
    assert site.call(echo, "pid")["result"] != pid
    assert not alive(pid)


def test_a_timeout_kills_the_process(site: Emulator, echo: str) -> None:
    pid = site.call(echo, "pid")["result"]
    reply = send(site, echo, b"sleep", "text/plain", "?timeout=0.3")
    assert (reply.status, reply.json["error"]["error_type"]) == (200, "TimeoutError")
    assert reply.json["error"]["message"] == "Algorithm timed out after 0.3 seconds"
    until(lambda: not alive(pid))
    assert site.call(echo, 1)["result"] == 1
    for wrong in ("0", "-1", "x", "nan"):
        assert send(site, echo, b"1", "application/json", f"?timeout={wrong}").status == 400


def test_an_algorithm_deleted_in_the_middle_of_a_call(site: Emulator, tmp_path: Path) -> None:
    source = "import os, time\ndef apply(input):\n    open(input, 'w').write(str(os.getpid()))\n    time.sleep(1000)\n"
    reference = site.deploy("Vanishing", source)
    marker = tmp_path / "marker"
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(site.call, reference, str(marker))
        pid = int(until(lambda: marker.exists() and marker.read_text()))
        assert site.request("DELETE", "/v1/algorithms/local/Vanishing").status == 204
        assert call.result()["error"]["error_type"] == "SystemExit"
    assert not alive(pid)


def test_the_environment_of_an_algorithm(tmp_path: Path, environments: Path) -> None:
    canary = {
        "DESTINATION_API_KEY": "canary",
        "PIP_INDEX_URL": "canary",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "x",
    }
    with emulator(tmp_path / "root", environments, environ=canary) as own:
        found = own.call(own.deploy("Env", ECHO), "environment")["result"]
        allowed = {
            "PATH",
            "HOME",
            "TMPDIR",
            "ALGORITHMIA_API",
            "ALGORITHMIA_API_KEY",
            "NO_PROXY",
            "no_proxy",
            "HTTP_PROXY",
        }
        passed = {
            "LANG",
            "LANGUAGE",
            "TZ",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "LC_CTYPE",
        }
        unexpected = {
            name
            for name in found
            if name not in allowed | passed and not name.startswith("LC_") and not name.lower().endswith("_proxy")
        }
        assert unexpected == set()
        assert found["ALGORITHMIA_API"] == own.address
        assert found["NO_PROXY"] == "127.0.0.1,localhost,x"
        assert Path(found["HOME"]).parent.parent == own.root / "run"
        assert found["ALGORITHMIA_API_KEY"] != own.key
        # Between calls the token of a worker has no rights.
        assert own.request("GET", "/v1/data/", key=found["ALGORITHMIA_API_KEY"]).status == 401


def test_source_that_cannot_be_imported(site: Emulator) -> None:
    broken = {
        "Syntax": ("def apply(:", "InitializationError", "invalid syntax (Syntax.py, line 1)"),
        "Missing": ("import not_there", "InitializationError", "No module named 'not_there'"),
        "Without": ("x = 1", "InitializationError", "src/Without.py has no function apply"),
        "Leaves": ("raise SystemExit(5)", "SystemExit", "The algorithm exited with code 5"),
        "Dies": ("import os; os._exit(6)", "SystemExit", "The algorithm's process ended with exit code 6"),
    }
    found = {}
    for name, (source, *_) in broken.items():
        error = site.call(site.deploy(name, source), 1)["error"]
        found[name] = (source, error["error_type"], error["message"])
    assert found == broken


def test_only_adk_source_may_have_the_adk_marker(site: Emulator) -> None:
    error = site.call(site.deploy("Marked", "def apply(input):\n    return 1\n", adk=True), 1)["error"]
    ended = ".adk says that the source uses the ADK, but src/Marked.py did not start it"
    assert error["message"] == f"{ended}: end it with ADK(apply).init(...), or delete .adk"


def test_the_adk_template(site: Emulator) -> None:
    site.create("Template")
    commit = site.push("Template", {"requirements.txt": ADK})
    assert site.build_of("Template", commit)["status"] == "succeeded"
    assert site.client().algo(f"local/Template/{commit}").pipe("Jane").result == "hello Jane"


def test_the_adk_with_load(site: Emulator, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    reference = site.deploy("Loading", WITH_LOAD.format(marker=str(marker)), ADK, adk=True)
    first = site.call(reference, {"a": 1}, "?stdout=true")
    assert first["result"] == [{"a": 1}, True]
    assert first["metadata"]["stdout"] == "applied\n"
    error = site.call(reference, "raise")["error"]
    assert (error["message"], error["error_type"]) == ("bad", "AlgorithmError")
    assert error["stacktrace"].splitlines()[-1].strip() == "ValueError: bad"
    assert send(site, reference, b"\0\xff", "application/octet-stream").json["result"] == "AP8="


def test_a_failed_load_is_reported_in_every_call(site: Emulator, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    marker.touch()
    reference = site.deploy("Unloaded", WITH_LOAD.format(marker=str(marker)), ADK, adk=True)
    for _ in range(2):
        error = site.call(reference, 1)["error"]
        assert (error["message"], error["error_type"]) == ("no model", "LoadingError")


def test_source_with_the_older_handler(site: Emulator) -> None:
    reference = site.deploy("Handled", HANDLER, ADK)
    assert site.call(reference, "x")["result"] == ["x", "state"]
    error = site.call(reference, "raise")["error"]
    assert (error["message"], error["error_type"]) == ("bad", "AlgorithmError")
    assert error["stacktrace"].splitlines()[-1].strip() == "ValueError: bad"


def test_algorithms_that_call_algorithms(site: Emulator) -> None:
    site.deploy("Inner", ECHO)
    site.publish("Inner")
    outer = site.deploy("Outer", CALLER, ADK)
    site.publish("Outer")
    twelve = [["local/Inner/latestPrivate", number] for number in range(12)]
    assert site.call(outer, twelve)["result"] == list(range(12))
    nested = [["local/Outer/latestPrivate", [["local/Outer/latestPrivate", twelve]] * 3]] * 2
    assert site.call(outer, nested)["result"] == [[list(range(12))] * 3] * 2
    inner = [
        ["local/Inner/latestPrivate", "raise"],
        ["local/None", 1],
        ["local/Inner/0.1.0", "x"],
        ["local/Inner", "x"],
    ]
    failed, missing, exact, bare = site.call(outer, inner)["result"]
    assert failed.startswith("error: ")
    assert "wörse" in failed
    assert missing.startswith("error: ")
    assert exact == "x"
    assert bare.startswith("error: ")


def test_imports_that_call_algorithms_do_not_wait_for_each_other(site: Emulator) -> None:
    """More calls at once than imports may run at once. Every import waits for two others."""
    site.deploy("Leaf", "def apply(input):\n    return input\n")
    site.publish("Leaf")
    importing = "import Algorithmia\nfound = Algorithmia.client().algo({!r}).pipe(1).result\ndef apply(input):\n    return found\n"
    site.deploy("Middle", importing.format("local/Leaf/latestPrivate"), ADK)
    site.publish("Middle")
    tops = [site.deploy(f"Top{number}", importing.format("local/Middle/latestPrivate"), ADK) for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda top: site.call(top, 0).get("result"), tops)) == [1] * 4


def test_calls_of_other_algorithms_can_be_disabled(site: Emulator) -> None:
    site.deploy("Target", ECHO)
    site.publish("Target", settings={"algorithm_callability": "public"})
    reference = site.deploy("Isolated", CALLER, ADK, pipeline_enabled=False)
    (answer,) = site.call(reference, [["local/Target", 1]])["result"]
    assert answer.startswith("error: ")
    assert site.log()[-2]["status"] == 403


def test_endless_recursion_ends(site: Emulator) -> None:
    source = "import json, os, urllib.request\ndef apply(depth):\n"
    source += "    headers = {'Authorization': os.environ['ALGORITHMIA_API_KEY'], 'Content-Type': 'application/json'}\n"
    source += "    url = os.environ['ALGORITHMIA_API'] + '/v1/algo/local/Recursive/latestPrivate'\n"
    source += "    request = urllib.request.Request(url, json.dumps(depth + 1).encode(), headers)\n"
    source += "    try:\n        return json.load(urllib.request.urlopen(request))['result']\n"
    source += "    except urllib.error.HTTPError as error:\n        return [depth, error.code]\n"
    reference = site.deploy("Recursive", source)
    site.publish("Recursive")
    assert site.call(reference, 0)["result"] == [24, 403]


def test_data_inside_algorithms(site: Emulator) -> None:
    reference = site.deploy("Data", DATA, ADK)
    site.request("POST", "/v1/data/.my", {"name": "inside"})
    assert site.call(reference, ["put", "data://.my/inside/file", "text"])["result"] == "text"
    assert site.request("GET", "/v1/data/local/inside/file").body == b"text"
    assert site.call(reference, ["put", "data://.session/file", "mine"])["result"] == "mine"
    assert site.call(reference, ["get", "data://.session/file"])["result"] is None
    assert site.call(reference, ["put", "data://.algo/temp/file", "temporary"])["result"] == "temporary"
    assert site.request("GET", "/v1/data/.algo/local/Data/temp/file").body == b"temporary"
    assert site.call(reference, ["list", "data://.algo/temp"])["result"] == [".algo/temp/file"]
    assert site.call(reference, ["put", "data://.algo/perm/file", "kept"])["result"] == "kept"
    assert "data://.session" not in str(site.get("/v1/data/.my"))
    assert [folder["name"] for folder in site.get("/v1/data/.my")["folders"]] == ["inside"]


def test_the_session_belongs_to_the_tree_of_calls(site: Emulator) -> None:
    site.deploy("Writer", DATA, ADK)
    site.publish("Writer")
    source = DATA + "\ninner = apply\ndef apply(input):\n    Algorithmia.client().algo('local/Writer/latestPrivate')"
    source += ".pipe(['put', 'data://.session/shared', 'below'])\n    return inner(['get', 'data://.session/shared'])\n"
    assert site.call(site.deploy("Reader", source, ADK), None)["result"] == "below"


def test_acting_for_the_caller(tmp_path: Path, environments: Path) -> None:
    """Another user's call: `.my` is that user's data. Shared collections of the owner are readable, private ones are not."""
    (tmp_path / "root").mkdir()
    database = Database(tmp_path / "root" / "cluster.sqlite")
    key = new_key()
    Accounts(database).set_key("guest", key)
    database.close()
    with emulator(tmp_path / "root", environments) as own:
        for name, acl in (("open", ["algo://.my/*"]), ("closed", [])):
            own.request("POST", "/v1/data/.my", {"name": name, "acl": {"read": acl}})
            own.request("PUT", f"/v1/data/.my/{name}/file", name.encode())
        own.request("POST", "/v1/data/.my", {"name": "theirs"}, key=key)
        reference = own.deploy("Data", DATA, ADK)
        assert own.call(reference, ["get", "x"], key=key)["error"]["code"] == 2001
        own.publish("Data")
        private = own.request("POST", "/v1/algo/local/Data/0.1.0", ["get", "x"], key=key)
        assert (private.status, private.json["error"]["code"]) == (403, 2001)
        own.request("POST", "/v1/algorithms/local/Data/compile", {})
        own.push("Data", {"file": "another commit"})
        until(lambda: own.get("/v1/algorithms/local/Data")["build"]["status"] == "succeeded")
        own.publish("Data", settings={"algorithm_callability": "public"})

        def call(*arguments: str) -> Any:
            return own.call("local/Data", list(arguments), "?stdout=true", key)

        assert call("get", "data://local/open/file")["result"] == "open"
        assert call("get", "data://local/closed/file")["result"] is None
        assert own.request("GET", "/v1/data/local/open/file", key=key).status == 403
        assert call("put", "data://.my/theirs/file", "hers")["result"] == "hers"
        assert own.request("GET", "/v1/data/guest/theirs/file", key=key).body == b"hers"
        assert "stdout" not in call("get", "data://.my/theirs/file")["metadata"]
        assert call("put", "data://local/open/file", "stolen").get("result") is None
        assert own.request("GET", "/v1/data/local/open/file").body == b"open"


def test_references(site: Emulator) -> None:
    source = "def apply(input):\n    return {}\n"
    site.create("Refs")
    hashes = []
    for number, callability in enumerate(("private", "public", "public", "private")):
        hashes.append(
            site.push(
                "Refs",
                {"src/Refs.py": source.format(number), "requirements.txt": "", **({} if number else {".adk": None})},
            )
        )
        assert site.build_of("Refs", hashes[-1])["status"] == "succeeded"
        bump = "major" if number == 2 else "minor"
        site.publish("Refs", settings={"algorithm_callability": callability}, version_info={"version_type": bump})

    def call(reference: str) -> Any:
        reply = site.request("POST", f"/v1/algo/local/Refs{reference}", [])
        return reply.json.get("result", reply.status)

    found = {
        reference: call(reference)
        for reference in (
            "",
            "/",
            "/latest",
            "/latestPrivate",
            "/0.1.0",
            "/0.2.0",
            "/1.0.0",
            "/1.1.0",
            "/0.2",
            "/0",
            "/0.*",
            "/0.*.*",
            "/1.*",
            "/1.0.*",
            "/1.0.x",
            "/1.0.0.*",
            "/1.*.0",
            "/1.1",
            "/2.0.0",
            "/x",
        )
    }
    assert found == {
        "": 2,
        "/": 2,
        "/latest": 2,
        "/latestPrivate": 3,
        "/0.1.0": 0,
        "/0.2.0": 1,
        "/1.0.0": 2,
        "/1.1.0": 3,
        "/0.2": 1,
        "/0": 1,
        "/0.*": 1,
        "/0.*.*": 1,
        "/1.*": 2,
        "/1.0.*": 2,
        "/1.0.x": 2,
        "/1.0.0.*": 404,
        "/1.*.0": 404,
        "/1.1": 404,
        "/2.0.0": 404,
        "/x": 404,
    }
    assert call("/1." + "1" * 5000) == 404
    assert [call("/" + commit) for commit in hashes] == [0, 1, 2, 3]
    assert site.request("POST", "/v1/algo/algo://local/Refs", []).json["result"] == 2
    unknown = site.request("POST", f"/v1/algo/local/Refs/{'0' * 40}", [])
    assert unknown.status == 404
    assert "version hash" in unknown.json["error"]["message"]
    missing = site.request("POST", "/v1/algo/local/Nothing", [])
    assert (missing.status, missing.json["error"]["message"]) == (404, "algorithm algo://local/Nothing not found")


def test_input_limits(site: Emulator, echo: str) -> None:
    fits = b'"' + b"x" * (10 * 1024 * 1024 - 2) + b'"'
    assert len(send(site, echo, fits, "application/json").json["result"]) == len(fits) - 2
    assert send(site, echo, fits + b" ", "application/json").status == 413


def test_nine_megabytes_of_binary_input_and_result(site: Emulator, echo: str) -> None:
    content = os.urandom(2**20) * 9
    reply = send(site, echo, content, "application/octet-stream", "?output=raw")
    assert (reply.status, reply.body == content[::-1]) == (200, True)


def test_versions_of_one_algorithm_run_side_by_side(site: Emulator) -> None:
    """Each call waits until all of them are running."""
    folder = site.root.parent / "versions"
    folder.mkdir()
    source = "import os, time\ndef apply(input):\n    open(f'{input}/VERSION', 'w')\n    "
    source += "while len(os.listdir(input)) < 3: time.sleep(0.01)\n    return VERSION\n"
    references = [site.deploy("Versions", source.replace("VERSION", "1"))]
    for version in "23":
        commit = site.push("Versions", {"src/Versions.py": source.replace("VERSION", version)})
        assert site.build_of("Versions", commit)["status"] == "succeeded"
        references.append(f"local/Versions/{commit}")
    with ThreadPoolExecutor(3) as threads:
        replies = threads.map(lambda reference: site.call(reference, str(folder)), references)
        assert [reply["result"] for reply in replies] == [1, 2, 3]


def test_parallel_calls_have_separate_workers(site: Emulator) -> None:
    source = "import os, time\ndef apply(input):\n    open(input[0] + str(input[1]), 'w')\n    "
    source += "while len(os.listdir(input[0])) < 4: time.sleep(0.01)\n    return os.getpid()\n"
    reference = site.deploy("Parallel", source)
    folder = site.root.parent / "meeting"
    folder.mkdir()
    with ThreadPoolExecutor(4) as threads:
        pids = list(threads.map(lambda n: site.call(reference, [f"{folder}/", n])["result"], range(4)))
    assert len(set(pids)) == 4
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids)


@pytest.mark.parametrize("act", ["sys.stdout.close()", "sys.stderr.close()", "sys.stdout = None", "os.close(1)"])
def test_an_algorithm_may_close_its_output(site: Emulator, act: str) -> None:
    name = "Closes" + "".join(filter(str.isalnum, act)).title()
    reference = site.deploy(name, f"import os, sys\ndef apply(input):\n    {act}\n    return input\n")
    assert site.call(reference, 1).get("result") == 1
