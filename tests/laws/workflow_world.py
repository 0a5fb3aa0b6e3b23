"""A world of workflows: sources and a cluster in memory, states, and the commands that work on them.

The states are the real ones. A run that dies leaves the place of the state as it was at that moment, and the folder of the machine
too, or an empty one if the machine is thrown away.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from clocks import SETTLED, ClockedStore, Clocks, WorldTime
from fakes.clusters import OWNER, FakeAlgorithm, FakeAlgorithms, FakeCluster, context_of
from fakes.repositories import FakeRepository
from fakes.stores import FakeStore
from state_places import NAME, FolderStates, StatePlace
from troubles import DiedError, Troubled, Troubles

from algosync.cluster.data import split
from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.redaction import Redactor
from algosync.core.report import Report, fold
from algosync.core.resource import Record
from algosync.core.secret import Secret
from algosync.core.testing.answer import Answer
from algosync.core.testing.case import TestCase
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec, DataFile, Details, Workflow
from algosync.engine.apply import apply
from algosync.engine.plan import Scene, make_plan
from algosync.kinds import KINDS, PERFORMERS, Context, KeptFiles
from algosync.kinds.destination import Destination
from algosync.kinds.ports import AlgorithmService, GitRepository
from algosync.kinds.previous_bytes import needed_files
from algosync.kinds.shared_listings import SharedListings
from algosync.net import Retry
from algosync.state import Session, state_name
from algosync.views.document import json_text, plan_document

__all__ = ["SOURCE", "Seat", "World", "stored"]

SOURCE = "quality"  # the owner of the source's files
DESTINATION = "https://destination"
THEIRS = "theirs.txt"  # somebody else's file in a repository, outside of the source


class WarmAlgorithms(FakeAlgorithms):
    """The workers of a version keep the data files that they loaded at its first call. `managed`: those that the workflow has.

    `alone` is False while somebody else may call commits, too.
    """

    alone = True

    def __init__(self, data: FakeStore, managed: Callable[[str], Collection[str]]) -> None:
        super().__init__()
        self._data, self._managed = data, managed
        self.loaded: dict[tuple[str, str], Mapping[str, bytes]] = {}

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        now = stored(self._data, owner, name)
        loaded = self.loaded.setdefault((name, reference), now)
        published = {version.number for version in self.algorithms[name].versions}
        other = {file for file in self._managed(name) if loaded.get(file) != now.get(file)}
        assert not self.alone or not other or reference in published, (
            f"commit {reference} of {name} was tested whose workers have another {other}"
        )
        return super().call(owner, name, reference, payload, timeout)

    def everything(self) -> object:
        """All that it has, to be compared."""
        found = self.algorithms
        return {name: (a.details, a.settings, a.repository.head(), tuple(a.builds), tuple(a.versions)) for name, a in found.items()}


def stored(data: FakeStore, owner: str, collection: str) -> dict[str, bytes]:
    """The files of a collection, which need not exist."""
    return dict(data._collections.get((owner, collection), {}))


class TroubledCluster(FakeCluster):
    """A cluster that is reached through troubles, with the key of one owner."""

    troubles = Troubles()

    def destination(self) -> Destination:
        troubles, found = self.troubles, self.algorithms

        def troubled(target: object) -> object:
            return Troubled(target, troubles)

        def open_repository(name: str) -> GitRepository:
            return cast("GitRepository", troubled(found.algorithms[name].repository))

        algorithms = cast("AlgorithmService", troubled(found))
        data = SharedListings(cast("FakeStore", troubled(self.data)), self.clock)
        owner = self.key_owner
        return Destination(owner, owner, algorithms, data, open_repository, Retry(tries=2, pause=lambda _: None))


class WatchedSession(Session):
    """A session whose records are calls with troubles. Every change moves the serial by one."""

    troubles = Troubles()
    acknowledged: dict[Address, Record]

    def commit_all(self, records: Iterable[Record], forgotten: Iterable[Address] = ()) -> None:
        given, gone = tuple(records), tuple(forgotten)
        self.troubles.call(lambda: self._commit_all(given, gone), remote=False)

    def forget(self, address: Address) -> None:
        self.commit_all((), (address,))

    def _commit_all(self, records: Sequence[Record], forgotten: Sequence[Address]) -> None:
        news, serial = (
            sum(self.records.get(r.address) != r for r in records) + sum(a in self.records for a in forgotten),
            self.serial,
        )
        super().commit_all(records, forgotten)
        assert news <= self.serial - serial <= len(records) + len(forgotten)
        self.acknowledged |= {record.address: record for record in records}
        for address in forgotten:
            self.acknowledged.pop(address, None)


@dataclass
class Seat:
    """A machine and a key: a state of its own. `machine` is a folder with everything that commands keep there."""

    machine: Path
    owner: str = OWNER
    key: Secret = field(default_factory=lambda: Secret("simFIRST"))
    name: str = ""
    lineage: str | None = None
    serial: int = 0
    acknowledged: dict[Address, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.name or (NAME if self.owner == OWNER else state_name("w", DESTINATION, self.owner))
        self.machine.mkdir(exist_ok=True)


@dataclass
class World:
    """`specs` is the workflow, in its order. `seat`: where commands run."""

    folder: Path
    specs: dict[str, AlgorithmSpec] = field(default_factory=dict)
    tests: tuple[TestCase, ...] = ()
    clocks: Clocks = field(default_factory=Clocks)
    states: StatePlace = field(default_factory=FolderStates)

    def __post_init__(self) -> None:
        self.store = ClockedStore(SOURCE, self.clocks)
        self.data = ClockedStore(OWNER, self.clocks)
        self.cluster = TroubledCluster(data=self.data, clock=self.clocks.clock)
        self._owners: dict[str, WarmAlgorithms] = {}
        self.unknown: set[tuple[str, str]] = set()
        self.sit(Seat(self.folder / "machine"))

    def sit(self, seat: Seat) -> None:
        """Commands run there from now on."""
        self.seat = seat
        self.cluster.key_owner = seat.owner
        self.data.who = seat.machine
        self.cluster.algorithms = self.algorithms

    @contextmanager
    def seated(self, seat: Seat) -> Iterator[None]:
        before = self.seat
        self.sit(seat)
        try:
            yield
        finally:
            self.sit(before)

    @property
    def algorithms(self) -> WarmAlgorithms:
        """Those of the key's owner."""
        if self.seat.owner not in self._owners:
            self._owners[self.seat.owner] = WarmAlgorithms(self.cluster.data, self._managed_files)
        return self._owners[self.seat.owner]

    @property
    def machine(self) -> Path:
        return self.seat.machine

    # The workflow and its source.

    def add(self, name: str) -> None:
        self.specs[name] = AlgorithmSpec(name, "python3", details=Details(name), tests=(TestCase("", "1"),))
        if not self.source(name).exists():
            self.write_code(name, "return input")

    def source(self, name: str) -> Path:
        return self.folder / "algorithms" / name / "src" / f"{name}.py"

    def write_code(self, name: str, line: str) -> None:
        self.source(name).parent.mkdir(parents=True, exist_ok=True)
        self.source(name).write_text(f"def apply(input):\n    {line}\n")

    def use_file(self, name: str, file: str, content: bytes) -> None:
        """Give an algorithm a data file, or its file another content."""
        self.store.write(SOURCE, name, file, content)
        files = {each.name: each for each in self.specs[name].data_files}
        files[file] = DataFile(f"data://.my/{name}/{file}", file)
        self.specs[name] = replace(self.specs[name], data_files=tuple(files.values()))

    def drop_file(self, name: str, file: str) -> None:
        files = tuple(each for each in self.specs[name].data_files if each.name != file)
        self.specs[name] = replace(self.specs[name], data_files=files)

    @property
    def flow(self) -> Workflow:
        specs = tuple(self.specs.values())
        tests = self.tests if specs else ()
        return Workflow("w", str(self.folder), specs, entrypoint=specs[-1].name if specs else None, tests=tests)

    # Commands.

    @contextmanager
    def session(self, troubles: Troubles, *, exclusive: bool) -> Iterator[Session]:
        with self.states.open(self.machine, self.seat.name, exclusive=exclusive) as session:
            session.__class__ = WatchedSession
            watched = cast("WatchedSession", session)
            watched.troubles, watched.acknowledged = troubles, self.seat.acknowledged
            yield watched

    def scene(self, session: Session) -> Scene[Context]:
        context = context_of(
            self.cluster,
            *self.specs.values(),
            folder=self.folder,
            store=self.store,
            ledger=session,
            keys=(self.seat.key,),
            time=WorldTime(clocks=self.clocks),
        )
        payloads = {self.flow.entrypoint or "": self.tests}
        kept = KeptFiles(self.machine / "kept", lambda: session.lineage)
        return Scene(KINDS, PERFORMERS, replace(context, kept=kept, tests=payloads, now=self.clocks.now), 1)

    @property
    def header(self) -> PlanHeader:
        return PlanHeader("w", "https://source", DESTINATION, self.seat.owner)

    def plan(self) -> Plan:
        """The plan of a reader. Made twice, its JSON is the same."""
        texts = []
        young = [(store, dict(store._young)) for store in (self.store, self.data)]
        for _ in range(2):
            for store, counts in young:  # both see the same listings
                store._young.update(counts)
            with self.session(Troubles(), exclusive=False) as session:
                plan = make_plan(self.flow, self.scene(session), session.records, self.header)
            texts.append(json_text(plan_document(plan, {}, Redactor()), Redactor()))
        assert texts[0] == texts[1]
        json.loads(texts[0])
        return plan

    def apply(self, troubles: Troubles | None = None) -> Report | AlgosyncError | DiedError:
        """What an apply ends with. What the workflow does not have is as before."""
        troubles = troubles or Troubles()
        troubles.on_death = self._keep_machine
        before, outer = self.unmanaged(), self.cluster.troubles
        try:
            self.clocks.pass_by(SETTLED + 1)
            self.cluster.troubles = troubles
            return self._applied(troubles)
        except (AlgosyncError, DiedError) as error:
            return error
        finally:
            self.cluster.troubles = outer
            if troubles.dead:
                self._restore_machine()
            assert self.unmanaged() == before
            self.check_state()

    def _applied(self, troubles: Troubles) -> Report:
        with self.session(troubles, exclusive=True) as session:
            scene = self.scene(session)
            plan = make_plan(self.flow, scene, session.records, self.header)
            self.data.log.append((self.seat.machine, "planned", "", ""))
            with closing(apply(plan, self.flow, scene, session)) as events:
                report = fold(events, lambda: session.wrote)
            scene.site.kept.sweep(needed_files(session.records.values()))
        return report

    def _keep_machine(self) -> None:
        self.states.freeze()
        shutil.copytree(self.machine, self.folder / "left")

    def _restore_machine(self) -> None:
        self.states.thaw()
        shutil.rmtree(self.machine)
        if self.states.keeps_machine:
            (self.folder / "left").rename(self.machine)
            return
        shutil.rmtree(self.folder / "left")
        self.machine.mkdir()
        self.seat.acknowledged.clear()  # those since the last save are gone

    def lose_state(self) -> None:
        """Nobody knows then which data the published versions were tested with: the platform does not tell it."""
        self.unknown |= {(name, each.versions[0].commit) for name, each in self.algorithms.algorithms.items() if each.versions}
        self.states.lose()
        shutil.rmtree(self.machine)
        self.machine.mkdir()
        self.seat.lineage, self.seat.serial = None, 0
        self.seat.acknowledged.clear()

    # Invariants.

    def check_state(self) -> None:
        """It loads, goes on from what it was, and has every acknowledged record."""
        with self.session(Troubles(), exclusive=False) as session:
            seat = self.seat
            assert seat.lineage in (None, session.lineage)
            assert session.serial >= seat.serial
            seat.lineage, seat.serial = session.lineage, session.serial
            for address, record in seat.acknowledged.items():
                assert session.records[address].digest == record.digest

    def check_nothing_planned(self) -> None:
        assert self.plan().visible == ()

    def check_truth(self) -> None:
        """The record of a file that has the recorded stamp has its digest. So the next command notices what others changed."""
        data, owner = self.cluster.data, self.seat.owner
        with self.session(Troubles(), exclusive=False) as session:
            for address, record in session.records.items():
                name, file = address.algorithm, address.name or ""
                if address.kind == "data" and file in stored(data, owner, name):
                    stamp = self.data.trusted_stamp(owner, name, file)
                    assert stamp != record.destination_stamp or record.digest == data.digest(owner, name, file), address

    def unmanaged(self) -> object:
        """What the destination has and the workflow does not."""
        algorithms = {
            name: (found.details, found.settings, found.repository.head(), tuple(found.versions))
            for name, found in self.algorithms.algorithms.items()
            if name not in self.specs
        }
        owner = self.seat.owner
        managed = {(owner, spec.name, file.name) for spec in self.specs.values() for file in spec.data_files}
        data = self.cluster.data
        files = {
            (*collection, file): content
            for collection, found in data._collections.items()
            for file, content in found.items()
            if (*collection, file) not in managed
        }
        readers = {key: value for key, value in data.readers.items() if key[0] != owner or key[1] not in self.specs}
        others = {name: found.everything() for name, found in self._owners.items() if name != owner}
        trees = {name: _head_tree(found.repository) for name, found in self.algorithms.algorithms.items()}
        theirs = {name: tree[THEIRS] for name, tree in trees.items() if THEIRS in tree}
        return json.dumps([repr(algorithms), repr(sorted(files.items())), repr(readers), repr(theirs), repr(others)])

    def check_converged(self) -> None:
        """The destination is what the workflow says, byte for byte."""
        for name, spec in self.specs.items():
            found = self.algorithms.algorithms[name]
            assert found.details["label"] == spec.details.label
            assert found.settings["network_access"] == spec.settings.network_access
            assert found.settings["pipeline_enabled"] == spec.settings.pipeline_enabled
            live = stored(self.cluster.data, self.seat.owner, name)
            assert {file.name: live.get(file.name) for file in spec.data_files} == {
                file.name: stored(self.store, SOURCE, split(file.source)[1])[file.name] for file in spec.data_files
            }
            self._check_published(found, spec, live)

    def _check_published(self, found: FakeAlgorithm, spec: AlgorithmSpec, live: Mapping[str, bytes]) -> None:
        version, name = found.versions[0], spec.name
        tree = found.repository.tree(version.commit)
        code = {path: blob for path, blob in tree.items() if path.startswith("src/")}
        assert code == {f"src/{name}.py": Blob(self.source(name).read_bytes())}
        assert version.settings["network_access"] == spec.settings.network_access
        managed = [file.name for file in spec.data_files]
        loaded = live if (name, version.commit) in self.unknown else self.algorithms.loaded.get((name, version.commit), live)
        assert {file: loaded.get(file) for file in managed} == {file: live.get(file) for file in managed}

    def _managed_files(self, name: str) -> Collection[str]:
        spec = self.specs.get(name)
        return [file.name for file in spec.data_files] if spec else ()

    def releases(self) -> dict[str, tuple[int, int]]:
        """The number of builds of algosync's commits, and of published versions, by algorithm."""
        found = {}
        for name, each in self.algorithms.algorithms.items():
            authors = each.repository.authors()
            builds = [build for build in each.builds if authors[build.commit].startswith("algosync ")]
            found[name] = len(builds), len(each.versions)
        return found


def _head_tree(repository: FakeRepository) -> Mapping[str, Blob]:
    head = repository.head()
    return repository.tree(head) if head else {}
