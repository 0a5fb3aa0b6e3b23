"""`graph`: the algorithms of a workflow, whatever their files are called."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from documents import check_document
from harness import Workspace

from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.views.graph import WorkflowGraph, dot_lines, graph_document, mermaid_lines

HOSTILE = 'a"] ; b -> c \\N \\" <b> #quot; \n::stop::\x1b[2J \u202e'
SPECS = (
    AlgorithmSpec("Low", "python3", data_files=(DataFile("data://.my/m/w.bin", "w.bin"), DataFile("data://.my/m/x", HOSTILE))),
    AlgorithmSpec("High", "python3", depends_on=("Low",)),
    AlgorithmSpec("Other", "python3"),
)
GRAPH = WorkflowGraph(
    Workflow("release", "/", SPECS, entrypoint="High"),
    {"High": ("Low", "Other", "High", "Elsewhere")},
    {"High": {"Low": ["w.bin"], "Elsewhere": []}, "Other": {"Low": ["unmanaged", "w.bin"], "High": [], "Other": []}},
)


def test_dot() -> None:
    lines = list(dot_lines(GRAPH, str))
    hostile = lines.pop(5)
    assert lines == [
        'digraph "release" {',
        "  rankdir=LR",
        '  a0 [shape=box, label="Low"]',
        '  a0f0 [shape=note, label="w.bin"]',
        "  a0 -> a0f0",
        "  a0 -> a0f1",
        '  a1 [shape=box, label="High"]',
        '  a2 [shape=box, label="Other"]',
        "  a1 -> a0",
        "  a1 -> a2 [style=dashed, label=calls]",
        "  a1 -> a0f0 [style=dotted, label=reads]",
        "  a2 -> a0f0 [style=dotted, label=reads]",
        "  a2 -> a0 [style=dotted, label=reads]",
        "  a2 -> a1 [style=dotted, label=reads]",
        "}",
    ]
    # One string of DOT: no quote in it is without a backslash, and no backslash begins an escape of labels.
    assert re.fullmatch(r'  a0f1 \[shape=note, label="(?:[^"\\]|\\["\\])*"\]', hostile)
    assert hostile.isascii()


def test_mermaid() -> None:
    lines = list(mermaid_lines(GRAPH, str))
    hostile = lines.pop(3)
    assert lines == [
        "flowchart LR",
        '  a0["Low"]',
        '  a0 --> a0f0[("w.bin")]',
        '  a1["High"]',
        '  a2["Other"]',
        "  a1 --> a0",
        "  a1 -. calls .-> a2",
        "  a1 -. reads .-> a0f0",
        "  a2 -. reads .-> a0f0",
        "  a2 -. reads .-> a0",
        "  a2 -. reads .-> a1",
    ]
    assert re.fullmatch(r'  a0 --> a0f1\[\("(?:[A-Za-z0-9 ._/-]|#\d+;)*"\)\]', hostile)


def test_json() -> None:
    document = graph_document(GRAPH)
    assert isinstance(document, dict)
    check_document("graph", document)
    low, high, other = document["algorithms"]
    assert (document["workflow"], document["entrypoint"]) == ("release", "High")
    assert low["data_files"] == [{"name": file.name, "source": file.source} for file in SPECS[0].data_files]
    assert (high["depends_on"], high["calls"], other["calls"]) == (["Low"], ["Other"], [])
    assert [low["reads"], high["reads"], other["reads"]] == [{}, {"Low": ["w.bin"]}, {"Low": ["unmanaged", "w.bin"], "High": []}]


@pytest.mark.parametrize("form", ["dot", "mermaid", "json"])
def test_it_needs_no_cluster_and_hides_secrets(tmp_path: Path, form: str) -> None:
    workspace = Workspace(tmp_path, {"ALGOSYNC_VAR_token": "s3cret-token"})
    workspace.algorithm("Low")
    workspace.algorithm(
        "High",
        "import Algorithmia\n\n\ndef apply(input):\n    client = Algorithmia.client()\n"
        "    return client.algo('<user>/Low').pipe(client.file('data://.my/Low/labels.txt').getString())\n",
    )
    (tmp_path / "workflow.yaml.j2").write_text(
        "variables:\n  token: {sensitive: true}\n"
        "source_info: {cluster_address: https://api.example.invalid}\n"
        "algorithms:\n"
        "  - {name: Low, language: python3, data_files: ['data://.my/m/{{ token }}.bin']}\n"
        "  - {name: High, language: python3}\n"
    )
    done = workspace.run("graph", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert "s3cret" not in done.stdout
    assert "calls" in done.stdout
    assert "reads" in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["algorithms"][1]["calls"] == ["Low"]
        assert json.loads(done.stdout)["algorithms"][1]["reads"] == {"Low": ["labels.txt"]}
    assert workspace.run("graph", "--format", "svg").returncode == 64
