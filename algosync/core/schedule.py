"""Schedule: a plan becomes steps with dependencies. Pure: `plan`, dry runs and apply read the same steps.

Within one algorithm a step needs every step of an earlier phase; algorithms overlap, but for testing and publishing, which follow
the workflow's order because a downstream test may call what was just published upstream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from algosync.core.address import Address
from algosync.core.change import Change
from algosync.core.plan import Check, Plan

__all__ = ["PHASES", "Step", "Verb", "schedule"]


class Verb(Enum):
    CREATE = "create"
    CONFIGURE = "configure"
    UPLOAD = "upload"
    PUSH = "push"
    VERIFY = "verify"
    BUILD = "build"
    TEST = "test"
    PUBLISH = "publish"


PHASES = {
    Verb.CREATE: 0,
    Verb.CONFIGURE: 0,
    Verb.UPLOAD: 0,
    Verb.PUSH: 1,
    Verb.VERIFY: 2,
    Verb.BUILD: 2,
    Verb.TEST: 3,
    Verb.PUBLISH: 4,
}
_IN_TURN = PHASES[Verb.TEST]  # from this phase on algorithms do not overlap


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. It may start when all it `needs` has succeeded and all it `follows` has ended, however."""

    address: Address
    verb: Verb
    change: Change | None = None
    check: Check | None = None
    needs: frozenset[str] = frozenset()
    follows: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        # A test's address says already what is done.
        return str(self.address) if self.verb is Verb.TEST else f"{self.verb.value} {self.address}"


def schedule(plan: Plan, verbs: Mapping[Address, tuple[Verb, ...]]) -> tuple[Step, ...]:
    """All steps, in an order in which one worker could do them. `verbs` says what each writing change takes."""
    tasks = [Step(c.address, verb, change=c) for c in plan.changes for verb in verbs.get(c.address, ())]
    tasks += [Step(c.address, Verb.TEST, check=c) for c in plan.checks if c.payload_of_algorithm]
    names = _in_order(plan)
    by_algorithm = {name: [t for t in tasks if t.address.algorithm == name] for name in names}
    above = _closure(names, dict(plan.depends_on))
    steps: list[Step] = []
    earlier_in_turn: frozenset[str] = frozenset()
    for name in names:
        own = sorted(by_algorithm[name], key=lambda t: PHASES[t.verb])
        upstream = frozenset(t.key for other in above[name] for t in by_algorithm.get(other, ()))
        steps += [_step(task, own, upstream, earlier_in_turn) for task in own]
        earlier_in_turn |= {t.key for t in own if PHASES[t.verb] >= _IN_TURN}
    return (*steps, *_tests(plan, by_algorithm, above, steps))


def _step(task: Step, own: list[Step], upstream: frozenset[str], earlier: frozenset[str]) -> Step:
    phase = PHASES[task.verb]
    needs = frozenset(t.key for t in own if PHASES[t.verb] < phase)
    in_turn = phase >= _IN_TURN
    return replace(task, needs=needs | upstream if in_turn else needs, follows=earlier if in_turn else frozenset())


def _tests(plan: Plan, by_algorithm: Mapping[str, list[Step]], above: Mapping[str, set[str]], steps: list[Step]) -> Iterable[Step]:
    """The workflow's tests, one after another when everything else has ended."""
    everything = frozenset(step.key for step in steps)
    before: frozenset[str] = everything
    for check in (c for c in plan.checks if not c.payload_of_algorithm):
        entrypoint = check.address.algorithm
        names = {entrypoint, *above.get(entrypoint, ())}
        needs = frozenset(t.key for name in names for t in by_algorithm.get(name, ()))
        step = Step(check.address, Verb.TEST, None, check, needs, before)
        yield step
        before |= {step.key}


def _in_order(plan: Plan) -> list[str]:
    """The algorithms in the workflow's order, but never before one they depend on."""
    given = list(dict.fromkeys([*(name for name, _ in plan.depends_on), *(c.address.algorithm for c in plan.changes)]))
    depends_on = dict(plan.depends_on)
    placed: list[str] = []

    def place(name: str) -> None:
        if name not in placed:
            for other in depends_on.get(name, ()):
                place(other)
            placed.append(name)

    for name in [*given, *(c.address.algorithm for c in plan.checks)]:
        place(name)
    return placed


def _closure(names: list[str], depends_on: Mapping[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """For each algorithm all that it depends on; `names` has dependencies first."""
    above: dict[str, set[str]] = {}
    for name in names:
        direct = depends_on.get(name, ())
        above[name] = set(direct).union(*(above.get(other, set()) for other in direct))
    return above
