"""One published algorithm with two data files on a cluster in memory. Workers load the data at the first call of a version."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from fakes.clusters import OWNER, FakeAlgorithms, FakeCluster, FakeTime, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore

from algosync.core.error import TestFailed
from algosync.core.event import Event
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.schedule import Step
from algosync.core.planning.target import Mode, Selection, matches
from algosync.core.report import Report, fold
from algosync.core.resource import Json, Record
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.engine.apply import apply, schedule_of
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context, KeptFiles
from algosync.kinds.previous_bytes import needed_files

__all__ = ["NAMES", "OLD", "KilledError", "Site", "converges", "expected", "site_in", "stored"]

HEADER = PlanHeader("w", None, "local", OWNER)
EVERYTHING = Selection()
NAMES = ("a.bin", "b.bin")
OLD = {"a.bin": b"old a", "b.bin": b"old b"}


class WarmAlgorithms(FakeAlgorithms):
    """A call fails if the files that its worker loaded are broken. `during_call` runs before each call."""

    def __init__(self, data: FakeStore) -> None:
        super().__init__()
        self._data = data
        self.loaded: dict[str, dict[str, bytes]] = {}
        self.during_call: Callable[[], None] = lambda: None

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        self.during_call()
        answer = super().call(owner, name, reference, payload, timeout)
        now = stored(self._data)
        loaded = self.loaded.setdefault(reference, now)
        published = {version.number for version in self.algorithms[name].versions}
        assert loaded == now or reference in published, "a commit was tested whose workers have other files"
        if any(b"broken" in content for content in loaded.values()):
            raise TestFailed("its model is broken")
        return answer


def stored(data: FakeStore) -> dict[str, bytes]:
    found = {}
    for name in data.files(OWNER, "One"):
        with data.open(OWNER, "One", name) as download:
            found[name] = b"".join(download.blocks)
    return found


class KilledError(BaseException):
    """The process ends here."""


@dataclass
class Site:
    """One published algorithm with two data files. `redacted` hides secrets.

    `killed_at`: apply is killed before it commits the record of this number.
    """

    folder: Path
    spec: AlgorithmSpec
    store: FakeStore = field(default_factory=FakeStore)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    killed_at: int = 0
    commits: int = 0
    redacted: Callable[[Json], Json] = lambda value: value
    tests: tuple[TestCase, ...] = ()

    def __post_init__(self) -> None:
        self.algorithms = WarmAlgorithms(self.cluster.data)
        self.cluster.algorithms = self.algorithms
        self.ledger = FakeLedger(before_commit=self.count_commit)
        self.code(b"def apply(input):\n    return input\n")
        for name, content in OLD.items():
            self.store.write("quality", "models", name, content)
        self.release()

    def release(self) -> None:
        assert self.apply().exit_code == 0

    def count_commit(self, record: Record) -> None:
        self.commits += 1
        if self.commits == self.killed_at:
            raise KilledError

    def code(self, text: bytes) -> None:
        path = self.folder / "algorithms" / "One" / "src" / "One.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)

    def use(self, content: dict[str, bytes]) -> None:
        for name, data in content.items():
            self.store.write("quality", "models", name, data)
        files = dict.fromkeys([*(file.name for file in self.spec.data_files), *content])
        self.spec = replace(self.spec, data_files=tuple(DataFile(f"data://.my/models/{name}", name) for name in files))

    def scene(self, wanted: Selection = EVERYTHING, *, run_only: bool = False) -> tuple[Workflow, Scene[Context]]:
        context = context_of(self.cluster, self.spec, folder=self.folder, store=self.store, ledger=self.ledger, time=FakeTime())
        retried = {a.algorithm for a in self.ledger.records if any(matches(a, pattern) for pattern in wanted.replace)}
        kept = KeptFiles(self.folder / ".kept", lambda: "lineage")
        payloads = {"One": self.tests}
        context = replace(
            context,
            recorded_only=wanted.mode is not Mode.APPLY,
            redacted=self.redacted,
            retried=frozenset(retried),
            kept=kept,
            tests=payloads,
        )
        workflow = Workflow("w", str(self.folder), (self.spec,), entrypoint="One", tests=self.tests, run_only=run_only)
        return workflow, Scene(KINDS, PERFORMERS, context, 1)

    def plan(self, wanted: Selection = EVERYTHING, *, run_only: bool = False) -> Plan:
        workflow, scene = self.scene(wanted, run_only=run_only)
        return make_plan(workflow, scene, self.ledger.records, HEADER, wanted)

    def steps(self, plan: Plan) -> tuple[Step, ...]:
        return schedule_of(plan, self.scene()[1]).steps

    def apply(self, wanted: Selection = EVERYTHING, until: Callable[[Event], bool] = lambda _: False) -> Report:
        """Leaves like Ctrl-C after the first event for which `until` is true."""
        workflow, scene = self.scene(wanted)
        plan = make_plan(workflow, scene, self.ledger.records, HEADER, wanted)
        seen = []
        with closing(apply(plan, workflow, scene, self.ledger)) as events:
            for event in events:
                seen.append(event)
                if until(event):
                    break
        scene.site.kept.sweep(needed_files(self.ledger.records.values()))
        return fold(seen, lambda: self.ledger.wrote)

    def restart(self) -> None:
        """What the session does after a kill: writes without a recorded outcome have to be looked at."""
        records = dict(self.ledger.records)
        pending: set[str] = set()
        for entry in self.ledger.log:
            verb, _, address = entry.partition(" ")
            pending = pending - {address} if verb in ("commit", "forget") else pending | {address}
        lost = {a: replace(r, destination_stamp=None) for a, r in records.items() if str(a) in pending}
        self.killed_at = 0
        self.ledger = FakeLedger({**records, **lost}.values(), before_commit=self.count_commit)

    @property
    def published(self) -> str:
        return self.algorithms.algorithms["One"].versions[0].number

    @property
    def live(self) -> dict[str, bytes]:
        return stored(self.cluster.data)


def site_in(folder: Path) -> Site:
    files = tuple(DataFile(f"data://.my/models/{name}", name) for name in NAMES)
    return Site(folder, AlgorithmSpec("One", "python3", data_files=files, tests=(TestCase("", "1"),)))


def expected(site: Site) -> dict[str, bytes]:
    """The data files as the workflow wants them."""
    found = {}
    for file in site.spec.data_files:
        with site.store.open("quality", "models", file.name) as download:
            found[file.name] = b"".join(download.blocks)
    return found


def converges(site: Site) -> None:
    assert site.apply().exit_code == 0
    assert site.live == expected(site)
    assert site.plan().visible == ()
    assert not any(note for _, note in site.plan().notes())
    loaded = site.algorithms.loaded.get(site.algorithms.algorithms["One"].versions[0].commit)
    assert loaded == site.live, "the published commit was tested with other files"
