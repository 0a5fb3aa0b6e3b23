"""An example whose tests are run on its sources, without a cluster: by algosync's own performer and judge."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from examples import WORKFLOWS, Example
from fakes.clusters import FakeAlgorithms, FakeCluster, FakeTime, context_of
from wrong_version import WrongVersion

from algosync.answers import Judge, faults, read_baseline
from algosync.cli.testing.context import cases_of
from algosync.cluster.algorithms import Version
from algosync.cluster.answer import answer_of
from algosync.core.address import Address
from algosync.core.error import TestFailed
from algosync.core.planning.plan import Check
from algosync.core.planning.schedule import Step, Verb
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import TestCase
from algosync.core.testing.timing import Timing
from algosync.core.workflow import Workflow
from algosync.emulator.python import interpreters
from algosync.emulator.python.requirements import read
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.running.worker import RUNNER
from algosync.kinds import Context, test
from algosync.workflow import NamedFiles, TestInputs, load

__all__ = ["Judged", "judged"]

EVALUATOR = Path(__file__).with_name("evaluator.py")


@dataclass
class Evaluator:
    """The process that runs the sources."""

    process: subprocess.Popen[str]

    def ask(self, request: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the evaluator has ended"
        return json.loads(line)


class Evaluated(FakeAlgorithms):
    """Algorithms whose calls are answered by the evaluator. `time` moves by what a call takes."""

    def __init__(self, evaluator: Evaluator, time: FakeTime) -> None:
        super().__init__()
        self._evaluator, self._time = evaluator, time

    def published(self, owner: str, name: str) -> Version | None:
        return Version("0.1.0", "0" * 40, {})

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        told = self._evaluator.ask({"call": name, "payload": json.loads(payload)})
        self._time.now += told["seconds"]
        return answer_of(told["reply"], told["seconds"])


@dataclass
class Judged:
    """`failure` is the outcome of the tests of an example, run on a folder that is laid out like `workflows`."""

    example: Example
    evaluator: Evaluator
    workflow: Workflow
    context: Context

    def failure(self, folder: Path) -> tuple[str, TestFailed] | None:
        """The first test that fails, and why. None: all pass."""
        folders = {Path(source).name: str(folder / source) for source in self.example.sources}
        files = {path.name: str(path) for each in self.example.data for path in (folder / each).iterdir()}
        self.evaluator.ask({"load": folders, "files": files})
        for address, case in self._tests():
            check = Check(address, case, of_algorithm=address.name is None)
            spec = next(spec for spec in self.workflow.algorithms if spec.name == address.algorithm)
            try:
                test.perform(Step(address, Verb.TEST, check=check), spec, self.context, lambda _: None)
            except TestFailed as error:
                return str(address), error
        return None

    def address(self, wrong: WrongVersion) -> str:
        """Of the test that a wrong version fails."""
        assert self.workflow.entrypoint is not None
        return str(Address("test", self.workflow.entrypoint, wrong.test or None))

    def _tests(self) -> Iterator[tuple[Address, TestCase]]:
        """In the order of an apply."""
        entrypoint = self.workflow.entrypoint
        assert entrypoint is not None
        for spec in self.workflow.algorithms:
            for case in spec.tests:
                yield Address("test", spec.name, case.name or None), case
        for case in self.workflow.tests:
            yield Address("test", entrypoint, case.name), case


@contextmanager
def judged(example: Example) -> Iterator[Judged]:
    command = [str(part) for part in (environment(example), "-I", "-W", "ignore", EVALUATOR, RUNNER)]
    with tempfile.TemporaryDirectory() as home, Judge() as judge:
        process = subprocess.Popen(
            command, cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env={"HOME": home}
        )
        try:
            yield _judged(example, Evaluator(process), judge)
        finally:
            process.kill()
            process.communicate()


def _judged(example: Example, evaluator: Evaluator, judge: Judge) -> Judged:
    files, time, cluster = NamedFiles(WORKFLOWS), FakeTime(), FakeCluster()
    workflow = load(WORKFLOWS / example.workflow, {}, tests=TestInputs(files, faults))
    cluster.algorithms = Evaluated(evaluator, time)

    context = replace(
        context_of(cluster, *workflow.algorithms, time=time),
        judge=judge.judge,
        cases=partial(cases_of, files),
        accepted_timing=accepted_timing,
    )
    return Judged(example, evaluator, workflow, context)


def accepted_timing(text: str) -> Timing | None:
    return read_baseline(text).timing


def environment(example: Example) -> Path:
    """The Python of the algorithms' environment, which is shared with the local clusters of this machine."""
    if example.environment is None:
        return Path(sys.executable)
    source = next(WORKFLOWS / source for source in example.sources if Path(source).name == example.environment)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "algosync" / "environments"
    wanted = read(source / "requirements.txt")
    with tempfile.TemporaryFile() as log:
        return asyncio.run(Venvs(cache).provide(wanted, source, interpreters.OWN, log))
