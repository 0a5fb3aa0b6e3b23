"""Pinning: the digests that a saved plan needs, and those that it already knows.

A plan reads bytes only if they decide something. A saved plan says exactly what is written, so the files that it would upload are
read when it is saved. When it is applied, they are not read again where the stamp is the saved one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Change, Finding
from algosync.core.planning.plan import Plan
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Kind, Outcome, Side, Tell
from algosync.core.resource import SENSITIVE, KindTraits, Resource
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.look import each
from algosync.engine.plan import Scene, Site

__all__ = ["KnownDigests", "pinned", "with_known_digests"]


def pinned(plan: Plan, workflow: Workflow, scene: Scene[Site], *, stamps: bool = False) -> Plan:
    """The plan with the digests of the files that it uploads. `stamps`: only files without a stamp are read.

    A file at the destination is read only if it has neither stamp nor digest, so that nothing else would tell it from another one.
    """
    specs = {spec.name: spec for spec in workflow.algorithms}

    def pin(change: Change) -> Change:
        spec = specs.get(change.address.algorithm)
        if spec is None or not change.action.writes or not scene.of(change.address).TRAITS.is_file:
            return change
        kind, before, after = scene.of(change.address), change.before, change.after
        if after is not None and after.digest is None and (after.stamp is None or not stamps):
            after = kind.read(after, Side.SOURCE, spec, scene.site)
        if before is not None and before.digest is None and before.stamp is None:
            before = kind.read(before, Side.DESTINATION, spec, scene.site)
        return replace(change, before=before, after=after)

    return replace(plan, changes=tuple(each(pin, plan.changes, scene.parallelism)))


def with_known_digests(scene: Scene[Site], changes: Iterable[Change]) -> Scene[Site]:
    """The scene in which resources have the digests of these changes, where their stamps are the same."""
    known = {change.address: change for change in changes}
    kinds: dict[str, Kind[Site]] = {name: KnownDigests(kind, known) for name, kind in scene.kinds.items()}
    return replace(scene, kinds=kinds)


@dataclass(frozen=True, slots=True)
class KnownDigests(Kind[Site]):
    """A kind whose resources have the digests of saved changes. Without a stamp on either side of time, they are read."""

    kind: Kind[Site]
    known: Mapping[Address, Change]

    @property
    def TRAITS(self) -> KindTraits:  # type: ignore[override]  # noqa: N802  # the Protocol's name; it is never set
        return self.kind.TRAITS

    def desired(self, spec: AlgorithmSpec, site: Site, /) -> Iterator[Resource]:
        for resource in self.kind.desired(spec, site):
            saved = self.known.get(resource.address)
            yield self._known(resource, saved.after if saved else None, Side.SOURCE, spec, site)

    def observed(self, spec: AlgorithmSpec, site: Site, /) -> Iterator[Resource]:
        for resource in self.kind.observed(spec, site):
            saved = self.known.get(resource.address)
            yield self._known(resource, saved.before if saved else None, Side.DESTINATION, spec, site)

    def read(self, resource: Resource, side: Side, spec: AlgorithmSpec, site: Site, /) -> Resource:
        return self.kind.read(resource, side, spec, site)

    def explain(self, change: Change, spec: AlgorithmSpec, site: Site, /) -> Change:
        return self.kind.explain(change, spec, site)

    def trace(self, finding: Finding, spec: AlgorithmSpec, site: Site, /) -> Finding:
        return self.kind.trace(finding, spec, site)

    def verbs(self, change: Change, /) -> tuple[Verb, ...]:
        return self.kind.verbs(change)

    def perform(self, step: Step, spec: AlgorithmSpec, site: Site, tell: Tell, /) -> Outcome:
        return self.kind.perform(step, spec, site, tell)

    def _known(self, found: Resource, saved: Resource | None, side: Side, spec: AlgorithmSpec, site: Site) -> Resource:
        if saved is None or saved.digest in (None, SENSITIVE) or found.digest is not None or found.size != saved.size:
            return found
        if None in (found.stamp, saved.stamp):
            return self.kind.read(found, side, spec, site)
        return replace(found, digest=saved.digest) if found.stamp == saved.stamp else found
