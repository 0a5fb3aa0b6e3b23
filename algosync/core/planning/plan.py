"""Plan: the changes and the checks that one apply makes. A plan is data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import field, replace
from itertools import chain, count
from operator import is_
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.deletion import targeted_deletions
from algosync.core.planning.target import Mode, UnknownTarget, dependencies, matches
from algosync.core.resource import Json, KindTraits, Resource
from algosync.core.testing.case import TestCase
from algosync.core.workflow import Workflow

__all__ = [
    "Check",
    "Excluded",
    "FailedCheck",
    "Plan",
    "PlanHeader",
    "Refusal",
    "checks_of",
    "live_untested",
    "masked",
    "plan_of",
    "plan_of_checks",
    "restricted",
    "targeted",
    "with_kept_bytes",
]

KEPT_OF_ALGORITHM = 1 << 30  # bytes of overwritten data files that are kept for one algorithm
KEPT_OF_RUN = 10 << 30  # and for all


@dataclass(frozen=True, slots=True)
class Check:
    """A test of an algorithm that must pass.

    `of_algorithm`: it is one of the algorithm's own tests, and runs before the algorithm is published. The others are the
    workflow's tests. `candidate`: it calls the commit that will be published, not the published version.
    """

    address: Address
    case: TestCase
    of_algorithm: bool
    candidate: bool = False


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that failed when it last ran. `since`: ISO 8601 in UTC."""

    address: Address
    since: str
    reason: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """What a user left out by `patterns`: algorithms by name, and addresses, with what depends on them."""

    patterns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a guard refuses a plan. `guard` is the name that `--allow` takes."""

    guard: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """The workflow and the clusters of a plan, by name. `owner` is the account on the destination.

    `state` is the place of the state if the destination is a local cluster: from another folder, `local` is another cluster.
    """

    workflow: str
    source: str | None
    destination: str
    owner: str
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` also holds those that do nothing. `depends_on` has every algorithm, in the workflow's order.

    `compared` is False if the workflow only runs tests, so that nothing was compared. `kinds` has the traits of each kind
    that occurs in `changes`. `targets`: the plan covers only these and what they depend on. Empty: everything. `failing`: the
    checks that failed when they last ran. `excluded`: what a user left out. `refusals`: why apply refuses the plan.
    `untested_data`: as of `live_untested`.
    """

    header: PlanHeader
    changes: tuple[Change, ...]
    checks: tuple[Check, ...]
    depends_on: tuple[tuple[str, tuple[str, ...]], ...] = ()
    compared: bool = True
    kinds: Mapping[str, KindTraits] = field(default_factory=lambda: MappingProxyType({}))
    targets: tuple[str, ...] = ()
    failing: tuple[FailedCheck, ...] = ()
    mode: Mode = Mode.APPLY
    excluded: Excluded = Excluded()
    refusals: tuple[Refusal, ...] = ()
    untested_data: tuple[Address, ...] = ()
    _acting: tuple[Change, ...] = field(init=False, repr=False, compare=False)  # those that do something: few in most plans

    def __post_init__(self) -> None:
        object.__setattr__(self, "_acting", tuple([c for c in self.changes if c.action is not Action.NONE]))

    @property
    def visible(self) -> tuple[Change, ...]:
        return tuple(c for c in self._acting if c.action.visible)

    @property
    def drifted(self) -> tuple[Change, ...]:
        return tuple(c for c in self._acting if c.drifted)

    def counted(self) -> Counter[Action]:
        idle = len(self.changes) - len(self._acting)
        return Counter({Action.NONE: idle} if idle else {}) + Counter(c.action for c in self._acting)

    def upload(self) -> tuple[int, int]:
        """The number of data files to upload, and their bytes."""
        sizes = [c.after.size or 0 for c in self._sent() if c.after]
        return len(sizes), sum(sizes)

    def live(self) -> tuple[Change, ...]:
        """The changes that overwrite data files of published algorithms. Data has no versions: they take effect before any test."""
        sent = self._sent()
        published = {c.address.algorithm for c in self.versions if c.before is not None} if sent else frozenset[str]()
        return tuple(c for c in sent if c.before and c.address.algorithm in published)

    def held(self) -> tuple[Change, ...]:
        """The changes that are left out because their test failed before."""
        return tuple(c for c in self._acting if c.action is Action.HOLD)

    def untested(self) -> tuple[Change, ...]:
        """The versions that will be published without a test, because their algorithm has no payload."""
        tried = {c.address.algorithm for c in self.checks if c.of_algorithm}
        return tuple(c for c in self.versions if c.action.writes and c.address.algorithm not in tried)

    def kept(self) -> int:
        """The bytes of the data files that are already at the destination."""
        return sum(c.after.size or 0 for c in self._files(self.changes) if not c.action.writes and c.after)

    def notes(self) -> Iterator[tuple[Address, str]]:
        """The notes on both sides of every change, also of those that do nothing."""
        for change in self.changes:
            for side in (change.before, change.after):
                if side is not None and side.notes:
                    yield from ((change.address, note) for note in side.notes)

    @property
    def versions(self) -> tuple[Change, ...]:
        """The changes of published versions."""
        publishing = {name for name, traits in self.kinds.items() if traits.publishes}
        return tuple([c for c in self.changes if c.address.kind in publishing])

    def _files(self, changes: Iterable[Change]) -> tuple[Change, ...]:
        kinds = {name for name, traits in self.kinds.items() if traits.is_file}
        return tuple(c for c in changes if c.address.kind in kinds)

    def _sent(self) -> tuple[Change, ...]:
        """The changes of files that are sent. A file that only gets its previous bytes back is not."""
        return tuple(c for c in self._files(self._acting) if c.action.writes and not c.details.get("put_back_only"))


