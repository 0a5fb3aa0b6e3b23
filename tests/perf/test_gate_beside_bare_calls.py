"""The time of a gate over many labelled cases, as a ratio to the bare calls: the same calls by threads with one pool of urllib3.

Both call the same algorithm on the same local cluster with as many threads, in turn in each round, and each takes its turn to be
first. What else runs on the machine makes single rounds unequal. So either the median of the ratios or the ratio of the fastest
rounds has to be good: a slower gate raises both. The time of the gate includes everything: reading its file of cases, judging,
metrics and their intervals. Only the import of scikit-learn is left out, because it takes the same time for any number of cases.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import urllib3
from emulated import Emulator, emulator
from fakes.clusters import FakeCluster, context_of

from algosync.answers.gates.metric import metric_value
from algosync.cli.testing.context import cases_of
from algosync.cluster.address import parse
from algosync.cluster.connection import connect
from algosync.core.address import Address
from algosync.core.credential import credential
from algosync.core.event import Event, Measured
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.case import CaseFile, Load, QualityGate, TestCase
from algosync.core.workflow import AlgorithmSpec
from algosync.engine.streaming import concurrently
from algosync.kinds import Context, test
from algosync.net import Net
from algosync.workflow import NamedFiles

pytestmark = pytest.mark.alone

CASES = int(os.environ.get("ALGOSYNC_GATE_CASES", "1000"))
"""The figure of the promise is that of 5,000 cases. `ALGOSYNC_GATE_CASES` is another number."""

ROUNDS = 7
CONCURRENCY = 16
LIMIT = 1.3
GATE = QualityGate("f1", "$.label", at_least=0.5, by="region")
SOURCE = "def apply(input):\n    return {'label': 'abc'[input % 3], 'score': 0.5}\n"


@dataclass(frozen=True, slots=True)
class Gated:
    """A published algorithm, its labelled cases in a file, and the context of a command that tests it."""

    cluster: Emulator
    context: Context
    check: Check

    def gate(self) -> float:
        """The seconds of the whole gate."""
        events: list[Event] = []
        step = Step(self.check.address, Verb.TEST, check=self.check)
        began = time.perf_counter()
        test.perform(step, AlgorithmSpec("Gated", "python3"), self.context, events.append)
        seconds = time.perf_counter() - began
        (outcome,) = (event.gate for event in events if isinstance(event, Measured))
        assert outcome is not None
        assert (outcome.cases, outcome.broken, len(outcome.scores)) == (CASES, (), 5)
        return seconds

    def bare(self) -> float:
        """The seconds of the calls alone."""
        url = f"{self.cluster.address}/v1/algo/{self.cluster.owner}/Gated/0.1.0"
        headers = {"Authorization": f"Simple {self.cluster.key}", "Content-Type": "application/json"}
        pool = urllib3.PoolManager(maxsize=CONCURRENCY)

        def call(number: int) -> int:
            return len(pool.request("POST", f"{url}?timeout=300&stdout=true", body=b"%d" % number, headers=headers).json())

        began = time.perf_counter()
        with ThreadPoolExecutor(CONCURRENCY) as threads:
            assert len([*threads.map(call, range(CASES))]) == CASES
        return time.perf_counter() - began

    def round(self, number: int) -> tuple[float, float]:
        if number % 2:
            bare = self.bare()
            return self.gate(), bare
        return self.gate(), self.bare()


@pytest.fixture
def gated(tmp_path: Path, environments: Path) -> Iterator[Gated]:
    rows = [f"{number},{'abc'[(number + (number % 10 == 0)) % 3]},{number % 4}" for number in range(CASES)]
    file = tmp_path / "labelled.csv"
    file.write_text("payload,label,region\n" + "\n".join(rows) + "\n")
    cases = CaseFile(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), CASES)
    check = Check(
        Address("test", "Gated", "g"), TestCase("g", cases=cases, load=Load(concurrency=CONCURRENCY), gate=GATE), of_algorithm=True
    )
    with emulator(tmp_path / "cluster", environments) as cluster:
        cluster.deploy("Gated", SOURCE)
        assert cluster.publish("Gated").status == 200
        client = connect(parse(cluster.address, "test"), credential(cluster.key, "test"), Net()).algorithms
        context = context_of(FakeCluster())
        context = replace(
            context,
            destination=replace(context.destination, owner=cluster.owner, key_owner=cluster.owner, algorithms=client),
            cases=partial(cases_of, NamedFiles(tmp_path)),
            concurrently=concurrently,
            clock=time.monotonic,
        )
        yield Gated(cluster, context, check)


def test_a_gate_takes_little_more_than_its_calls(gated: Gated, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    metric_value("f1", ["1"], ["1"])
    imported = time.perf_counter() - began
    gated.bare(), gated.gate()  # starts the workers
    rounds = [gated.round(number) for number in range(ROUNDS)]
    ratios = sorted(gate / bare for gate, bare in rounds)
    gate, bare = (min(each) for each in zip(*rounds, strict=True))
    median, fastest = statistics.median(ratios), gate / bare
    with capsys.disabled():
        print(f"\ngate of {CASES} cases: {median:.2f} x the bare calls ({ratios[0]:.2f} to {ratios[-1]:.2f}),", end=" ")
        print(f"{fastest:.2f} x in the fastest rounds: {gate:.1f} s and {bare:.1f} s;", end=" ")
        print(f"importing scikit-learn takes {imported:.1f} s once")
    assert min(median, fastest) <= LIMIT
