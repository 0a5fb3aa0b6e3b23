"""`algosync compare` between two clusters: the same answers, another model at the destination, answers that are never the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documents import check_document
from harness import Cluster, Workspace, cluster_process

LABELS = {"cat": {"label": "felis", "score": 0.9}, "dog": {"label": "canis", "score": 0.8}}
LABELLER = """
import Algorithmia


def apply(input):
    labels = Algorithmia.client().file(input["labels"]).getJson()
    return {"found": [labels[item] for item in input["items"]], "count": len(input["items"])}
"""
CLOCK = """
from datetime import datetime


def apply(input):
    now = datetime.now()
    return {"now": now.isoformat(), "second": now.strftime("%H:%M:%S"), "given": input, "ticks": [0] * (now.microsecond % 7)}
"""
ALGORITHMS: list[dict[str, object]] = [
    {
        "name": "Labeller",
        "language": "python3",
        "data_files": [{"source": "data://.my/models/labels-v3.json", "name": "labels.json"}],
        "test_payload": {"labels": "data://.my/<algo>/labels.json", "items": ["cat", "dog"]},
        "tests": [{"name": "cat", "payload": {"labels": "data://.my/<algo>/labels.json", "items": ["cat"]}}],
    },
    {"name": "Clock", "language": "python3", "test_payload": "x"},
]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Cluster]:
    with cluster_process(tmp_path / "source", user="quality") as running:
        yield running


@pytest.fixture
def export(workspace: Workspace, source: Cluster, cluster: Cluster) -> Workspace:
    """Both algorithms on both clusters: the source got them from a folder, the destination has the source's data."""
    code = {"Labeller": (LABELLER, "algorithmia>=1.7,<3\n"), "Clock": (CLOCK, "")}
    for name, (text, requirements) in code.items():
        workspace.algorithm(name, text, requirements)
    put(source, "models", "labels-v3.json", LABELS)
    workspace.data("models", "labels-v3.json", json.dumps(LABELS).encode())
    workspace.write(ALGORITHMS)
    workspace.apply("--state", "states-of-the-source", environ=source.environ())
    # There the workflow's path does not exist, so a payload that is not translated fails.
    source.api().data.delete("quality", "Labeller", "labels.json")
    workspace.write(ALGORITHMS, source_info={"cluster_address": source.url})
    workspace.environ |= {"SOURCE_API_KEY": source.key}
    workspace.apply()
    return workspace


def put(cluster: Cluster, collection: str, name: str, content: object) -> None:
    data, text = cluster.api().data, json.dumps(content).encode()
    data.create_collection(cluster.user, collection)
    data.put(cluster.user, collection, name, [text], len(text))


def compared(space: Workspace, code: int, *arguments: str) -> dict[str, Any]:
    done = space.run("compare", "--json", *arguments)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    document: dict[str, Any] = json.loads(done.stdout)
    check_document("diagnostics" if code == 1 else "compare", document)
    return document


def test_the_answers_of_two_clusters(export: Workspace, source: Cluster, cluster: Cluster) -> None:
    states = {path: path.read_bytes() for path in (export.folder / "state").glob("*~*")}
    with source.writes() as there, cluster.writes() as here:
        equal = compared(export, 0)
    assert (there.lines, here.lines) == ((), ())
    assert {path: path.read_bytes() for path in (export.folder / "state").glob("*~*")} == states
    assert equal["counts"] == {"equal": 3, "different": 0, "error": 0}
    labeller, _, clock = equal["comparisons"]
    assert (labeller["source"], labeller["destination"]) == ("quality/Labeller 0.1.0", "local/Labeller 0.1.0")
    assert labeller["noise"] == []
    assert {each["path"] for each in clock["noise"]} >= {"$.now"}
    assert all(row["source_median_seconds"] > 0 and row["destination_median_seconds"] > 0 for row in equal["comparisons"])

    put(cluster, "Labeller", "labels.json", {**LABELS, "dog": {"label": "lupus", "score": 0.8}})
    swapped = compared(export, 2)
    assert swapped["counts"] == {"equal": 2, "different": 1, "error": 0}
    (case,) = swapped["comparisons"][0]["cases"]
    assert case["differences"] == [{"path": "$.found[1].label", "source": '"canis"', "destination": '"lupus"', "note": ""}]
    assert compared(export, 0, "--filter", "cat", "--repeat", "2")["counts"]["equal"] == 1

    text = export.run("compare", "--target", "Labeller")
    assert text.returncode == 2
    assert '~ $.found[1].label: source "canis", destination "lupus"' in text.stdout
    assert "Compared 2 tests: 1 equal, 1 different, 0 not compared." in text.stdout

    key = source.add_key("quality", call=False)
    refused = export.run("compare", environ={"SOURCE_API_KEY": key})
    assert refused.returncode == 1
    assert "the source's key may not call algo://quality/Labeller/0.1.0" in refused.stderr
    assert "needs the right to call algorithms" in refused.stderr

    export.write(ALGORITHMS)
    assert "the source file://source is a folder, and no algorithm can be called there" in said(export)
    export.write([{"name": "Clock", "language": "python3"}], source_info={"cluster_address": source.url})
    assert "there is nothing to compare: the workflow has no tests" in said(export)
    export.algorithm("New")
    export.write([{"name": "New", "language": "python3", "test_payload": 1}], source_info={"cluster_address": source.url})
    assert "New has no published version to test at the destination" in said(export)


def said(space: Workspace) -> str:
    """The message of a comparison that is not possible."""
    done = space.run("compare", "--json")
    assert done.returncode == 1, done.stderr
    json.loads(done.stdout)
    return done.stderr


def test_an_algorithm_is_not_compared_with_itself(export: Workspace, source: Cluster) -> None:
    document = compared(Workspace(export.folder, {**export.environ, **source.environ()}), 1, "--state", "states-of-the-source")
    assert "would be compared with itself" in document["diagnostics"][0]["summary"]
