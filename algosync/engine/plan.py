"""Plan: looks at both sides, reads bytes only if they decide something, and leaves the decisions to the pure diff."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from algosync.core.address import Address
from algosync.core.error import Corrupt, NotFound, Several, SourceError
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.planning.data_reads import DataReads, renewed_by_reads
from algosync.core.planning.deletion import possible
from algosync.core.planning.diff import assume_desired, assume_observed, diff, undecided, undecided_deletions
from algosync.core.planning.exclusion import excluding, left_out_algorithms
from algosync.core.planning.explanation import CONTENT_REPLACED, REPLACED
from algosync.core.planning.guards import FOREIGN_COMMIT
from algosync.core.planning.ignoring import leaving_files, with_ignored
from algosync.core.planning.moves import explained_moves, keeping_unreplaced, moved_records
from algosync.core.planning.plan import Plan, PlanHeader, live_untested, plan_of, plan_of_checks, targeted, with_kept_bytes
from algosync.core.planning.renewal import renewed
from algosync.core.planning.target import Checksum, Mode, Selection, UnknownTarget, dependencies, dependents, matches, reach
from algosync.core.ports import Kind, Performer, Side
from algosync.core.resource import READ_NOW, KindTraits, Record, Resource
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec, Workflow, removed_spec
from algosync.engine.look import each

__all__ = ["Scene", "make_plan", "require_known_kinds"]

Site = TypeVar("Site")
_Look: TypeAlias = tuple[list[Resource], list[Resource]]
"""The desired and the observed resources of one algorithm."""


@dataclass(frozen=True, slots=True)
class Scene(Generic[Site]):
    """The inputs of a command. `performers` carry out steps, by kind; `parallelism` limits concurrent queries and steps.

    `transfers` limits the files that are moved at the same time, besides other steps. None: they are steps like the others.
    """

    kinds: Mapping[str, Kind[Site]]
    performers: Mapping[str, Performer[Site]]
    site: Site
    parallelism: int
    transfers: int | None = None

    def of(self, address: Address) -> Kind[Site]:
        return self.kinds[address.kind]

    @property
    def traits(self) -> Mapping[str, KindTraits]:
        return {name: kind.TRAITS for name, kind in self.kinds.items()}

    def is_file(self, address: Address) -> bool:
        return self.of(address).TRAITS.is_file


def make_plan(
    workflow: Workflow,
    scene: Scene[Site],
    recorded: Mapping[Address, Record],
    header: PlanHeader,
    selection: Selection = Selection(),  # noqa: B008  # immutable
) -> Plan:
    """With targets, only they and the algorithms they depend on are looked at. Algorithms that are excluded are not looked at.

    Raises the failures of looking at either side: one error, or Several. Corrupt: a record has an unknown kind. UnknownTarget:
    nothing has the name of a target, or it cannot be replaced.
    """
    targets, destroys = selection.targets, selection.mode is Mode.DESTROY
    left_out = _left_out(selection, workflow, workflow.depends_on, recorded)
    reached = reach(targets, scene.performers, workflow.depends_on, recorded)
    reached = (reached | dependents(reached, workflow.depends_on) if destroys else reached) - left_out
    _require_rest(targets, reached, left_out)
    if workflow.run_only and not destroys:
        plan = _plan_of_checks(workflow, header, selection, [s for s in workflow.algorithms if s.name in reached], scene)
        return excluding(targeted(plan, targets), selection.exclude, left_out)
    seen = _seen(workflow, scene, selection, reached, recorded)
    left_out |= _left_out(selection, workflow, seen.reads.depends_on, recorded)
    seen = seen.without(left_out)
    _require_rest(targets, seen.looks, left_out)
    concerned = {address: record for address, record in recorded.items() if address.algorithm in seen.reached}
    moved = moved_records(recorded, workflow, scene.kinds)
    changes = _changes(seen, scene, concerned, moved, selection)
    plan = plan_of(workflow, header, explained_moves(changes, workflow), scene.traits)
    depends_on = tuple(seen.reads.depends_on.items())
    plan = replace(plan, mode=selection.mode, checks=() if destroys else plan.checks, depends_on=depends_on)
    part = excluding(targeted(plan, targets), selection.exclude, left_out)
    part = part if destroys else keeping_unreplaced(part, plan, workflow, recorded)
    return with_kept_bytes(replace(part, untested_data=live_untested(plan, part)), workflow)


def _left_out(
    selection: Selection, workflow: Workflow, depends_on: Mapping[str, tuple[str, ...]], recorded: Mapping[Address, Record]
) -> set[str]:
    """The algorithms that `--exclude` leaves out, and in a plan that does not destroy also their earlier names."""
    found = left_out_algorithms(selection, depends_on, recorded)
    if selection.mode is Mode.DESTROY:
        return found
    return found | {move.old for move in workflow.moved if move.new in found}  # it stays until the new one takes its place


def _require_rest(targets: Collection[str], rest: Collection[str], left_out: Collection[str]) -> None:
    if targets and not rest and left_out:
        raise UnknownTarget("--exclude leaves out everything that --target names")


@dataclass(frozen=True, slots=True)
class _Seen:
    """Both sides of the algorithms that were looked at, by name, in the workflow's order. `reached`: the names, also of records."""

    reached: frozenset[str]
    specs: Mapping[str, AlgorithmSpec]
    looks: Mapping[str, _Look]
    reads: DataReads

    def without(self, names: Collection[str]) -> _Seen:
        looks = {name: look for name, look in self.looks.items() if name not in names}
        return replace(self, reached=self.reached - {*names}, looks=looks)


