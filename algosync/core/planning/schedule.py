"""Schedule: the steps of a plan, and what has to come before each of them. Pure.

Within one algorithm a step needs every step of an earlier phase. But a data file is verified as soon as it is written, while pushes
and builds run; the tests need all verifications. Algorithms overlap, except that they are tested and published one
after the other in the workflow's order: a test of one algorithm may call another one that was published just before.

The workflow's tests call the entrypoint. If the entrypoint gets a new version, they run before it is published, on its commit. They
wait for all algorithms except those that depend on the entrypoint; those come after it. Otherwise the tests run last.

Deletions come after everything else, in reverse order.

Between two phases stands a barrier: a node of the graph that is no step. The barrier needs each step of the phase before it, and
each step of the phase after it needs the barrier. So the number of edges grows with the number of steps, not with its square.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import field
from enum import Enum
from itertools import groupby
from operator import itemgetter

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Check, Plan

__all__ = ["PHASES", "Before", "Schedule", "Step", "Verb", "schedule"]


class Verb(Enum):
    """What a step does.

    UPLOAD sends a data file that the destination does not have, OVERWRITE replaces one that it has. RECOVER puts back the previous
    bytes of a file that an interrupted apply left overwritten, RESTORE those of this apply if the version was not published.
    CLEAR removes the collection of a deleted algorithm if it is empty.
    """

    CREATE = "create"
    CONFIGURE = "configure"
    UPLOAD = "upload"
    RECOVER = "recover"
    PUSH = "push"
    BUILD = "build"
    OVERWRITE = "overwrite"
    VERIFY = "verify"
    TEST = "test"
    PUBLISH = "publish"
    RESTORE = "restore"
    DELETE = "delete"
    CLEAR = "clear"


PHASES = {
    Verb.CREATE: 0,
    Verb.CONFIGURE: 0,  # before data is written: it also limits who can read the data
    Verb.UPLOAD: 1,
    Verb.RECOVER: 1,
    Verb.PUSH: 2,
    Verb.BUILD: 3,
    Verb.OVERWRITE: 4,
    Verb.VERIFY: 5,
    Verb.TEST: 6,
    Verb.PUBLISH: 8,
    Verb.RESTORE: 9,
    Verb.DELETE: 10,
    Verb.CLEAR: 12,
}
_IN_TURN = PHASES[Verb.TEST]  # from this phase on, algorithms do not overlap
_WRITES = (Verb.UPLOAD, Verb.OVERWRITE)
_WORKFLOW_TESTS = 7  # the phase of the workflow's tests, if they test the entrypoint's new commit
_DELETED_WITH_OTHERS = 11  # the phase of deletions that follow those of other kinds of the algorithm
_OTHERS = "<all that the tests wait for>"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a verb of a change, or a test."""

    address: Address
    verb: Verb
    change: Change | None = None
    check: Check | None = None
    key: str = field(init=False, repr=False, compare=False)
    """The unique name of the step in its schedule."""

    def __post_init__(self) -> None:
        # The address of a test already names the action.
        key = str(self.address) if self.verb is Verb.TEST else f"{self.verb.value} {self.address}"
        object.__setattr__(self, "key", key)  # once, because a schedule and a walk need it for each edge


@dataclass(frozen=True, slots=True)
class Before:
    """The nodes that come before a node. All it `needs` must have succeeded; all it `follows` must have ended."""

    needs: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """`steps` are in an order in which one worker could do them. `before` has every node: the keys of steps, and barriers."""

    steps: tuple[Step, ...]
    before: Mapping[str, Before]


