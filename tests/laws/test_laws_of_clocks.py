"""The law of stamps: a file that has the recorded stamp has the recorded content, whatever clocks show and whoever else writes.

Somebody else writes the same files in equal size at any moment: while a request is under way, in a wait, and right after the bytes
were read. The machine that sends `Date` may be ahead or behind by any time, those that give files their times by 0.09 s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from clocks import ClockedStore, Clocks, WorldTime
from fakes.clusters import OWNER, FakeCluster, context_of
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from algosync.cluster.wire import Download
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.resource import Record
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.stored_files import verified

OURS, THEIRS = b"ours", b"else"
FILES = st.sampled_from("abc")
_AGE = 100.0  # seconds of the files that are there already


@dataclass
class BusyClocks(Clocks):
    """`due`: what others do, by the server's time, with the next act last."""

    due: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def plan(self, moment: float, act: Callable[[], object]) -> None:
        self.due = sorted([*self.due, (moment, act)], key=itemgetter(0), reverse=True)

    def pass_by(self, seconds: float) -> None:
        end = self.server + seconds
        while self.due and self.due[-1][0] <= end:
            moment, act = self.due.pop()
            super().pass_by(moment - self.server)
            pace, self.pace = self.pace, 0.0
            act()
            self.pace = pace
        super().pass_by(end - self.server)


class BusyStore(ClockedStore):
    """`after_reads`: how long after each reading begins somebody else writes the file."""

    clocks: BusyClocks
    after_reads: Iterator[float] = iter(())

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        with super().open(owner, collection, name) as opened:
            self.clocks.plan(self.clocks.server + next(self.after_reads), partial(self.write, owner, collection, name, THEIRS))
            yield opened


@dataclass(frozen=True)
class Case:
    """`start`: part of the second in which it begins. `acts`: ours, in turn. `others`: their writes, and when. `after_reads`: how
    long after each time that we begin to read a file somebody else writes it.
    """

    start: float
    apart: float
    machines: tuple[float, ...]
    pace: float
    acts: list[tuple[str, str]]
    others: list[tuple[float, str, bytes]]
    after_reads: list[float]


CASES = st.builds(
    Case,
    start=st.one_of(st.sampled_from([0.0, 0.95, 0.999]), st.floats(0, 0.999)),
    apart=st.one_of(st.floats(-4, 4), st.sampled_from([-86400.0, -0.5, 0.5, 3600.0])),
    machines=st.sampled_from([(0.0,), (0.0, 0.09), (0.09, 0.0), (0.05, -0.04, 0.0)]),
    pace=st.sampled_from([0.0, 0.001, 0.02, 0.2, 0.7]),
    acts=st.lists(st.tuples(st.sampled_from(["put", "verify", "verify"]), FILES), min_size=2, max_size=8),
    others=st.lists(st.tuples(st.floats(0, 5), FILES, st.sampled_from([OURS, OURS, THEIRS])), max_size=4),
    after_reads=st.lists(st.one_of(st.just(0.001), st.floats(0, 1)), min_size=8, max_size=8),
)


class World:
    def __init__(self, case: Case) -> None:
        begin = 1_600_000_000 + case.start
        self.clocks = BusyClocks(begin - _AGE, apart=case.apart, machines=case.machines, pace=0.0)
        self.store = BusyStore(OWNER, self.clocks)
        self.store.create_collection(OWNER, "A")
        for name in "abc":
            self.store.write(OWNER, "A", name, OURS)
        self.clocks.pass_by(_AGE)
        cluster = FakeCluster(data=self.store, clock=self.clocks.clock)
        self.context = context_of(cluster, AlgorithmSpec("A", "python3"), time=WorldTime(clocks=self.clocks))
        self.records: dict[str, Record] = {}
        self.clocks.pace = case.pace
        self.store.clocks = self.clocks
        for at, name, content in case.others:
            self.clocks.plan(begin + at, partial(self.store.write, OWNER, "A", name, content))
        self.store.after_reads = iter(case.after_reads)

    def put(self, name: str) -> None:
        self.records[name] = Record(Address.of("data", "A", name), hashlib.sha256(OURS).hexdigest(), None, None, len(OURS))
        self.context.destination.data.put(OWNER, "A", name, [OURS], len(OURS))

    def verify(self, name: str) -> None:
        if name in self.records:
            try:
                self.records[name] = verified(self.records[name], self.context, lambda _: None)
            except TransferError:
                del self.records[name]

    def check(self) -> None:
        for name, record in self.records.items():
            if record.destination_stamp == self.store.trusted_stamp(OWNER, "A", name):
                event("the recorded stamp stands")
                assert self.store.digest(OWNER, "A", name) == record.digest


@settings(max_examples=500)
@given(CASES)
@example(Case(0.95, 0.0, (0.0, 0.09), 0.0, [("put", "a"), ("verify", "a")], [], [0.001]))  # a slower machine writes last
def test_the_recorded_stamp_proves_the_recorded_content(case: Case) -> None:
    world = World(case)
    for act, name in case.acts:
        (world.put if act == "put" else world.verify)(name)
        world.check()
    world.clocks.pass_by(10)
    world.check()