def _seen(
    workflow: Workflow, scene: Scene[Site], selection: Selection, reached: Collection[str], recorded: Mapping[Address, Record]
) -> _Seen:
    """Looks at the algorithms in reach, and at those whose data they read."""
    looks: dict[str, _Look] = {}
    while True:
        concerned = [address for address in recorded if address.algorithm in reached]
        specs = {spec.name: spec for spec in _specs(workflow, selection, reached, concerned)}
        new = [spec for spec in specs.values() if spec.name not in looks]
        found = each(lambda spec: _look(spec, scene), new, scene.parallelism)
        looks.update((spec.name, look) for spec, look in zip(new, found, strict=True))
        reads = DataReads.of((r for wanted, _ in looks.values() for r in wanted), workflow.depends_on)
        more = dependencies(reached, reads.depends_on) - {*reached} if reads.reads else set()
        more -= _left_out(selection, workflow, reads.depends_on, recorded) if more else set()
        if not more:
            return _Seen(frozenset(reached), specs, {name: looks[name] for name in specs}, reads)
        reached = {*reached, *more}


def _plan_of_checks(
    workflow: Workflow, header: PlanHeader, selection: Selection, algorithms: Sequence[AlgorithmSpec], scene: Scene[Site]
) -> Plan:
    if selection.replace or selection.prune:
        raise UnknownTarget("nothing can be replaced or pruned: the workflow says run_only")
    each(lambda spec: _require_there(spec, scene), algorithms, scene.parallelism)
    return plan_of_checks(workflow, header)


def _specs(
    workflow: Workflow, selection: Selection, reached: Collection[str], recorded: Iterable[Address]
) -> Sequence[AlgorithmSpec]:
    """The algorithms to look at: those of the workflow, and those of which something recorded is to be deleted.

    What `removed` names is forgotten and not deleted, so it is not looked at.
    """
    applied = sorted({address.algorithm for address in recorded} - {*workflow.removed})
    if selection.mode is Mode.DESTROY:
        return [removed_spec(name) for name in applied]
    wanted = [spec for spec in workflow.algorithms if spec.name in reached]
    known = workflow.depends_on
    return [*wanted, *(removed_spec(name) for name in applied if selection.prune and name not in known)]


def _changes(
    seen: _Seen,
    scene: Scene[Site],
    recorded: Mapping[Address, Record],
    moved: Mapping[Address, Record],
    selection: Selection,
) -> tuple[Change, ...]:
    """The changes after a look at these algorithms and records. `moved`: records of earlier names, good for the source only."""
    require_known_kinds(recorded, scene)
    specs = {name: seen.specs[name] for name in seen.looks}
    prune = selection.prune or selection.mode is Mode.DESTROY
    looks = seen.looks.values()
    trusted = {a: r for a, r in recorded.items() if selection.checksum is not Checksum.ALWAYS or not scene.is_file(a)}
    earlier = {a: r for a, r in moved.items() if selection.checksum is not Checksum.ALWAYS or not scene.is_file(a)}
    desired = assume_desired({r.address: r for wanted, _ in looks for r in wanted}, {**earlier, **trusted})
    observed = assume_observed({r.address: r for _, seen in looks for r in seen}, trusted)
    at_source, at_destination = undecided(desired, observed)
    at_destination |= undecided_deletions(desired, observed, recorded) if prune else frozenset()

    def read(side: Side, addresses: Iterable[Address], resources: Mapping[Address, Resource]) -> dict[Address, Resource]:
        read = (a for a in addresses if selection.checksum is not Checksum.NEVER or not scene.is_file(a))
        return _read_all(scene, specs, side, [resources[address] for address in sorted(read)])

    desired |= read(Side.SOURCE, at_source, desired)
    observed |= read(Side.DESTINATION, at_destination, observed)
    accepted, _ = with_ignored(recorded, observed, specs, scene.traits)
    found = possible(diff(desired, observed, accepted, prune=prune), scene.traits)
    found = found if prune else leaving_files(found, specs, scene.traits)
    changes = renewed(_replaced(found, selection.replace, scene), specs, scene.traits, recorded)
    explained = _explained(changes, specs, scene)
    known = renewed_by_reads(explained, seen.reads.reads, specs, scene.traits, recorded)
    pairs = zip(explained, known, strict=True)
    again = [change if change is before else _explain(change, specs, scene) for before, change in pairs]
    return _marked([seen.reads.noted(change) for change in again])


