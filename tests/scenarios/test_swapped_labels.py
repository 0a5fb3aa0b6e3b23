"""The example `swapped_labels`: a changed model that answers, but wrongly, is refused while its published version is called."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from harness import Cluster, Workspace

WORKFLOWS = Path(__file__).parents[2] / "workflows"
MODELS = WORKFLOWS / "swapped_labels" / "quality" / "models"
MESSAGE = "Has my parcel been shipped?"
SWAPPED = ("--var", "model=topics_swapped")


@pytest.fixture
def topics(workspace: Workspace) -> Workspace:
    """The example with its good model, published."""
    for name in ("swapped_labels", "algorithms/TicketTopic", "tests/TicketTopic"):
        target = workspace.folder / "workflows" / name
        shutil.copytree(WORKFLOWS / name, target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(WORKFLOWS / "swapped_labels.yaml.j2", workspace.folder / "workflows")
    workspace.settle_source()
    workspace.apply()
    return workspace


def topic(cluster: Cluster) -> object:
    request = urllib.request.Request(
        f"{cluster.url}/v1/algo/local/TicketTopic/latestPrivate",
        json.dumps(MESSAGE).encode(),
        {"Authorization": cluster.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["result"]["topic"]


@contextmanager
def calling(cluster: Cluster) -> Iterator[list[object]]:
    """Call what is published, one call after the other, while the body runs. Yields the answers, or the errors, so far."""
    answers, stop = list[object](), threading.Event()

    def call() -> None:
        while not stop.is_set():
            try:
                answers.append(topic(cluster))
            except Exception as error:  # noqa: BLE001  # the test shows any failure
                answers.append(error)
            time.sleep(0.02)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def published(cluster: Cluster) -> tuple[str, bytes]:
    """The number of the published version, and the model that is stored."""
    version = cluster.api().algorithms.published("local", "TicketTopic")
    assert version is not None
    with cluster.api().data.open("local", "TicketTopic", "topics.json") as download:
        return version.number, b"".join(download.blocks)


def test_a_swapped_label_is_refused_before_publishing(cluster: Cluster, topics: Workspace) -> None:
    good = (MODELS / "topics.json").read_bytes()
    assert (published(cluster), topic(cluster)) == (("0.1.0", good), "delivery")
    with calling(cluster) as answers:
        started = datetime.now(timezone.utc).replace(microsecond=0)
        output = topics.apply(*SWAPPED, code=3)
        ended = datetime.now(timezone.utc)
    assert (published(cluster), topic(cluster)) == (("0.1.0", good), "delivery")
    assert len(answers) > 10
    assert set(answers) == {"delivery"}

    assert "  passed   test.TicketTopic  " in output  # the call alone shows nothing
    assert 'FAILED   test.TicketTopic["topics"]' in output
    assert 'answer: {"topic":"returns","score":0.91,"words":["parcel","late","late"]}' in output
    assert '$.topic: expected "delivery", got "returns"  [equals]' in output
    assert '$.topic: expected "returns", got "delivery"  [contains]' in output
    assert "Not published: TicketTopic." in output

    told = re.search(r"started between (\S+) and (\S+) may have loaded the new file", output)
    assert told is not None
    first, last = map(datetime.fromisoformat, told.groups())
    assert started <= first <= last <= ended


def test_without_expectations_the_swapped_model_is_published(cluster: Cluster, topics: Workspace) -> None:
    """What the example was before: a test passes if the call raises nothing."""
    path = topics.folder / "workflows" / "swapped_labels.yaml.j2"
    text, count = re.subn(r"^    tests:\n(      .*\n)+", "", path.read_text(), flags=re.MULTILINE)
    assert count == 1
    path.write_text(text)
    topics.apply(*SWAPPED)
    assert (published(cluster)[0], topic(cluster)) == ("0.2.0", "returns")
