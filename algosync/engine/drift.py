"""Drift: compares the destination with the record of the last apply. The source is not needed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Unreachable
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.diff import assume_observed, drift
from algosync.core.ports import Side
from algosync.core.resource import Record, Resource
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.look import each
from algosync.engine.plan import Scene, Site, require_known_kinds

__all__ = ["find_drift", "in_progress", "managed_by"]

_RESOURCES = frozenset({Drift.CHANGED, Drift.MISSING, Drift.REWRITTEN, Drift.UNMANAGED})  # not tests


def find_drift(workflow: Workflow, scene: Scene[Site], recorded: Mapping[Address, Record]) -> tuple[Finding, ...]:
    """The findings for the algorithms of the workflow that were applied. Records of other algorithms are ignored.

    A resource that cannot be read is reported as unknown. Unreachable: the destination does not answer, so nothing is known.
    Corrupt: a record has an unknown kind.
    """
    require_known_kinds(recorded, scene)
    applied = {address.algorithm for address in recorded}
    specs = {spec.name: spec for spec in workflow.algorithms if spec.name in applied}
    concerned = {a: r for a, r in recorded.items() if a.algorithm in specs}
    looks = each(lambda spec: _look(spec, scene, concerned), specs.values(), scene.parallelism)
    observed = assume_observed({r.address: r for seen, _ in looks for r in seen}, concerned)
    unknown = {address: reason for _, failures in looks for address, reason in failures.items()}
    stale = [r for a, r in observed.items() if a in concerned and r.digest is None and r.size == concerned[a].size]
    for address, found in each(lambda resource: _read(resource, specs, scene), stale, scene.parallelism):
        if isinstance(found, Resource):
            observed[address] = found
        else:
            unknown[address] = found
    return tuple(_named(finding, specs[finding.address.algorithm]) for finding in drift(observed, concerned, unknown))


def _named(finding: Finding, spec: AlgorithmSpec) -> Finding:
    """The finding, marked if nothing is recorded of a resource that the workflow names. A resource without a name is always one."""
    if finding.drift is not Drift.UNMANAGED:
        return finding
    name = finding.address.name
    return replace(finding, in_workflow=name is None or spec.source_of(name) is not None)


def in_progress(findings: Iterable[Finding], changing: Callable[[], Container[Address]]) -> tuple[Finding, ...]:
    """The findings; differences of resources that are changing become IN_PROGRESS. `changing` is called only if there are any."""
    found = tuple(findings)
    if _RESOURCES.isdisjoint(finding.drift for finding in found):
        return found
    addresses = changing()
    moving = {f.address for f in found if f.drift in _RESOURCES and f.address in addresses}
    return tuple(replace(f, drift=Drift.IN_PROGRESS) if f.address in moving else f for f in found)


def managed_by(workflow: Workflow, recorded: Iterable[Address]) -> tuple[Address, ...]:
    """The recorded resources of algorithms that are still in the workflow."""
    names = workflow.depends_on.keys()
    return tuple(sorted(address for address in recorded if address.algorithm in names))


def _read(resource: Resource, specs: Mapping[str, AlgorithmSpec], scene: Scene[Site]) -> tuple[Address, Resource | str]:
    """The resource with its digest, or the reason why it could not be read."""
    kind, spec = scene.of(resource.address), specs[resource.address.algorithm]
    try:
        return resource.address, kind.read(resource, Side.DESTINATION, spec, scene.site)
    except Unreachable:
        raise
    except AlgosyncError as error:
        return resource.address, error.message


def _look(spec: AlgorithmSpec, scene: Scene[Site], recorded: Mapping[Address, Record]) -> tuple[list[Resource], dict[Address, str]]:
    seen: list[Resource] = []
    unknown: dict[Address, str] = {}
    for name, kind in scene.kinds.items():
        try:
            seen += kind.observed(spec, scene.site)
        except Unreachable:
            raise
        except AlgosyncError as error:
            unknown |= {a: error.message for a in recorded if a.algorithm == spec.name and a.kind == name}
    return seen, unknown