def checks_of(workflow: Workflow, to_publish: Set[str]) -> tuple[Check, ...]:
    """The algorithms' own tests in their order, then the workflow's tests. Of equal names, the later ones get a number.

    `to_publish`: the algorithms that get a new version.
    """
    own = [
        Check(Address("test", spec.name, case.name or None), case, of_algorithm=True, candidate=spec.name in to_publish)
        for spec in workflow.algorithms
        for case in spec.tests
    ]
    candidate = workflow.entrypoint in to_publish
    taken = {check.address.name for check in own if check.address.algorithm == workflow.entrypoint}
    tests = []
    for case in workflow.tests:
        numbered = (f"{case.name} #{number}" for number in count(2))
        name = next(name for name in chain([case.name], numbered) if name not in taken)
        taken.add(name)
        tests.append(Check(Address("test", workflow.entrypoint or "", name), case, of_algorithm=False, candidate=candidate))
    return (*own, *tests)


def plan_of(workflow: Workflow, header: PlanHeader, changes: tuple[Change, ...], kinds: Mapping[str, KindTraits]) -> Plan:
    """The plan of these changes, with all checks of the workflow."""
    plan = Plan(header, changes, (), tuple(workflow.depends_on.items()), kinds=kinds)
    to_publish = {c.address.algorithm for c in plan.versions if c.action.writes}
    return replace(plan, checks=checks_of(workflow, to_publish))


def with_kept_bytes(plan: Plan, workflow: Workflow) -> Plan:
    """The plan with a decision for each file that is overwritten before a new version is published: are its bytes kept?

    `details["keep"]` says it. Files are kept in the order of the plan as long as there is room. This comes after `targeted`, which
    may leave out the new version.
    """
    renewed = {c.address.algorithm for c in plan.versions if c.action.writes}
    wanted = {spec.name for spec in workflow.algorithms if spec.publish.restore_data}
    live = {c.address for c in plan.live() if c.address.algorithm in renewed}
    if not live:
        return plan
    room: dict[str, int] = {}
    left = KEPT_OF_RUN

    def decide(change: Change) -> Change:
        nonlocal left
        if change.address not in live or change.before is None:
            return change
        name, octets = change.address.algorithm, change.before.size or 0
        keep = name in wanted and octets <= min(left, room.setdefault(name, KEPT_OF_ALGORITHM))
        if keep:
            left, room[name] = left - octets, room[name] - octets
        return replace(change, details={**change.details, "keep": keep})

    return replace(plan, changes=tuple(map(decide, plan.changes)))


def plan_of_checks(workflow: Workflow, header: PlanHeader) -> Plan:
    """A plan that only runs the checks of the workflow."""
    return Plan(header, (), checks_of(workflow, frozenset()), tuple(workflow.depends_on.items()), compared=False)