def schedule(plan: Plan, verbs: Mapping[Address, tuple[Verb, ...]]) -> Schedule:
    """The schedule of a plan. `verbs` says which steps each writing change takes."""
    tasks: dict[str, list[Step]] = defaultdict(list)
    for task in _tasks(plan, verbs):
        tasks[task.address.algorithm].append(task)
    depends_on = dict(plan.depends_on)
    first, gated = _gated(plan, _in_order(plan))
    steps: list[Step] = []
    before: dict[str, Before] = {_OTHERS: Before(follows=tuple(map(_complete, first)))}
    turn: tuple[str, ...] = ()
    for name in (*first, *gated):
        own = sorted(tasks[name], key=_phase)
        upstream = tuple(map(_complete, depends_on.get(name, ())))
        turn = _place(name, own, upstream, turn, before)
        steps += own
    steps += _place_last_tests(plan, before, steps)
    steps += _place_deletions(plan, verbs, before, steps)
    return Schedule(tuple(steps), before)


def _gated(plan: Plan, order: list[str]) -> tuple[list[str], list[str]]:
    """The order in two parts. The second begins with the entrypoint if its new commit is tested, and has all that depends on it."""
    entrypoint = next((c.address.algorithm for c in plan.checks if _tests_candidate(c)), None)
    if entrypoint is None:
        return order, []
    gated = {entrypoint}
    depends_on = dict(plan.depends_on)
    for name in order:  # dependencies come first
        if not gated.isdisjoint(depends_on.get(name, ())):
            gated.add(name)
    rest = [name for name in order if name in gated and name != entrypoint]
    return [name for name in order if name not in gated], [entrypoint, *rest]


def _tests_candidate(check: Check) -> bool:
    return check.candidate and not check.of_algorithm


def _tasks(plan: Plan, verbs: Mapping[Address, tuple[Verb, ...]]) -> Iterator[Step]:
    for change in plan.changes:
        for verb in verbs.get(change.address, ()) if change.action is not Action.DELETE else ():
            yield Step(change.address, verb, change=change)
    for check in plan.checks:
        if check.of_algorithm or check.candidate:
            yield Step(check.address, Verb.TEST, check=check)


def _phase(task: Step) -> int:
    return _WORKFLOW_TESTS if task.check and _tests_candidate(task.check) else PHASES[task.verb]


def _complete(name: str) -> str:
    """The barrier behind everything of an algorithm and of the algorithms it depends on."""
    return f"<all of {name}>"


def _place(
    name: str, own: Iterable[Step], upstream: tuple[str, ...], turn: tuple[str, ...], before: dict[str, Before]
) -> tuple[str, ...]:
    """Adds one algorithm's nodes. `turn` is the barrier behind the tests and publishes so far; returns the next one."""
    last: tuple[str, ...] = ()
    in_turn: list[str] = []
    written: dict[Address, str] = {}
    for phase, group in groupby(own, key=_phase):
        tasks = tuple(group)
        keys = [task.key for task in tasks]
        if phase == PHASES[Verb.RESTORE]:  # runs whatever became of the version
            in_turn += keys
            before.update((key, Before(follows=last)) for key in keys)
            break
        if phase == _WORKFLOW_TESTS:
            in_turn += keys
            before.update(_one_by_one(keys, (*last, *upstream), (*turn, _OTHERS)))
        elif phase >= _IN_TURN:
            in_turn += keys
            before.update(_one_by_one(keys, (*last, *upstream), turn))  # load on one test must not slow another one down
        elif phase == PHASES[Verb.VERIFY]:
            before.update((t.key, Before((written[t.address],) if t.address in written else last)) for t in tasks)
            keys += last  # what comes later needs all earlier phases, too
        else:
            before.update((key, Before(last)) for key in keys)
        written |= {task.address: task.key for task in tasks if task.verb in _WRITES}
        last = (f"<phase {phase} of {name}>",)
        before[last[0]] = Before(tuple(keys))
    before[_complete(name)] = Before((*last, *upstream))
    if not in_turn:
        return turn
    following = f"<turn of {name}>"
    before[following] = Before(follows=(*turn, *in_turn))
    return (following,)


def _one_by_one(keys: Iterable[str], needs: tuple[str, ...], follows: tuple[str, ...]) -> Iterator[tuple[str, Before]]:
    """The first follows the given nodes, each other one the one before it."""
    for key in keys:
        yield key, Before(needs, follows)
        follows = (key,)


