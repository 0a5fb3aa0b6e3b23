"""Answers of tests, as a user meets them: a failure, answers that are shown, a baseline, a recorded case, and behaviour drift."""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness import Cluster, Workspace

CODE = """\
import Algorithmia

def apply(input):
    print("greeting", input)
    if input == "file":
        return Algorithmia.client().file("data://.my/hidden/x.txt").getString()
    return {"text": "Hello, " + input, "length": len(input)}
"""


def write(workspace: Workspace, *tests: Mapping[str, object]) -> None:
    workspace.write([{"name": "Greeter", "language": "python3", "test_payload": "Ada", "tests": [*tests]}])


def test_answers_are_judged_shown_accepted_and_recorded(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("Greeter", CODE, "algorithmia\n")
    put(cluster, "one")
    write(workspace, {"name": "greets", "payload": "Ada", "expect": {"equals": {"text": "Hello Ada", "length": 3}}})
    wrong = workspace.apply(code=3)
    assert '  $.text: expected "Hello Ada", got "Hello, Ada"  [equals]\n' in wrong
    assert '  payload: "Ada"\n  answer: {"text":"Hello, Ada","length":3}\n' in wrong
    assert "  │ greeting Ada\n" in wrong
    assert cluster.api().algorithms.versions(cluster.user, "Greeter") == []

    expect = {"contains": {"text": "Hello, Ada"}, "printed": ["greeting"]}
    load = {"repeat": 20, "concurrency": 4, "limits": {"error_rate": 0}}
    cases = {"cases": "tests/hello.jsonl"}
    frozen = {"name": "frozen", "payload": "Zoe", "expect": {"baseline": "tests/zoe.json"}}
    write(workspace, {"name": "greets", "payload": "Ada", "expect": expect, **load}, {"name": "file", "payload": "file"})
    workspace.apply()

    recorded = workspace.run("test", "--record", "hello", '"Bob"')
    assert (recorded.returncode, "      - cases: tests/hello.jsonl" in recorded.stdout) == (0, True)
    row = json.loads((workspace.folder / "tests" / "hello.jsonl").read_text())
    assert row == {"payload": "Bob", "expect": {"equals": {"text": "Hello, Bob", "length": 3}}}

    write(
        workspace,
        {"name": "greets", "payload": "Ada", "expect": expect, **load},
        cases,
        frozen,
        {"name": "file", "payload": "file"},
    )
    missing = workspace.run("test")
    assert missing.returncode == 3
    assert "algosync test --accept writes it to tests/zoe.json" in missing.stderr
    only = workspace.run("test", "--only-failed")
    assert (only.returncode, only.stdout.count("test.Greeter[")) == (3, 1)
    accepted = workspace.run("test", "--accept")
    assert (accepted.returncode, "written    tests/zoe.json" in accepted.stdout) == (0, True)
    shown = workspace.run("test", "--filter", "f*", "--show-answers")
    assert shown.returncode == 0
    assert 'test.Greeter["frozen"], call 1: passed in ' in shown.stdout
    assert '  answer: {"text":"Hello, Zoe","length":3}\n' in shown.stdout
    bench = workspace.run("test", "--bench")
    assert (bench.returncode, "20 calls passed: p50 " in bench.stdout) == (0, True)

    assert workspace.run("drift", "--with-tests").returncode == 0
    put(cluster, "two")
    changed = workspace.run("drift", "--with-tests")
    assert changed.returncode == 2
    assert 'test.Greeter["file"] is answered differently, although nothing was published' in changed.stdout
    assert "Drift: 1 answered differently." in changed.stdout


def put(cluster: Cluster, text: str) -> None:
    data = cluster.api().data
    data.create_collection(cluster.user, "hidden")
    data.put(cluster.user, "hidden", "x.txt", [text.encode()], len(text))
