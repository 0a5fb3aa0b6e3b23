"""Many calls of one algorithm at concurrency 16: their time beside a bare pooled loop, and their percentiles beside a load tool.

The calls go to a local cluster. The bare loop is a pool of threads over urllib3, which sends the same requests and reads each
reply.
The load tool is Apache's `ab`. `ALGOSYNC_LOAD_CALLS` is the number of calls of a round.
"""

from __future__ import annotations

import csv
import math
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import urllib3
from fakes.releases import Release
from harness import Cluster, Workspace, cluster_process

from algosync.core.testing.answer import Called
from algosync.core.testing.case import Load, TestCase
from algosync.core.testing.timing import Timing
from algosync.engine.streaming import concurrently
from algosync.kinds.testing.caller import AlgorithmCaller
from algosync.kinds.testing.run import Run
from algosync.kinds.testing.target import CallTarget

pytestmark = pytest.mark.alone

CALLS = int(os.environ.get("ALGOSYNC_LOAD_CALLS", "400"))
AT_ONCE = 16
ROUNDS = 5
LIMIT = 1.3
VERSION = "0.1.0"
PAYLOAD = '{"name": "Ada"}'
QUICK = "def apply(input):\n    return {'got': input}\n"
SLEEPY = "import random, time\n\ndef apply(input):\n    time.sleep(random.uniform(0.01, 0.11))\n    return {'got': input}\n"


@dataclass(frozen=True)
class Calls:
    """Calls of published algorithms of one cluster. `folder`: a temporary one."""

    cluster: Cluster
    folder: Path

    def algosync(self, name: str) -> Timing:
        """As a test of the workflow makes them."""
        release = Release(self.folder)
        services = replace(release.context.destination, algorithms=self.cluster.api().algorithms, owner=self.cluster.user)
        context = replace(release.context, destination=services, concurrently=concurrently, clock=time.monotonic)
        case = TestCase("load", PAYLOAD, load=Load(repeat=CALLS, concurrency=AT_ONCE, warmup=AT_ONCE))
        target = CallTarget(name, VERSION, Called(VERSION, ""), candidate=False)
        run = Run(case, AlgorithmCaller(target, context), context)
        assert all(result.passed for result in run.results())
        return run.timing()

    def bare(self, name: str) -> float:
        """The seconds of the same requests in a plain loop over kept connections."""
        pool = urllib3.PoolManager(maxsize=AT_ONCE, block=True)
        headers = {"Authorization": f"Simple {self.cluster.key}", "Content-Type": "application/json"}
        url = f"{self.url(name)}?timeout=300&stdout=True"

        def call(_: int) -> bool:
            reply = pool.request("POST", url, body=PAYLOAD, headers=headers)
            return reply.status == 200 and "result" in reply.json()

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert all(threads.map(call, range(AT_ONCE)))
            started = time.monotonic()
            assert all(threads.map(call, range(CALLS)))
            return time.monotonic() - started

    def url(self, name: str) -> str:
        return f"{self.cluster.url}/v1/algo/{self.cluster.user}/{name}/{VERSION}"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    folder = tmp_path_factory.mktemp("load")
    with cluster_process(folder / "cluster") as cluster:
        place = Workspace(folder / "place", cluster.environ())
        place.folder.mkdir()
        place.algorithm("Quick", QUICK)
        place.algorithm("Sleepy", SLEEPY)
        place.write([{"name": name, "language": "python3"} for name in ("Quick", "Sleepy")])
        place.run("apply", "--auto-approve", "--allow", "untested")
        yield Calls(cluster, folder / "release")


def test_the_time_of_a_call_is_little_more_than_that_of_a_bare_one(calls: Calls) -> None:
    ratios, ours = [], []
    for number in range(ROUNDS):
        first = calls.bare("Quick") if number % 2 else 0.0
        timing = calls.algosync("Quick")
        bare = first or calls.bare("Quick")
        ratios.append(timing.total / bare)
        ours.append(timing.throughput)
    ratio = statistics.median(ratios)
    print(f"{CALLS} calls, {AT_ONCE} at once: {statistics.median(ours):.0f} a second, {ratio:.2f} x the time of a bare pooled loop")
    assert ratio <= LIMIT, ratios


@pytest.mark.needs("ab")
def test_percentiles_are_those_of_a_load_tool(calls: Calls) -> None:
    """Each lies between two percentiles of the tool. Their distance is the sampling error of both (Dvoretzky, Kiefer,
    Wolfowitz).
    """
    timing = calls.algosync("Sleepy")
    served = load_tool(calls)
    error = 100 * 2 * math.sqrt(math.log(2 / 0.001) / (2 * CALLS))
    found = {50: timing.p50, 95: timing.p95, 99: timing.p99}
    told = ", ".join(f"p{part} {value * 1000:.0f} and {served[part] * 1000:.0f} ms" for part, value in found.items())
    print(f"{CALLS} calls, {AT_ONCE} at once, algosync and ab: {told}")
    for part, value in found.items():
        low, high = max(math.floor(part - error), 0), math.ceil(part + error)
        assert served[low] * 0.9 <= value, (part, told)
        assert value <= served[min(high, 99)] * 1.1 or high > 99, (part, told)
    assert timing.p50 < timing.p95 <= timing.p99 <= timing.max


def load_tool(calls: Calls) -> list[float]:
    """Seconds by percentile, from 0 to 99."""
    payload, table = calls.folder.parent / "payload.json", calls.folder.parent / "served.csv"
    payload.write_text(PAYLOAD)
    subprocess.run(
        [
            *("ab", "-q", "-k", "-n", str(CALLS), "-c", str(AT_ONCE), "-p", str(payload), "-T", "application/json"),
            *("-H", f"Authorization: Simple {calls.cluster.key}", "-e", str(table), calls.url("Sleepy")),
        ],
        check=True,
        capture_output=True,
    )
    rows = list(csv.reader(table.read_text().splitlines()))[1:]
    return [float(milliseconds) / 1000 for _, milliseconds in rows]
