"""Drift: compares the destination with the record of the last apply. The source is not needed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import field, replace

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, Unreachable
from algosync.core.lean import dataclass
from algosync.core.planning.change import Drift, Finding
from algosync.core.planning.coverage import Coverage, Examined, Gap, LeftOut, Reading
from algosync.core.planning.diff import assume_observed, drift
from algosync.core.planning.ignoring import expired_notes, ignored_notes, with_ignored, without_ignored_files
from algosync.core.planning.target import Checksum
from algosync.core.ports import Side
from algosync.core.read_back import unread_note
from algosync.core.resource import Record, Resource
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.look import each
from algosync.engine.plan import Scene, Site, require_known_kinds

__all__ = ["examine", "find_drift", "in_progress", "managed_by"]

_RESOURCES = frozenset({Drift.CHANGED, Drift.MISSING, Drift.REWRITTEN, Drift.UNMANAGED})  # not tests
_NO_ROOM = "its size is as recorded and its time is not, and --read-budget leaves no room to read it"


def find_drift(workflow: Workflow, scene: Scene[Site], recorded: Mapping[Address, Record]) -> tuple[Finding, ...]:
    """The findings of `examine`."""
    return examine(workflow, scene, recorded).findings


def examine(
    workflow: Workflow,
    scene: Scene[Site],
    recorded: Mapping[Address, Record],
    reading: Reading = Reading(),  # noqa: B008  # immutable
) -> Examined:
    """The findings for the algorithms of the workflow that were applied. Records of other algorithms are ignored.

    A resource that cannot be read is reported as unknown. Unreachable: the destination does not answer, so nothing is known.
    Corrupt: a record has an unknown kind.
    """
    require_known_kinds(recorded, scene)
    applied = {address.algorithm for address in recorded}
    specs = {spec.name: spec for spec in workflow.algorithms if spec.name in applied}
    concerned = {a: r for a, r in recorded.items() if a.algorithm in specs}
    looks = each(lambda spec: _look(spec, scene, concerned), specs.values(), scene.parallelism)
    observed = assume_observed({r.address: r for look in looks for r in look.seen}, concerned)
    unknown = {address: reason for look in looks for address, reason in look.unknown.items()}
    chosen, skipped = _chosen(observed, concerned, reading, scene)
    unknown |= {r.address: _NO_ROOM for r in skipped if r.digest is None}
    read: dict[Address, int] = {}
    for address, found in each(lambda resource: _read(resource, specs, scene), chosen, scene.parallelism):
        if isinstance(found, str):
            unknown[address] = found
            continue
        observed[address] = found
        read |= {address: found.size or 0} if scene.is_file(address) else {}
    accepted, ignored = with_ignored(concerned, observed, specs, scene.traits)
    found_drift, ignored_files = without_ignored_files(drift(observed, accepted, unknown), specs, scene.traits)
    differing = [_named(finding, specs[finding.address.algorithm]) for finding in found_drift]
    expired = (f"{name}: {note}" for name, spec in specs.items() for note in expired_notes(spec))
    unread = unread_note(record for address, record in concerned.items() if address not in read)
    notes = (*ignored_notes(ignored + ignored_files), *expired, *unread)
    findings = tuple(each(lambda finding: _traced(finding, specs, scene), differing, scene.parallelism))
    left_out = [
        *(LeftOut(Address("algorithm", s.name), Gap.NOT_APPLIED) for s in workflow.algorithms if s.name not in applied),
        *(LeftOut(Address(kind, look.name), Gap.NOT_READABLE, why) for look in looks for kind, why in look.failed.items()),
        *(LeftOut(r.address, Gap.BUDGET, size=r.size) for r in skipped),
        *(LeftOut(a, Gap.NOT_READABLE, unknown[a]) for a in (r.address for r in chosen) if a in unknown),
    ]
    trusted = sum(scene.is_file(a) and a in observed and a not in unknown and a not in read for a in concerned)
    return Examined(findings, Coverage(tuple(sorted(concerned.keys() - unknown.keys())), read, trusted, tuple(left_out)), notes)


def _chosen(
    observed: Mapping[Address, Resource], recorded: Mapping[Address, Record], reading: Reading, scene: Scene[Site]
) -> tuple[list[Resource], list[Resource]]:
    """The resources to read, and the files for which the budget leaves no room.

    Their size is as recorded; any other file has changed for certain. Files of which it is not known whether they changed come
    before those of which only the content may have.
    """
    equal = [r for a, r in observed.items() if a in recorded and r.size == recorded[a].size]
    stale = [r for r in equal if r.digest is None]
    files = [r for r in stale if scene.is_file(r.address)]
    if reading.checksum is Checksum.ALWAYS:
        files += [r for r in equal if r.digest is not None and scene.is_file(r.address)]
    chosen, skipped, left = [r for r in stale if not scene.is_file(r.address)], [], reading.budget
    for file in sorted(files, key=lambda r: (r.digest is not None, reading.verified.get(r.address, ""), r.address)):
        size = file.size or 0
        if left is not None and size > left:
            skipped.append(file)
            continue
        chosen.append(file)
        left = None if left is None else left - size
    return chosen, skipped


def _traced(finding: Finding, specs: Mapping[str, AlgorithmSpec], scene: Scene[Site]) -> Finding:
    """The finding with what the destination tells of how it came about, or the reason why that is not known."""
    if finding.drift not in _RESOURCES:
        return finding
    try:
        return scene.of(finding.address).trace(finding, specs[finding.address.algorithm], scene.site)
    except Unreachable:
        raise
    except AlgosyncError as error:
        return replace(finding, reason=f"who changed it, and when, is not known: {error.message}")


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


@dataclass(slots=True)
class _Look:
    """What one algorithm has at the destination. `failed`: why resources of a kind could not be listed."""

    name: str
    seen: list[Resource] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unknown: dict[Address, str] = field(default_factory=dict)


def _look(spec: AlgorithmSpec, scene: Scene[Site], recorded: Mapping[Address, Record]) -> _Look:
    look = _Look(spec.name)
    for name, kind in scene.kinds.items():
        try:
            look.seen += kind.observed(spec, scene.site)
        except Unreachable:
            raise
        except AlgosyncError as error:
            look.failed[name] = error.message
            look.unknown |= {a: error.message for a in recorded if a.algorithm == spec.name and a.kind == name}
    return look
