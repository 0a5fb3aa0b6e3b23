"""Hello world from its creation to its release, beside a bare process that imports the official client; in turn, as a ratio.

Counted is all that a user waits for behind a client that is running already: to create the algorithm, to clone it and push a
commit (dulwich), until its build is told of as finished, its first call, which starts a worker, and to publish it. It has the
template's own requirements, the official client among them. Warm is the server, and the environment of these requirements: an
algorithm that came before has had it made. Not counted is the start of a client's process. The peer is counted whole, from the
start of its process to its end.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulated import ADK, Emulator, emulator

pytestmark = pytest.mark.alone

ROUNDS = 9
LIMIT = 1.5
"""Half of what was promised at first: what takes three times as long as it did is seen."""

POLL = 0.002

REPLACED_SECONDS = 1.0
"""Behind a first call the server starts a worker in reserve, which imports the client, too: not beside the peer."""

SOURCE = """\
from Algorithmia import ADK


def apply(input):
    return "Hello {{}}, {number}".format(input)


ADK(apply).init("world")
"""


class Rehearsal:
    """One algorithm after the other, from its creation to its release."""

    def __init__(self, cluster: Emulator) -> None:
        self._cluster = cluster
        self._number = 0
        self._client = cluster.client()
        cluster.environment()

    def run(self) -> dict[str, float]:
        """The seconds of each step."""
        self._number += 1
        name, steps = f"hello{self._number}", {}
        steps["create"], _ = _timed(lambda: self._cluster.create(name))
        files = {f"src/{name}.py": SOURCE.format(number=self._number), "requirements.txt": ADK}
        steps["push"], commit = _timed(lambda: self._cluster.push(name, files))
        steps["build"], build = _timed(lambda: self._built(name, commit))
        assert build["status"] == "succeeded", self._cluster.logs(name, build)
        algorithm = self._client.algo(f"{self._cluster.user}/{name}/{commit}")
        steps["call"], answer = _timed(lambda: algorithm.pipe("world"))
        assert answer.result == f"Hello world, {self._number}"
        steps["publish"], published = _timed(lambda: self._cluster.publish(name))
        assert published.json["version_info"]["semantic_version"] == "0.1.0"
        return steps

    def _built(self, name: str, commit: str) -> Any:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            build = self._cluster.get(f"/v1/algorithms/{self._cluster.owner}/{name}/builds")["results"][0]
            if build["commit_sha"] == commit and build["status"] != "in-progress":
                return build
            time.sleep(POLL)
        raise AssertionError(f"{name} has not been built")


def _timed(doing: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = doing()
    return time.perf_counter() - began, result


def _bare() -> float:
    time.sleep(REPLACED_SECONDS)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import Algorithmia"], check=True)
    return time.perf_counter() - began


def test_at_most_one_and_a_half_times_a_process_that_imports_the_client(
    tmp_path: Path, environments: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with emulator(tmp_path / "cluster", environments, jailed=True) as cluster:
        rehearsal = Rehearsal(cluster)
        rehearsal.run(), _bare()  # makes the environment, and compiles what is imported
        rounds = [(rehearsal.run(), _bare()) for _ in range(ROUNDS)]
    ratio = statistics.median(sum(steps.values()) / bare for steps, bare in rounds)
    whole = statistics.median(sum(steps.values()) for steps, _ in rounds)
    with capsys.disabled():
        print(f"\nhello world: {whole * 1000:.0f} ms, {ratio:.2f} x `python -c 'import Algorithmia'`")
        for step in rounds[0][0]:
            seconds = statistics.median(steps[step] for steps, _ in rounds)
            print(f"  {step:<8}{seconds * 1000:5.0f} ms  {seconds / whole:4.0%}")
    assert ratio <= LIMIT
