"""A destination cluster in memory. Its algorithms pass `contracts/test_algorithm_services.py`, as the real ones do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic

from algosync.cluster.algorithms import AlgorithmInfo, Build, Version
from algosync.core.environment import Environment
from algosync.core.error import AlgosyncError, Conflict, NotFound, TestFailed, Unexpected
from algosync.core.ports import Ledger
from algosync.core.secret import Secret
from algosync.core.testing.answer import Answer
from algosync.core.tree import Blob
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import Context, DataWrites, DesiredSources, KeptFiles
from algosync.kinds.destination import Destination
from algosync.kinds.shared_listings import SharedListings
from algosync.net import Retry
from algosync.sources.source import Sources
from algosync.sources.store import SourceStore
from fakes.ledger import FakeLedger
from fakes.repositories import FakeRepository
from fakes.stores import FakeStore

__all__ = ["OWNER", "PYTHON", "FakeAlgorithms", "FakeCluster", "FakeTime", "context_of"]

OWNER = "jane"
PYTHON = Environment("env-39", "Python 3.9", "2021")
OLD_PYTHON = Environment("env-37", "Python 3.7", "2020")


@dataclass
class FakeTime:
    """A clock that only `pause` moves. `during` is called in each pause."""

    now: float = 0.0
    during: Callable[[], None] = lambda: None

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.during()


@dataclass
class FakeAlgorithm:
    """One algorithm as the cluster has it. Builds and versions are listed with the newest first."""

    details: dict[str, object]
    settings: dict[str, object]
    repository: FakeRepository = field(default_factory=FakeRepository)
    builds: list[Build] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)


class FakeAlgorithms:
    """Algorithms by name. Each push starts a build, which ends at once with the status that `build_status` gives.

    A status of None means that no build is listed. `failures`: an error to raise instead of an operation, by its name.
    `failing_payloads` do not pass. `calls` and `requests` list what was asked for.
    """

    def __init__(self) -> None:
        self.algorithms: dict[str, FakeAlgorithm] = {}
        self.offered: list[Environment] = [PYTHON, OLD_PYTHON]
        self.build_status: Callable[[str], str | None] = lambda commit: "succeeded"
        self.failures: dict[str, AlgosyncError] = {}
        self.failing_payloads: set[str] = set()
        self.answer: Callable[[str], Answer] = lambda payload: Answer("json", payload.encode())
        self.calls: list[tuple[str, str, str]] = []
        self.requests: list[str] = []
        self._numbers = count(1)

    def read(self, owner: str, name: str) -> AlgorithmInfo:
        found = self._algorithm("read", name)
        return AlgorithmInfo(dict(found.details), dict(found.settings))

    def create(self, owner: str, name: str, details: Mapping[str, object], settings: Mapping[str, object]) -> None:
        self._request("create", name)
        if name in self.algorithms:
            raise Conflict(f"{name} exists already")
        found = FakeAlgorithm(dict(details), dict(settings))
        found.repository = FakeRepository(lambda commit: self._build(name, commit))
        self.algorithms[name] = found
        template = {"algorithmia.conf": Blob(b"{}"), "README.md": Blob(b"#"), f"src/{name}.py": Blob(b"template")}
        found.repository.push(None, template, author="Platform <platform@localhost>", message="initial commit")

    def update(self, owner: str, name: str, details: Mapping[str, object], settings: Mapping[str, object]) -> None:
        found = self._algorithm("update", name)
        found.details.update(details)
        found.settings.update(settings)

    def delete(self, owner: str, name: str) -> None:
        found = self._algorithm("delete", name)
        if any(version.settings.get("algorithm_callability") == "public" for version in found.versions):
            raise Unexpected("only administrators may delete an algorithm with a public version")
        del self.algorithms[name]

    def build_of(self, owner: str, name: str, commit: str) -> Build | None:
        return next((build for build in self._algorithm("build_of", name).builds if build.commit == commit), None)

    def build_log(self, owner: str, name: str, build_id: str) -> str:
        self._algorithm("build_log", name)
        return "".join(f"line {number}\n" for number in range(100))

    def compile(self, owner: str, name: str) -> None:
        head = self._algorithm("compile", name).repository.head()
        assert head is not None
        self._build(name, head)

    def published(self, owner: str, name: str) -> Version | None:
        versions = self._algorithm("published", name).versions
        return versions[0] if versions else None

    def versions(self, owner: str, name: str) -> Sequence[Version]:
        return list(self._algorithm("versions", name).versions)

    def publish(self, owner: str, name: str, commit: str, body: Mapping[str, object]) -> Version:
        found = self._algorithm("publish", name)
        newest = next(build.commit for build in found.builds if build.status == "succeeded")
        if any(version.commit == newest for version in found.versions):
            if found.versions[0].commit == commit:
                return found.versions[0]
            raise Conflict("this commit is published already")
        given = body["settings"]
        assert isinstance(given, Mapping)
        version = Version(f"0.{len(found.versions) + 1}.0", newest, {**found.settings, **given})
        found.versions.insert(0, version)
        return version

    def environments(self) -> Sequence[Environment]:
        self.requests.append("environments")
        return list(self.offered)

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        found = self._algorithm("call", name)
        built = {build.commit for build in found.builds if build.status == "succeeded"}
        if reference not in built | {version.number for version in found.versions}:
            raise NotFound(f"{name}/{reference} does not exist")
        self.calls.append((f"{owner}/{name}", reference, payload))
        if payload in self.failing_payloads:
            raise TestFailed("it failed")
        return self.answer(payload)

    def _algorithm(self, operation: str, name: str) -> FakeAlgorithm:
        self._request(operation, name)
        if name not in self.algorithms:
            raise NotFound(f"there is no algorithm {name}")
        return self.algorithms[name]

    def _request(self, operation: str, name: str) -> None:
        self.requests.append(f"{operation} {name}")
        if error := self.failures.get(operation):
            raise error

    def _build(self, name: str, commit: str) -> None:
        status = self.build_status(commit)
        if status is not None:
            self.algorithms[name].builds.insert(0, Build(f"build-{next(self._numbers)}", commit, status))


@dataclass
class FakeCluster:
    """The destination: data, algorithms and repositories of one owner. `key_owner` is the account whose key is used.

    `clock`: the local one, by which stamps settle.
    """

    key_owner: str = OWNER
    data: FakeStore = field(default_factory=lambda: FakeStore(OWNER))
    algorithms: FakeAlgorithms = field(default_factory=FakeAlgorithms)
    clock: Callable[[], float] = monotonic

    def destination(self) -> Destination:
        def open_repository(name: str) -> FakeRepository:
            return self.algorithms.algorithms[name].repository

        retry = Retry(tries=2, pause=lambda _: None)
        return Destination(OWNER, self.key_owner, self.algorithms, SharedListings(self.data, self.clock), open_repository, retry)


def context_of(
    cluster: FakeCluster,
    *algorithms: AlgorithmSpec,
    folder: Path = Path("nowhere"),
    store: FakeStore | None = None,
    ledger: Ledger | None = None,
    recorded_only: bool = False,
    keys: tuple[Secret, ...] = (),
    time: FakeTime | None = None,
    source_name: str = "https://source",
    reached: Collection[str] | None = None,
) -> Context:
    """The context of a new command on a fake cluster, with a source store, or local folders below `folder`."""
    destination = cluster.destination()
    sources = Sources(algorithms, folder, OWNER, SourceStore(store, source_name, destination.retry), keys)
    time = time or FakeTime()
    ledger = FakeLedger() if ledger is None else ledger
    return Context(
        destination,
        DesiredSources(sources, ledger, reached),
        build_deadline=100.0,
        recorded_only=recorded_only,
        pause=time.pause,
        clock=time.clock,
        data_writes=DataWrites.of(ledger.records.values()),
        kept=KeptFiles(folder / ".kept"),
    )
