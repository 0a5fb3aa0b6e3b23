"""Hints for new users: in logs of builds, in errors, in the request log."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from emulated import DEADLINE, Emulator, errors, start, until

PLAIN = "def apply(input):\n    return input\n"


def advised(site: Emulator, name: str, files: dict[str, str | bytes | None], network_access: str = "full") -> list[str]:
    """What the log of a successful build says about its source."""
    site.create(name, network_access=network_access)
    build = site.build_of(name, site.push(name, {"requirements.txt": "", **files}))
    assert build["status"] == "succeeded"
    lines = site.logs(name, build).splitlines()
    return [line for line in lines if line.startswith(("Warning", "network_access"))]


def test_builds_report_settings_that_are_not_enforced(site: Emulator) -> None:
    files: dict[str, str | bytes | None] = {"src/Isolated.py": PLAIN, ".adk": None}
    told = advised(site, "Isolated", files, network_access="isolated")
    assert told == ["network_access is isolated: this local cluster does not enforce it"]


@pytest.mark.parametrize(
    ("name", "files", "told"),
    [
        (
            "Unserved",
            {"src/Unserved.py": PLAIN},
            ".adk says that the source uses the ADK, but src/Unserved.py does not: end it with an ADK, or delete .adk",
        ),
        ("Gone", {"src/Gone.py": None}, "there is no src/Gone.py: calls will fail"),
        (
            "Wrong",
            {"src/Wrong.py": "x = 1\ndef apply(:\n", ".adk": None},
            "src/Wrong.py cannot be imported: invalid syntax, line 2",
        ),
        ("Fine", {"src/Fine.py": PLAIN + "'\\d'\n", ".adk": None}, None),
        (
            "Deep",
            {"src/Deep.py": "(" * 500_000, ".adk": None},
            "src/Deep.py cannot be imported: too many nested parentheses, line 1",
        ),
    ],
)
def test_builds_warn_about_source_that_will_not_run(
    site: Emulator, name: str, files: dict[str, str | bytes | None], told: str | None
) -> None:
    assert advised(site, name, files) == ([f"Warning: {told}"] if told else [])


def test_the_error_for_an_unknown_package_set_names_the_known_ones(site: Emulator) -> None:
    settings = {"source_visibility": "closed", "license": "apl", "network_access": "full", "pipeline_enabled": True}
    body = {"name": "Unset", "details": {"label": "x"}, "settings": {**settings, "package_set": "python-9.9"}}
    error = site.request("POST", "/v1/algorithms/local", body).json["error"]
    begins, _, known = error["message"].partition("'s: ")
    assert (error["code"], begins) == (1003, "settings.package_set is not one of this cluster")
    for each in known.split(", "):
        chosen = {**body, "name": f"Set{known.index(each)}", "settings": {**settings, "package_set": each}}
        assert site.request("POST", "/v1/algorithms/local", chosen).status == 200


def test_the_log_has_the_ids_of_replies(site: Emulator) -> None:
    reference = site.deploy("Named", "def apply(input):\n    return 1 / input\n")
    good, bad = (site.call(reference, value) for value in (1, 0))
    refusals = [site.request("GET", "/v1/data/.my/none/file"), site.request("GET", "/v1/data/", key="wrong")]
    assert [line.get("id") for line in site.log()[-4:]] == [
        *(each["metadata"]["request_id"] for each in (good, bad)),
        *(each.json["error"]["id"] for each in refusals),
    ]
    assert [line.get("error") for line in site.log()[-4:-2]] == [None, "AlgorithmError"]


def test_health_checks_are_not_logged(site: Emulator) -> None:
    before = site.log()
    assert site.request("GET", "/health?nonce=x").status == 200
    assert site.log() == before
    assert site.request("POST", "/health").status == 405
    assert [line["path"] for line in site.log()[len(before) :]] == ["/health"]


def test_a_stop_during_a_call(tmp_path: Path, environments: Path) -> None:
    site = start(tmp_path / "root", environments)
    assert site.process.stdout is not None
    with site.process.stdout, ThreadPoolExecutor(1) as threads:
        marker = tmp_path / "marker"
        source = "import time\ndef apply(input):\n    open(input, 'w').close()\n    time.sleep(100)\n"
        reference = site.deploy("Sleeper", source)
        body, sent = json.dumps(str(marker)), {"Content-Type": "application/json"}
        call = threads.submit(site.request, "POST", f"/v1/algo/{reference}", body, sent)
        until(marker.exists)
        assert site.stop(signal.SIGTERM) == 0
        reply = call.result(DEADLINE)
    assert (reply.status, reply.json["error"]["message"]) == (503, "The local cluster is stopping")
    assert (reply.headers["content-type"], site.log()[-1]["id"]) == ("application/json", reply.json["error"]["id"])
    assert errors(site.root).read_text().splitlines() == ["ERROR:    Cancel 1 running task(s), timeout graceful shutdown exceeded"]


def test_the_error_for_a_private_version_says_how_to_call_it(site: Emulator) -> None:
    commit = site.deploy("Hidden", PLAIN)
    missing = "algorithm algo://local/Hidden not found"

    def said(key: str | None = None) -> str:
        return str(site.call("local/Hidden", 1, key=key)["error"]["message"])

    assert said() == missing
    assert site.publish("Hidden").status == 200
    assert said() == f"{missing}: it has no public version; call private ones by /latestPrivate or by their number"
    assert said(site.key_of("stranger")) == missing
    assert [site.call(f"local/Hidden/{each}", 1)["result"] for each in ("latestPrivate", "0.1.0", commit[-40:])] == [1, 1, 1]


ENDS = """
import os
def apply(input):
    if input == "much":
        print("x" * (1024 * 1024 + 1))
    elif input == "all":
        print("x" * (1024 * 1024 - 1))
    elif input == "crash":
        os.kill(os.getpid(), 11)
    elif input == "as in a jail":
        os._exit(139)
    return {"NaN": float("nan"), "less": [-float("inf")]}.get(input)
"""


@pytest.fixture(scope="module")
def ends(site: Emulator) -> str:
    return site.deploy("Ends", ENDS)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("crash", "The algorithm's process was ended by signal SIGSEGV (exit code -11)"),
        ("as in a jail", "The algorithm's process ended with exit code 139, as after signal SIGSEGV"),
        ("NaN", "The algorithm's result is not JSON: it has a number that is NaN"),
        ("less", "The algorithm's result is not JSON: it has a number that is -Infinity"),
    ],
)
def test_failures_of_workers_are_explained(site: Emulator, ends: str, how: str, message: str) -> None:
    failed = site.call(ends, how)
    assert failed["error"]["message"] == message
    listed = site.get("/v1/algorithms/local/Ends/errors")
    assert message in json.dumps(listed)


def test_truncated_output_is_marked(site: Emulator, ends: str) -> None:
    most = 1024 * 1024
    whole, cut = (site.call(ends, how, "?stdout=true")["metadata"]["stdout"] for how in ("all", "much"))
    assert whole == "x" * (most - 1) + "\n"
    assert cut == "x" * most + f"\n[cut: the first {most} bytes of what was printed]\n"
