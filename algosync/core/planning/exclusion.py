"""Exclusion: what `--exclude` leaves out of a plan, with what depends on it. Pure.

A whole algorithm is left out before either side is looked at. A single resource is left out of the finished plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from algosync.core.address import Address
from algosync.core.planning.change import Action
from algosync.core.planning.plan import Excluded, Plan, restricted
from algosync.core.planning.target import Mode, Selection, UnknownTarget, dependencies, dependents, matches
from algosync.core.resource import KindTraits

__all__ = ["excluding", "left_out_algorithms"]

DependsOn = Mapping[str, tuple[str, ...]]


def left_out_algorithms(selection: Selection, depends_on: DependsOn, recorded: Iterable[Address]) -> set[str]:
    """The algorithms whose names are excluded, and those that go with them. They are not looked at.

    A plan that destroys leaves out the recorded algorithms that these depend on, any other plan those that depend on these.
    """
    applied = {address.algorithm for address in recorded}
    names = {*depends_on, *applied}
    named = {name for name in names if any(fnmatchcase(name, pattern) for pattern in selection.exclude)}
    found = named | _with_them(named, selection.mode, depends_on)
    return found & applied if selection.mode is Mode.DESTROY else found


def _with_them(names: Collection[str], mode: Mode, depends_on: DependsOn) -> set[str]:
    match mode:
        case Mode.DESTROY:
            return dependencies(names, depends_on)
        case Mode.REFRESH:
            return set()
        case Mode.APPLY:
            return dependents(names, depends_on)


def excluding(plan: Plan, patterns: tuple[str, ...], algorithms: Collection[str]) -> Plan:
    """The plan without what the patterns name. `algorithms` are already left out, as of `left_out_algorithms`.

    UnknownTarget: nothing has the name of a pattern.
    """
    if not patterns:
        return plan
    everything = [*(c.address for c in plan.changes), *(c.address for c in plan.checks)]
    names = [name for name, _ in plan.depends_on]
    possible = [*everything, *(Address(kind, name) for name in {*algorithms, *names} for kind in (*plan.kinds, "test"))]
    if strange := [p for p in patterns if not any(matches(address, p) for address in possible)]:
        raise UnknownTarget.unnamed(strange, sorted({*algorithms, *names, *map(str, possible)}))
    direct = {address for address in everything if any(matches(address, pattern) for pattern in patterns)}
    deleted = {change.address for change in plan.changes if change.action is Action.DELETE}
    dropped = direct | {a for a in everything if _goes_along(a, direct, plan, deletes=a in deleted)}
    whole = {*algorithms, *_algorithms_of(dropped, plan)}
    single = [str(a) for a in dict.fromkeys(everything) if a in dropped and a.algorithm not in whole]
    kept = {a for a in everything if a not in dropped and a.algorithm not in whole}
    return replace(restricted(plan, kept), excluded=Excluded(patterns, (*sorted(whole), *single)))


def _goes_along(address: Address, direct: Collection[Address], plan: Plan, *, deletes: bool) -> bool:
    """Whether a resource is left out because of another one of its algorithm. `deletes`: the plan deletes it.

    Deleting an algorithm deletes its source and versions too, so it stays if one of these is to stay.
    """
    excluded = {other.kind for other in direct if other.algorithm == address.algorithm}
    if deletes or plan.mode is Mode.DESTROY:
        return any(_is_whole(kind, plan.kinds) for kind in excluded)
    traits = plan.kinds.get(address.kind)
    return plan.mode is Mode.APPLY and traits is not None and not traits.needs.isdisjoint(excluded)


def _algorithms_of(dropped: Collection[Address], plan: Plan) -> set[str]:
    """The algorithms that are left out because of single resources of others."""
    kinds = plan.kinds
    destroys = plan.mode is Mode.DESTROY
    resources = (a for a in dropped if a.kind in kinds)
    decide = {a.algorithm for a in resources if (_is_whole(a.kind, kinds) if destroys else kinds[a.kind].publishes)}
    return _with_them(decide, plan.mode, dict(plan.depends_on))


def _is_whole(kind: str, kinds: Mapping[str, KindTraits]) -> bool:
    """Whether the kind is deleted together with the algorithm."""
    return kind in kinds and (kinds[kind].deleted_with is not None or any(t.deleted_with == kind for t in kinds.values()))
