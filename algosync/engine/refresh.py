"""Refresh: takes what is at the destination into the record, and changes nothing there. The source is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.diff import GONE, assume_observed, is_unchanged, recorded_resource
from algosync.core.planning.exclusion import excluding, left_out_algorithms
from algosync.core.planning.plan import Plan, PlanHeader, targeted
from algosync.core.planning.target import Mode, Selection, reach
from algosync.core.ports import Side
from algosync.core.resource import SENSITIVE, Record, Resource, digest_of
from algosync.core.workflow import AlgorithmSpec, Workflow, removed_spec
from algosync.engine.look import each
from algosync.engine.plan import Scene, Site, require_known_kinds

__all__ = ["make_refresh_plan"]


def make_refresh_plan(
    workflow: Workflow, scene: Scene[Site], recorded: Mapping[Address, Record], header: PlanHeader, selection: Selection
) -> Plan:
    """Raises what `make_plan` raises. Algorithms that are no longer in the workflow are looked at, too."""
    require_known_kinds(recorded, scene)
    left_out = left_out_algorithms(selection, workflow.depends_on, recorded)
    reached = reach(selection.targets, scene.performers, workflow.depends_on, recorded) - left_out
    concerned = {address: record for address, record in recorded.items() if address.algorithm in reached}
    known = {spec.name: spec for spec in workflow.algorithms}
    specs = {name: known.get(name) or removed_spec(name) for name in sorted({a.algorithm for a in concerned})}
    looks = each(lambda spec: _look(spec, scene), specs.values(), scene.parallelism)
    observed = assume_observed({r.address: r for seen in looks for r in seen if r.address in concerned}, concerned)
    unread = [resource for resource in observed.values() if resource.digest is None]
    observed |= {r.address: r for r in each(lambda resource: _read(resource, specs, scene), unread, scene.parallelism)}
    kinds = scene.traits
    changes = tuple(_change(record, observed.get(a), publishes=kinds[a.kind].publishes) for a, record in sorted(concerned.items()))
    plan = Plan(header, changes, (), tuple(workflow.depends_on.items()), kinds=kinds, mode=Mode.REFRESH)
    return excluding(targeted(plan, selection.targets), selection.exclude, left_out)


def _look(spec: AlgorithmSpec, scene: Scene[Site]) -> list[Resource]:
    return [resource for kind in scene.kinds.values() for resource in kind.observed(spec, scene.site)]


def _read(resource: Resource, specs: Mapping[str, AlgorithmSpec], scene: Scene[Site]) -> Resource:
    return scene.of(resource.address).read(resource, Side.DESTINATION, specs[resource.address.algorithm], scene.site)


def _change(record: Record, have: Resource | None, *, publishes: bool) -> Change:
    """The change of one record. A version that differs is another one, so what its record remembers does not belong to it."""
    before = recorded_resource(record)
    if have is None:
        return Change(record.address, Action.FORGET, None, None, drifted=True, reason=GONE, recorded=before)
    if have.digest is None:
        return Change(record.address, Action.NONE, have, before, reason="its content cannot be read")
    if is_unchanged(have, record):
        same = replace(before, stamp=record.source_stamp)
        moved = record.digest != SENSITIVE and record.destination_stamp != have.stamp
        return Change(record.address, Action.REFRESH if moved else Action.NONE, have, same)
    whole = have.digest == digest_of(dict(have.attributes))
    attributes = have.attributes if whole else {**record.attributes, **have.attributes}
    # Without a stamp of the source, because its content is not known to be equal.
    after = Resource(record.address, attributes, digest=have.digest, size=have.size)
    have = replace(have, private={}) if publishes else have
    return Change(record.address, Action.RECORD, have, after, drifted=True, recorded=before)
