"""Worlds for the engine: workflows and both sides, all in memory."""

from __future__ import annotations

from dataclasses import dataclass

from fakes.kinds import KINDS, FakeSite, scene
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.event import Event
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.resource import Record
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.apply import apply
from algosync.engine.plan import make_plan

HEADER = PlanHeader("w", None, "local", "me")
NAMES = ("A", "B", "C")
CONTENTS = ("one", "two", "three")  # two of one size


def workflow(*specs: AlgorithmSpec, tests: int = 0, run_only: bool = False) -> Workflow:
    cases = tuple(TestCase(f"t{number}", "1") for number in range(tests))
    return Workflow("w", "/", specs, entrypoint=specs[-1].name if specs else None, tests=cases, run_only=run_only)


def address(kind: str, algorithm: str = "A") -> Address:
    return Address(kind, algorithm, "w.pb" if kind == "data" else None)


@dataclass
class World:
    flow: Workflow
    site: FakeSite

    def plan(self) -> Plan:
        return make_plan(self.flow, scene(self.site), self.site.ledger.records, HEADER)

    def apply(self, plan: Plan | None = None) -> list[Event]:
        return list(apply(plan or self.plan(), self.flow, scene(self.site), self.site.ledger))


def one_algorithm(*kinds: str, payload: bool = False) -> World:
    """The source has resources of these kinds, and the destination has nothing."""
    site = FakeSite()
    for kind in kinds or KINDS:
        site.source.put(address(kind), "one")
    return World(workflow(AlgorithmSpec("A", "python3", tests=(TestCase("", "1"),) if payload else ())), site)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any content on either side, recorded or not, and any dependencies that go to earlier algorithms."""
    site, specs = FakeSite(), []
    for position, name in enumerate(NAMES[: draw(st.integers(1, 3))]):
        depends_on = draw(st.sets(st.sampled_from(NAMES[:position]))) if position else set()
        payload = draw(st.none() | st.just("1"))
        specs.append(
            AlgorithmSpec(name, "python3", tests=(TestCase("", payload),) if payload else (), depends_on=tuple(sorted(depends_on)))
        )
        for where in (address(kind, name) for kind in KINDS):
            for side in (site.source, site.destination):
                if content := draw(st.none() | st.sampled_from(CONTENTS)):
                    side.put(where, content)
            _record(draw, site, where)
    return World(workflow(*specs, tests=draw(st.integers(0, 2))), site)


def _record(draw: st.DrawFn, site: FakeSite, where: Address) -> None:
    """Perhaps a record, which may be out of date."""
    here, there = site.source.items.get(where), site.destination.items.get(where)
    if here is None or there is None or here.digest != there.digest or not draw(st.booleans()):
        return
    site.ledger.commit(Record(where, here.digest, here.stamp, there.stamp, len(here.content)))
    if draw(st.booleans()):
        site.source.put(where, draw(st.sampled_from(CONTENTS)))
    if draw(st.booleans()):
        site.destination.put(where, draw(st.sampled_from(CONTENTS)))
