"""One algorithm with a local source on a cluster in memory, and its steps carried out one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from algosync.core.address import Address
from algosync.core.event import Event
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Kind, Outcome
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import KINDS, Context
from fakes.clusters import FakeAlgorithm, FakeCluster, FakeTime, context_of
from fakes.ledger import FakeLedger
from fakes.stores import FakeStore

__all__ = ["CODE", "Release"]

CODE = b"def apply(input):\n    return input\n"


@dataclass
class Release:
    """`context` is made anew by `again`, as by the next command."""

    folder: Path
    spec: AlgorithmSpec = field(default_factory=lambda: AlgorithmSpec("One", "python3"))
    cluster: FakeCluster = field(default_factory=FakeCluster)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    store: FakeStore = field(default_factory=FakeStore)
    time: FakeTime = field(default_factory=FakeTime)
    events: list[Event] = field(default_factory=list)
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.write("src/One.py", CODE)
        self.again()

    def again(self, *, recorded_only: bool = False) -> Context:
        self.context = context_of(
            self.cluster,
            self.spec,
            folder=self.folder,
            store=self.store,
            ledger=self.ledger,
            recorded_only=recorded_only,
            time=self.time,
        )
        return self.context

    def write(self, path: str, data: bytes) -> None:
        file = self.folder / "algorithms" / "One" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def change(self, name: str) -> Change:
        kind: Kind[Context] = KINDS[name]
        (want,) = kind.desired(self.spec, self.context)
        have = next(iter(kind.observed(self.spec, self.context)), None)
        return Change(Address(name, "One"), Action.UPDATE if have else Action.CREATE, have, want)

    def perform(self, verb: Verb, change: Change) -> Outcome:
        step = Step(change.address, verb, change)
        outcome = KINDS[change.address.kind].perform(step, self.spec, self.context, self.events.append)
        for record in outcome.records:
            self.ledger.commit(record)
        return outcome

    def created(self) -> Release:
        self.perform(Verb.CREATE, self.change("algorithm"))
        self.again()
        return self

    def pushed(self) -> Release:
        self.perform(Verb.PUSH, self.change("source"))
        return self

    def published(self) -> Release:
        """The whole release, which creates the algorithm if it is missing."""
        if "One" not in self.cluster.algorithms.algorithms:
            self.created()
        self.pushed()
        change = self.change("version")
        self.perform(Verb.BUILD, change)
        self.perform(Verb.PUBLISH, change)
        self.again()
        return self

    @property
    def there(self) -> FakeAlgorithm:
        return self.cluster.algorithms.algorithms["One"]

    @property
    def head(self) -> str:
        head = self.there.repository.head()
        assert head is not None
        return head