def _marked(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, each with the foreign commit of its algorithm, so that a part of the plan shows it too."""
    foreign = {c.address.algorithm: c.details[FOREIGN_COMMIT] for c in changes if FOREIGN_COMMIT in c.details}

    def mark(change: Change) -> Change:
        commit = foreign.get(change.address.algorithm)
        return change if commit is None else replace(change, details={**change.details, FOREIGN_COMMIT: commit})

    return tuple(map(mark, changes))


def _replaced(changes: Sequence[Change], patterns: Sequence[str], scene: Scene[Site]) -> Sequence[Change]:
    """The changes, with an update of each resource that a pattern names, and of each version that holds one of these.

    UnknownTarget: a pattern names nothing replaceable.
    """
    for pattern in patterns:
        found = [change for change in changes if matches(change.address, pattern) and change.after is not None]
        if not found:
            raise UnknownTarget.unnamed([pattern], [str(change.address) for change in changes])
        if not any(scene.of(change.address).TRAITS.replaceable for change in found):
            raise UnknownTarget(
                f"{pattern} cannot be replaced: replacing an algorithm would delete its versions and its calls' address"
            )

    def named(change: Change) -> bool:
        return scene.of(change.address).TRAITS.replaceable and any(matches(change.address, pattern) for pattern in patterns)

    if not patterns:
        return changes
    replaced = {(change.address.algorithm, change.address.kind) for change in changes if named(change)}

    def replace_it(change: Change) -> Change:
        if change.after is None or change.before is None or change.action.writes:
            return change
        if named(change):
            return replace(change, action=Action.UPDATE, reason=REPLACED)
        traits = scene.of(change.address).TRAITS
        built_on = {(change.address.algorithm, kind) for kind in traits.needs} if traits.publishes else set()
        return change if built_on.isdisjoint(replaced) else replace(change, action=Action.UPDATE, reason=CONTENT_REPLACED)

    return [replace_it(change) for change in changes]


def require_known_kinds(recorded: Mapping[Address, Record], scene: Scene[Site]) -> None:
    """Corrupt: a record has an unknown kind. A newer version wrote it, and this one would forget it."""
    for address in recorded:
        if address.kind not in scene.kinds:
            raise Corrupt(f"the state has a record of an unknown kind: {printable(str(address))}", hint="Upgrade algosync.")


def _read_all(
    scene: Scene[Site], specs: Mapping[str, AlgorithmSpec], side: Side, resources: Iterable[Resource]
) -> dict[Address, Resource]:
    """The resources with their digests."""

    def read(resource: Resource) -> Resource:
        found = scene.of(resource.address).read(resource, side, specs[resource.address.algorithm], scene.site)
        return found if found.digest is None else replace(found, digest_from=READ_NOW)

    return {r.address: r for r in each(read, resources, scene.parallelism)}


def _require_there(spec: AlgorithmSpec, scene: Scene[Site]) -> None:
    if not any(True for kind in scene.kinds.values() for _ in kind.observed(spec, scene.site)):
        raise NotFound(f"{spec.name} is not at the destination", hint="run_only expects every algorithm to be there already")


def _look(spec: AlgorithmSpec, scene: Scene[Site]) -> _Look:
    """Both sides of one algorithm. Raises every failure of the source, not only the first."""
    desired: list[Resource] = []
    wanted = () if spec.removed else scene.kinds.values()
    faults: dict[str, SourceError] = {}
    for kind in wanted:
        try:
            desired += kind.desired(spec, scene.site)
        except SourceError as error:
            faults.setdefault(error.message, SourceError(f"{spec.name}: {error.message}", hint=error.hint))
    if len(faults) > 1:
        raise Several(tuple(faults.values()))
    if faults:
        raise next(iter(faults.values()))
    observed = [r for kind in scene.kinds.values() for r in kind.observed(spec, scene.site)]
    return desired, observed


def _explained(changes: Sequence[Change], specs: Mapping[str, AlgorithmSpec], scene: Scene[Site]) -> Sequence[Change]:
    """Only changes that are shown are explained, so that a plan of a thousand unchanged files starts no thousand tasks."""
    places = [place for place, change in enumerate(changes) if _is_explained(change, specs)]
    found = each(lambda place: _explain(changes[place], specs, scene), places, scene.parallelism)
    explained = list(changes)
    for place, change in zip(places, found, strict=True):
        explained[place] = change
    return explained


def _is_explained(change: Change, specs: Mapping[str, AlgorithmSpec]) -> bool:
    return change.action.visible and change.action is not Action.FORGET and change.address.algorithm in specs


def _explain(change: Change, specs: Mapping[str, AlgorithmSpec], scene: Scene[Site]) -> Change:
    if not _is_explained(change, specs):
        return change
    return scene.of(change.address).explain(change, specs[change.address.algorithm], scene.site)
