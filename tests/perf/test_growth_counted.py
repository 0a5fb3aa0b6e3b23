"""Growth of work with the size of a workflow: plan, apply and plan again on clusters in memory, counted and not timed.

Twice the workflow takes twice the work if the work is linear, and four times the work if it is quadratic.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from fakes.clusters import FakeCluster, context_of
from fakes.stores import FakeStore

from algosync.cli.live import watch
from algosync.cli.terminal import Terminal
from algosync.cluster.data import FileStat
from algosync.core.event import Event
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.redaction import Redactor
from algosync.core.report import Report, fold
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.engine.apply import apply
from algosync.engine.drift import find_drift
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context
from algosync.sources.called_algorithms import call_warnings
from algosync.state import Session, open_session
from algosync.views import FORMATS
from algosync.views.report import closing_lines, failure_lines, outcome_lines
from algosync.views.subject import Planned

CODE = "# calls <user>/A0\ndef apply(input):\n    return input\n"
MANIFEST = '{{"required_files": [{{"name": "model", "source_uri": "{uri}", "fail_on_tamper": true, "md5_checksum": "{md5}"}}]}}'
MD5 = "25d55ad283aa400af464c76d713c07ad"  # of b"12345678"


class CountingStore(FakeStore):
    """`entries`: all files in all listings."""

    entries = 0
    puts = 0

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        found = super().files(owner, collection)
        self.entries += len(found)
        return found

    def write(self, owner: str, collection: str, name: str, data: bytes) -> str:
        self.puts += 1
        return super().write(owner, collection, name, data)


@dataclass
class World:
    """A workflow with this many algorithms of this many data files, whose source has everything. The destination is empty."""

    folder: Path
    algorithms: int
    files: int
    manifests: bool = False
    source: CountingStore = field(default_factory=CountingStore)
    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(data=CountingStore("jane")))
    flow: Workflow = field(init=False)

    def __post_init__(self) -> None:
        specs = tuple(self._spec(f"A{number}") for number in range(self.algorithms))
        tests = tuple(TestCase(f"t{number}", "1") for number in range(self.algorithms))
        self.flow = Workflow("w", str(self.folder), specs, entrypoint="A0", tests=tests)

    def _spec(self, name: str) -> AlgorithmSpec:
        code = self.folder / "algorithms" / name
        (code / "src").mkdir(parents=True)
        (code / "src" / f"{name}.py").write_text(CODE)
        uris = [self.source.write("quality", name, f"f{number}", b"12345678") for number in range(self.files)]
        if self.manifests:
            (code / "model_manifest.json").write_text(MANIFEST.format(uri=uris[0], md5=MD5))
        files = tuple(DataFile(uri, f"f{number}") for number, uri in enumerate(uris))
        return AlgorithmSpec(name, "python3", data_files=files, tests=(TestCase("", "1"),))

    def scene(self, session: Session) -> Scene[Context]:
        context = context_of(self.cluster, *self.flow.algorithms, folder=self.folder, store=self.source, ledger=session)
        return Scene(KINDS, PERFORMERS, context, 4)

    def run(self) -> tuple[Plan, Report]:
        """A plan and its apply, with everything that is shown of them."""
        terminal, redactor = Terminal(io.StringIO(), io.StringIO(), (True, True), live=False), Redactor()
        with open_session(str(self.folder / "state"), "w@local~me.json", exclusive=True) as session:
            scene = self.scene(session)
            plan = make_plan(self.flow, scene, session.records, PlanHeader("w", None, "local", "me"))
            assert list(call_warnings(self.flow)) == []
            assert all(view(Planned(plan, {}), redactor) for view in FORMATS.values())
            report = fold(watch(self.events(plan, scene, session), terminal), lambda: True)
            for lines in (closing_lines(report, plan), outcome_lines(report, plan), failure_lines(report, str)):
                assert "\n".join(lines) is not None
        return plan, report

    def events(self, plan: Plan, scene: Scene[Context], session: Session) -> Iterator[Event]:
        return apply(plan, self.flow, scene, session)

    def drift(self) -> None:
        with open_session(str(self.folder / "state"), "w@local~me.json", exclusive=False) as session:
            assert find_drift(self.flow, self.scene(session), session.records) == ()

    def release(self) -> None:
        """Plans, applies, plans again, and looks for drift."""
        plan, report = self.run()
        assert (len(plan.visible), report.exit_code) == (self.algorithms * (self.files + 3), 0)
        plan, report = self.run()
        assert (plan.visible, report.exit_code) == ((), 0)
        self.drift()

    def fail(self) -> None:
        """An apply in which every first step fails."""
        self.cluster.data.failures |= {f"put A{number}": _refused() for number in range(self.algorithms)}
        _, report = self.run()
        assert len(report.failed) >= self.algorithms * self.files

    @property
    def requests(self) -> dict[str, int]:
        data = self.cluster.data
        assert isinstance(data, CountingStore)
        return {
            "listings": len(data.listed) + len(self.source.listed),
            "listed files": data.entries + self.source.entries,
            "reads": len(data.opened) + len(self.source.opened),
            "writes": data.puts,
            "requests": len(self.cluster.algorithms.requests),
        }


def _refused() -> Any:
    from algosync.core.error import Denied

    return Denied("no")


@contextmanager
def executed_lines() -> Iterator[Callable[[], int]]:
    """How many lines of algosync all threads executed while the body ran. An iteration of a comprehension counts as a line.

    `<string>` is the code that the standard library generates for dataclasses, such as comparisons.
    """
    lines = count()

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if event == "line":
            next(lines)
        name = frame.f_code.co_filename
        return trace if name == "<string>" or "/algosync/" in name else None

    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield lambda: next(lines)
    finally:
        sys.settrace(before)
        threading.settrace(before)


def written_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], None]) -> int:
    """The bytes of state and journal that were written meanwhile. Nothing waits for the disk."""
    written = [0]
    real = os.write

    def write(descriptor: int, data: Any) -> int:
        if str(folder) in os.readlink(f"/proc/self/fd/{descriptor}"):
            written[0] += len(data)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    deed()
    monkeypatch.undo()
    return written[0]


# Worlds by their size. The first is as it is in the field: one algorithm with many files, many algorithms with one.
WORLDS: dict[str, Callable[[Path, int], World]] = {
    "files in one algorithm": lambda folder, size: World(folder, 1, size),
    "algorithms with one file": lambda folder, size: World(folder, size, 1),
    "algorithms with a manifest": lambda folder, size: World(folder, size, 1, manifests=True),
}


@pytest.mark.parametrize("deed", [World.release, World.fail])
@pytest.mark.parametrize("what", WORLDS)
def test_twice_the_workflow_executes_twice_the_lines(
    what: str, deed: Callable[[World], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    deed(WORLDS[what](tmp_path / "warm", 3))
    lines = []
    for size in (100, 200):
        world = WORLDS[what](tmp_path / str(size), size)
        with executed_lines() as executed:
            deed(world)
            lines.append(executed())
    few, many = lines
    assert few > 10_000
    assert many < 2.2 * few, f"{few} lines, then {many}"


@pytest.mark.parametrize(("what", "size"), [("files in one algorithm", 10_000), ("algorithms with one file", 2_000)])
def test_requests_and_written_bytes_grow_with_the_workflow(
    what: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number in (size // 2, size):
        world = WORLDS[what](tmp_path / str(number), number)
        octets = written_bytes(tmp_path, monkeypatch, world.release)
        found.append({**world.requests, "bytes": octets})
    few, many = found
    # Files that settle together share a listing; how many do is a matter of time. A listing for each file would be 10,000 x size.
    shared = {"listings", "listed files"}
    assert all(many[name] <= 2.1 * few[name] for name in many.keys() - shared), f"{few}, then {many}"
    assert many["writes"] == size
    assert many["reads"] == 2 * size
    assert many["listed files"] <= 15 * size
