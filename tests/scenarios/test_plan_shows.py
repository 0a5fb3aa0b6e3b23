"""What a plan shows of a real cluster: who changed what, why, and how, in documents that fit their schemas."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from documents import check_document
from harness import PLAIN, Cluster, Workspace

CHANGED = PLAIN.replace("'version': 1", "'version': 2")


def test_who_changed_it_why_it_changes_and_how(cluster: Cluster, workspace: Workspace) -> None:
    workspace.algorithm("One")
    uri = workspace.data("models", "w.bin", b"12345")
    workspace.write([{"name": "One", "language": "python3", "test_payload": 1, "data_files": [uri]}])
    workspace.apply("--diff")
    cluster.push_behind("One", "src/One.py", b"def apply(input):\n    return 'theirs \x1b[2J'\n")
    cluster.api().data.put("local", "One", "w.bin", [b"theirs"], 6)
    workspace.algorithm("One", CHANGED)
    arguments = ("--diff", "--explain", "*", "--summary-file", "summary.json")
    text = workspace.run("plan", *arguments).stdout
    outside, _, actions = text.partition("\nalgosync will perform the following actions:\n")
    assert "\nNote: Objects have changed outside of algosync\n" in outside
    assert re.search(r"  # source\.One has changed\n      \(by Somebody <else@localhost>, at \d", outside)
    assert "  # source.One will be updated in-place\n" in actions
    assert re.search(r'  # data\.One\["w\.bin"\] has changed\n      \(at \d', outside)
    assert "\n--- a/src/One.py\n+++ b/src/One.py\n@@ " in text
    assert "\n-    return 'theirs \\x1b[2J'\n" in text
    assert "\n+    return {'got': input, 'version': 2}\n" in text
    assert "\nWhy source.One: update (both-changed: " in text
    assert "\nWhy algorithm.One: no-op (equal: " in text
    assert text.index("Plan: ") < text.index("\nUpdate: ") < text.index("\nDifferences of source.One")
    document = json.loads(workspace.run("plan", "--json", *arguments).stdout)
    check_document("plan", document)
    check_document("summary", json.loads((workspace.folder / "summary.json").read_text()))
    drift = {row["address"]: row for row in document["resource_drift"]}
    assert drift["source.One"]["by"] == "Somebody <else@localhost>"
    assert all(datetime.fromisoformat(row["at"]).tzinfo for name, row in drift.items() if name != "version.One")
    reasons = {row["address"]: row["reason"] for row in document["explanations"]}
    assert reasons["source.One"] == "both-changed"
    assert reasons['data.One["w.bin"]'] == "destination-changed"
    files: list[dict[str, Any]] = document["diffs"]
    assert [(each["address"], each["path"], each["action"]) for each in files] == [("source.One", "src/One.py", "update")]


def test_an_address_that_is_not_there(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3"}])
    done = workspace.run("plan", "--explain", "sorce.One")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "Error: --explain: nothing in this workflow is called sorce.One\n  did you mean source.One?\n"


def test_a_graph_fits_its_schema(workspace: Workspace) -> None:
    workspace.algorithm("One")
    workspace.write([{"name": "One", "language": "python3", "data_files": ["data://.my/m/x"]}])
    check_document("graph", json.loads(workspace.run("graph", "--format", "json").stdout))