def _place_last_tests(plan: Plan, before: dict[str, Before], steps: Iterable[Step]) -> list[Step]:
    """Adds the workflow's tests of a published entrypoint: one after the other, when every other step has ended."""
    everything = "<everything>"
    before[everything] = Before(follows=tuple(step.key for step in steps))
    tests = [Step(c.address, Verb.TEST, check=c) for c in plan.checks if not (c.of_algorithm or c.candidate)]
    last = (everything,)
    for test in tests:
        before[test.key] = Before((_complete(test.address.algorithm),), last)
        last = (test.key,)
    return tests


def _place_deletions(
    plan: Plan, verbs: Mapping[Address, tuple[Verb, ...]], before: dict[str, Before], steps: Iterable[Step]
) -> list[Step]:
    """Adds the deletions: last, only if everything else succeeded, and an algorithm after those that depend on it.

    A version and its source are deleted with their algorithm, and need the data files. So the algorithm is deleted before its data.
    """
    tasks: dict[str, list[Step]] = defaultdict(list)
    for change in plan.changes:
        if change.action is Action.DELETE:
            tasks[change.address.algorithm] += (Step(change.address, verb, change=change) for verb in verbs[change.address])
    everything = "<everything but deletions>"
    if tasks:
        before[everything] = Before(tuple(step.key for step in steps))
    containers = {traits.deleted_with for traits in plan.kinds.values()}
    dependents = _dependents(plan)
    placed: list[Step] = []
    turn: tuple[str, ...] = ()
    for name in (name for name in reversed(_in_order(plan)) if name in tasks):
        needs = (everything, *(_deleted(other) for other in dependents[name] if other in tasks))
        phases = sorted(((_deletion_phase(step, containers), step) for step in tasks[name]), key=itemgetter(0))
        _place_deletions_of(name, phases, Before(needs, turn), before)
        turn = (_deleted(name),)
        placed += (step for _, step in phases)
    return placed


def _place_deletions_of(name: str, phases: Iterable[tuple[int, Step]], first: Before, before: dict[str, Before]) -> None:
    """Adds the deletions of one algorithm, given in the order of their phases. `first`: what comes before all of them."""
    needs = first.needs
    for phase, group in groupby(phases, key=itemgetter(0)):
        keys = [step.key for _, step in group]
        before.update((key, Before(needs, first.follows)) for key in keys)
        needs = (f"<deletion {phase} of {name}>",)
        before[needs[0]] = Before(tuple(keys))
    before[_deleted(name)] = Before(needs)


def _deletion_phase(step: Step, containers: Set[str | None]) -> int:
    first = step.verb is Verb.DELETE and step.address.kind in containers
    return PHASES[Verb.DELETE] if first else max(_DELETED_WITH_OTHERS, PHASES[step.verb])


def _deleted(name: str) -> str:
    """The barrier behind the deletions of an algorithm."""
    return f"<deletions of {name}>"


def _dependents(plan: Plan) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, others in plan.depends_on:
        for other in others:
            found[other].append(name)
    return found


def _in_order(plan: Plan) -> list[str]:
    """Every algorithm of the plan in the workflow's order, but never before one it depends on."""
    depends_on = dict(plan.depends_on)
    changed = (change.address.algorithm for change in plan.changes)
    checked = (check.address.algorithm for check in plan.checks)
    placed: dict[str, None] = {}
    opened: set[str] = set()
    for given in (*depends_on, *changed, *checked):
        path = [] if given in opened else [(given, iter(depends_on.get(given, ())))]
        opened.add(given)
        while path:  # depth first, without recursion: a chain of dependencies may be long
            name, others = path[-1]
            if (other := next((other for other in others if other not in opened), None)) is None:
                placed[name] = None
                path.pop()
            else:
                opened.add(other)
                path.append((other, iter(depends_on.get(other, ()))))
    return list(placed)