def targeted(plan: Plan, targets: Iterable[str]) -> Plan:
    """The part of a plan that concerns the targets: addresses, names of algorithms, or globs of either.

    It holds only the deletions of `targeted_deletions`. Of a plan that does not destroy:

    It holds the targets and what they depend on: other algorithms as a whole, and the earlier kinds of their own algorithm (for a
    version its source, data and settings). It keeps the payload checks of the algorithms in it, and the workflow's tests if the
    entrypoint is one of them. UnknownTarget: nothing in the plan matches a target.
    """
    patterns = tuple(targets)
    if not patterns:
        return plan
    everything = [*(c.address for c in plan.changes), *(c.address for c in plan.checks)]
    if strange := [p for p in patterns if not any(matches(a, p) for a in everything)]:
        names = [name for name, _ in plan.depends_on]
        addresses = [f"{kind}.{name}" for name in names for kind in (*plan.kinds, "test")]
        raise UnknownTarget.unnamed(strange, [*names, *addresses, *map(str, everything)])
    direct = {a for a in everything if any(matches(a, p) for p in patterns)}
    below = dependencies({a.algorithm for a in direct}, dict(plan.depends_on))
    needed = _needed_kinds(direct, plan.kinds)
    kept = {a for a in everything if a in direct or a.algorithm in below or a.kind in needed.get(a.algorithm, ())}
    if plan.mode is Mode.DESTROY:
        kept = set(targeted_deletions(plan.changes, frozenset(direct), plan.kinds, dict(plan.depends_on)))
    else:  # what a target is built on is brought up to date, but a deletion has to be named
        deleted = {c.address for c in plan.changes if c.action is Action.DELETE}
        kept = kept - deleted | (targeted_deletions(plan.changes, frozenset(direct), plan.kinds, {}) & deleted)
    algorithms = {a.algorithm for a in kept}
    checks = (check.address for check in plan.checks if check.address.algorithm in algorithms)
    return replace(restricted(plan, {*kept, *checks}), targets=patterns)


def restricted(plan: Plan, kept: Set[Address]) -> Plan:
    """The part of a plan with these changes and checks.

    A check whose version is left out calls the published one. It is left out, too, if there is none.
    """
    left_out = {c.address.algorithm: c for c in plan.versions if c.address not in kept}
    checks = (_without(left_out.get(c.address.algorithm), c) for c in plan.checks if c.address in kept)
    changes = tuple(c for c in plan.changes if c.address in kept)
    return replace(plan, changes=changes, checks=tuple(c for c in checks if c is not None))


def live_untested(whole: Plan, part: Plan) -> tuple[Address, ...]:
    """The data files of published algorithms that a part of a plan overwrites, while the new version is not in that part."""
    live = whole.live()
    if not live:
        return ()
    kept = {change.address for change in part.changes}
    left_out = {c.address.algorithm for c in whole.versions if c.action.writes and c.address not in kept}
    return tuple(c.address for c in live if c.address in kept and c.address.algorithm in left_out)


def _without(version: Change | None, check: Check) -> Check | None:
    """The check when its algorithm's version change is left out. It then calls the published version, if there is one."""
    if version is None or not version.action.writes:
        return check
    return None if version.before is None else replace(check, candidate=False)


def _needed_kinds(targets: Iterable[Address], kinds: Mapping[str, KindTraits]) -> dict[str, set[str]]:
    """For each algorithm, the kinds that its targets are built on. A test, which has no traits, needs every kind."""
    needed: dict[str, set[str]] = {}
    for target in targets:
        needs = kinds[target.kind].needs if target.kind in kinds else kinds.keys()
        needed.setdefault(target.algorithm, set()).update(needs)
    return needed


def masked(plan: Plan, hides: Callable[[Json], bool]) -> Plan:
    """The plan for display: where the new value of a changed attribute is hidden, the old values are masked too."""

    def mask(change: Change, after: Resource) -> Change:
        sides = (change.before, change.recorded)
        changed = {name for side in sides if side is not None for name in _changed(side, after)}
        hidden = frozenset(name for name in changed if hides(after.attributes[name]))
        if not hidden:
            return change
        before, recorded = (_without_values(side, hidden, after) for side in sides)
        return replace(change, before=before, recorded=recorded)

    pairs = ((change, change.after) for change in plan.changes)
    changes = [change if after is None or not after.attributes else mask(change, after) for change, after in pairs]
    return plan if all(map(is_, changes, plan.changes)) else replace(plan, changes=tuple(changes))


def _changed(side: Resource, after: Resource) -> Iterator[str]:
    """The attributes that both have with different values."""
    new = after.attributes
    return (name for name, value in side.attributes.items() if name in new and value != new[name])


def _without_values(side: Resource | None, names: Set[str], after: Resource) -> Resource | None:
    """The old side of a change with masked values. Unchanged values are not masked, because redaction hides them."""
    if side is None:
        return None
    hidden: dict[str, Json] = {name: "***" for name in _changed(side, after) if name in names}
    return replace(side, attributes={**side.attributes, **hidden})
