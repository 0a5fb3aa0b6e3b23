"""Kinds over two sides in memory. They pass `contracts/test_kinds.py`, as the real kinds do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from algosync.core.address import Address
from algosync.core.error import AlgosyncError
from algosync.core.event import Note, Progress
from algosync.core.planning.change import Action, Change, Finding
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Kind, Outcome, Performer, Side, Tell
from algosync.core.resource import Json, KindTraits, Record, Resource
from algosync.core.workflow import AlgorithmSpec
from algosync.engine.plan import Scene
from fakes.ledger import FakeLedger

__all__ = ["KINDS", "PERFORMERS", "FakeKind", "FakeSide", "FakeSite", "FakeTests", "scene"]


@dataclass(frozen=True, slots=True)
class Item:
    content: str
    stamp: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


class FakeSide:
    """What one side holds. Each write gets a stamp that was never there before."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = count(1)
        self.items: dict[Address, Item] = {}

    def put(self, address: Address, content: str) -> None:
        self.items[address] = Item(content, f"{self._name} {next(self._numbers)}")

    def of(self, kind: str, algorithm: str) -> list[tuple[Address, Item]]:
        return sorted((a, item) for a, item in self.items.items() if (a.kind, a.algorithm) == (kind, algorithm))


@dataclass
class FakeSite:
    """Both sides. `failures`: what the step of a key raises. `unreadable`: what a look at this kind or address raises.

    `during`: called when a step is carried out. `reads`: the addresses of which bytes were read.
    """

    ledger: FakeLedger = field(default_factory=FakeLedger)
    source: FakeSide = field(default_factory=lambda: FakeSide("source"))
    destination: FakeSide = field(default_factory=lambda: FakeSide("destination"))
    failures: dict[str, BaseException] = field(default_factory=dict)
    unreadable: dict[tuple[Side, Address | str], AlgosyncError] = field(default_factory=dict)
    during: Callable[[Step], None] = lambda _: None
    reads: list[tuple[Side, Address]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def side(self, side: Side) -> FakeSide:
        return self.source if side is Side.SOURCE else self.destination


class FakeKind:
    """`verbs`: the steps of a change; the one called `writes` changes the destination. `digests_listed`: lists tell digests."""

    def __init__(self, name: str, verbs: tuple[Verb, ...], writes: Verb, *, digests_listed: bool) -> None:
        self.TRAITS = TRAITS[name]
        self._name, self._verbs, self._writes, self._digests_listed = name, verbs, writes, digests_listed

    def desired(self, spec: AlgorithmSpec, site: FakeSite) -> Iterable[Resource]:
        assert not spec.removed
        return self._listed(Side.SOURCE, spec, site)

    def observed(self, spec: AlgorithmSpec, site: FakeSite) -> Iterable[Resource]:
        return self._listed(Side.DESTINATION, spec, site)

    def read(self, resource: Resource, side: Side, spec: AlgorithmSpec, site: FakeSite) -> Resource:
        if error := site.unreadable.get((side, resource.address)):
            raise error
        site.reads.append((side, resource.address))
        item = site.side(side).items[resource.address]
        return replace(resource, digest=item.digest, size=len(item.content))

    def explain(self, change: Change, spec: AlgorithmSpec, site: FakeSite) -> Change:
        return replace(change, details={"explained": True})

    def trace(self, finding: Finding, spec: AlgorithmSpec, site: FakeSite) -> Finding:
        if error := site.unreadable.get((Side.DESTINATION, f"trace of {finding.address}")):
            raise error
        return replace(finding, details={"traced": True})

    def verbs(self, change: Change) -> tuple[Verb, ...]:
        return (Verb.DELETE,) if change.action is Action.DELETE else self._verbs

    def perform(self, step: Step, spec: AlgorithmSpec, site: FakeSite, tell: Tell) -> Outcome:
        site.during(step)
        if error := site.failures.get(step.key):
            raise error
        if step.verb is Verb.DELETE:
            with site.ledger.writing(step.address, step.verb.value), site.guard:
                for kind in (self._name, *(name for name, traits in TRAITS.items() if traits.deleted_with == self._name)):
                    site.destination.items.pop(replace(step.address, kind=kind), None)
            return Outcome(forgotten=(step.address,))
        assert step.change is not None
        assert step.change.after is not None
        want, item = step.change.after, site.source.items[step.address]
        tell(Progress(step, 0, len(item.content)))
        tell(Note(step, "half"))
        if step.verb is self._writes:
            with site.ledger.writing(step.address, step.verb.value), site.guard:
                site.destination.put(step.address, item.content)
        elif step.verb is not self._verbs[-1]:
            return Outcome()
        stamp = site.destination.items[step.address].stamp if step.verb is self._verbs[-1] else None
        record = Record(step.address, item.digest, want.stamp, stamp, len(item.content), want.attributes)
        return Outcome((record,), detail=step.verb.value)

    def _listed(self, side: Side, spec: AlgorithmSpec, site: FakeSite) -> Iterator[Resource]:
        site.looks.append(spec.name)
        if error := site.unreadable.get((side, self._name)):
            raise error
        for address, item in site.side(side).of(self._name, spec.name):
            if side is Side.SOURCE and (error := site.unreadable.get((side, address))):
                raise error
            attributes: Mapping[str, Json] = {"content": item.content} if self._digests_listed else {}
            digest = item.digest if self._digests_listed else None
            yield Resource(address, attributes, item.stamp, digest, len(item.content))


class FakeTests:
    """Every test passes that is not among the site's failures."""

    def perform(self, step: Step, spec: AlgorithmSpec, site: FakeSite, tell: Tell) -> Outcome:
        site.during(step)
        if error := site.failures.get(step.key):
            raise error
        return Outcome(detail="passed")


TRAITS = {
    "algorithm": KindTraits(),
    "data": KindTraits(is_file=True, needs=frozenset({"algorithm"})),
    "source": KindTraits(needs=frozenset({"algorithm", "data"}), deleted_with="algorithm"),
    "version": KindTraits(needs=frozenset({"algorithm", "data", "source"}), publishes=True, deleted_with="algorithm"),
}
KINDS: dict[str, Kind[FakeSite]] = {
    "algorithm": FakeKind("algorithm", (Verb.CREATE,), Verb.CREATE, digests_listed=True),
    "data": FakeKind("data", (Verb.UPLOAD, Verb.VERIFY), Verb.UPLOAD, digests_listed=False),
    "source": FakeKind("source", (Verb.PUSH,), Verb.PUSH, digests_listed=True),
    "version": FakeKind("version", (Verb.BUILD, Verb.PUBLISH), Verb.PUBLISH, digests_listed=True),
}
PERFORMERS: dict[str, Performer[FakeSite]] = {**KINDS, "test": FakeTests()}


def scene(site: FakeSite, parallelism: int = 3) -> Scene[FakeSite]:
    return Scene(KINDS, PERFORMERS, site, parallelism)
