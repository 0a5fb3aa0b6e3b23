"""Guards: why an apply refuses to carry out a plan, so that no mistake does much damage. Pure.

A user allows each of them by its name with `--allow`. The thresholds are those of octoDNS: a plan that deletes or overwrites more
than 30 % of at least 10 resources is more often a mistake in the workflow, or the wrong state, than intended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum

from algosync.core.address import Address
from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Plan, Refusal
from algosync.core.planning.target import Mode
from algosync.core.resource import Record
from algosync.core.text import printable
from algosync.core.workflow import Workflow

__all__ = ["FOREIGN_COMMIT", "PREVENT_DESTROY", "Guard", "Situation", "exceeds", "guarded", "guards_named"]

MIN_EXISTING = 10
"""With fewer resources, one of them is a large part, and a threshold would refuse everyday changes."""

FOREIGN_COMMIT = "foreign_commit"
"""In the details of the changes of an algorithm that is not recorded: the last commit of its repository, if it is not our own."""

PREVENT_DESTROY = "prevent_destroy"
"""In the private part of a record: the algorithm was protected when it was recorded."""

_NAMED = 5


class Guard(Enum):
    """The values are the names that `--allow` takes."""

    DELETES = "deletes"
    OVERWRITES = "overwrites"
    DRIFTED = "drifted"
    PROTECTED = "protected"
    ADOPT = "adopt"
    SAME_CLUSTER = "same-cluster"
    UNTESTED = "untested"


def guards_named(names: Collection[str]) -> frozenset[Guard]:
    """The guards of these names. UsageError: there is no such guard."""
    known = [guard.value for guard in Guard]
    if strange := [name for name in names if name not in known]:
        raise UsageError(f"--allow {strange[0]}: there is no such guard", hint=f"the guards are {', '.join(sorted(known))}")
    return frozenset(map(Guard, names))


@dataclass(frozen=True, slots=True)
class Situation:
    """What guards need to know besides the plan.

    `same_cluster`: the owner and cluster that are both source and destination, or None. `allowed`: the guards that a user switched
    off.
    """

    workflow: Workflow
    recorded: Mapping[Address, Record]
    same_cluster: str | None = None
    allowed: Collection[Guard] = frozenset()


def guarded(plan: Plan, situation: Situation) -> Plan:
    """The plan with its refusals."""
    found = [*_deletes(plan, situation), *_overwrites(plan, situation), *_drifted(plan), *_protected(plan, situation)]
    found += [*_adopts(plan), *_same_cluster(plan, situation), *_untested(plan)]
    allowed = {guard.value for guard in situation.allowed}
    return replace(plan, refusals=tuple(refusal for refusal in found if refusal.guard not in allowed))


def exceeds(count: int, existing: int, percent: int) -> bool:
    """Whether `count` of `existing` resources are more than a threshold allows."""
    return existing >= MIN_EXISTING and count * 100 > percent * existing


def _refusal(guard: Guard, message: str, way_out: str = "") -> Refusal:
    return Refusal(guard.value, message, f"{way_out}if it is meant, use --allow {guard.value}")


def _existing(plan: Plan, situation: Situation) -> int:
    """How many recorded resources are at the destination, as far as the plan covers them."""
    return sum(1 for change in plan.changes if change.before is not None and change.address in situation.recorded)


def _deletes(plan: Plan, situation: Situation) -> Iterator[Refusal]:
    """A plan that destroys is meant to delete everything, so it has no threshold."""
    deletes = plan.counted()[Action.DELETE]
    existing = _existing(plan, situation) if deletes else 0
    limit = situation.workflow.guards.max_deletes
    if plan.mode is not Mode.DESTROY and exceeds(deletes, existing, limit):
        message = f"the plan deletes {_share(deletes, existing)}; at most {limit}% are allowed"
        yield _refusal(Guard.DELETES, message, _limit_hint("max_deletes"))


def _overwrites(plan: Plan, situation: Situation) -> Iterator[Refusal]:
    overwrites = [c for c in plan.changes if c.action is Action.UPDATE and c.drifted and c.before is not None]
    existing, limit = _existing(plan, situation) if overwrites else 0, situation.workflow.guards.max_overwrites
    if exceeds(len(overwrites), existing, limit):
        share = _share(len(overwrites), existing)
        message = f"the plan overwrites {share} that changed outside of algosync; at most {limit}% are allowed"
        yield _refusal(Guard.OVERWRITES, message, _limit_hint("max_overwrites"))


def _share(count: int, existing: int) -> str:
    """The exact percentage in whole numbers could hide that a threshold is exceeded, so it has one digit after the point."""
    return f"{count} of {existing} recorded resources ({count * 100 / existing:.1f}%)"


def _limit_hint(key: str) -> str:
    return f"look at each of them; the workflow sets the limit with `guards: {{{key}: …%}}`; "


def _drifted(plan: Plan) -> Iterator[Refusal]:
    drifted = [c for c in plan.changes if c.action is Action.DELETE and c.drifted]
    if drifted:
        yield _refusal(Guard.DRIFTED, f"the plan deletes what somebody changed outside of algosync: {_names(drifted)}")


def _protected(plan: Plan, situation: Situation) -> Iterator[Refusal]:
    """Deletions of protected algorithms. Forgetting a protected algorithm would end its protection."""
    ending = [c for c in plan.changes if c.action is Action.DELETE or c.action is Action.FORGET]
    if not ending:
        return
    specs = {spec.name: spec.prevent_destroy for spec in situation.workflow.algorithms}
    recorded = {a.algorithm for a, record in situation.recorded.items() if record.private.get(PREVENT_DESTROY) is True}
    protected = {name for name in {*specs, *recorded} if specs.get(name, name in recorded)}
    lost = [c for c in ending if c.address.algorithm in protected and _ends_protection(c, specs)]
    if lost:
        verb = "deletes" if any(c.action is Action.DELETE for c in lost) else "forgets"
        way_out = "set `lifecycle: {prevent_destroy: false}` of the algorithm and apply that first, or, "
        yield _refusal(Guard.PROTECTED, f"the plan {verb} what is protected by prevent_destroy: {_names(lost)}", way_out)


def _ends_protection(change: Change, in_workflow: Collection[str]) -> bool:
    forgotten = change.action is Action.FORGET and change.address.algorithm not in in_workflow
    return change.action is Action.DELETE or forgotten


def _adopts(plan: Plan) -> Iterator[Refusal]:
    """Algorithms of others that the plan would change. After a lost state our own commits show that the algorithm is ours."""
    updates = (change for change in plan.changes if change.action is Action.UPDATE)
    foreign = {c.address.algorithm: str(c.details[FOREIGN_COMMIT]) for c in updates if FOREIGN_COMMIT in c.details}
    for name, commit in sorted(foreign.items()):
        there = f"{name} is at the destination already, is not recorded, and differs from the workflow"
        message = f"{there}; its last commit is not one of algosync: {printable(commit, 200)}"
        yield _refusal(Guard.ADOPT, message, f"record it as it is with `algosync import {name}`, and look at the plan again; ")


def _same_cluster(plan: Plan, situation: Situation) -> Iterator[Refusal]:
    if situation.same_cluster is not None and any(c.action.has_steps for c in plan.changes):
        message = f"source and destination are the same cluster and owner: {printable(situation.same_cluster)}"
        yield _refusal(Guard.SAME_CLUSTER, message, "look at the addresses and keys of both sides; ")


def _untested(plan: Plan) -> Iterator[Refusal]:
    """The published version would read the new data at once, and no test would stop it."""
    if plan.untested_data:
        versions = ", ".join(dict.fromkeys(f"version.{address.algorithm}" for address in plan.untested_data))
        message = f"{_listed(plan.untested_data)} would be live without a test, because the plan leaves out {versions}"
        yield _refusal(Guard.UNTESTED, message, "take the whole algorithm into the plan; ")


def _names(changes: Collection[Change]) -> str:
    return _listed([change.address for change in changes])


def _listed(addresses: Sequence[Address]) -> str:
    shown = ", ".join(printable(str(address)) for address in addresses[:_NAMED])
    return shown if len(addresses) <= _NAMED else f"{shown} and {len(addresses) - _NAMED} more"
