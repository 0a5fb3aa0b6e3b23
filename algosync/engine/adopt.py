"""Adopt: records what the destination has, as it is. Nothing is changed there.

Resources are compared with the workflow by the next plan: a record says what the destination has, not what the workflow wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from algosync.core.address import Address
from algosync.core.error import AlgosyncError, NotFound, Several
from algosync.core.lean import dataclass
from algosync.core.planning.change import Change
from algosync.core.planning.data_reads import with_read_contents
from algosync.core.planning.diff import record_of
from algosync.core.planning.plan import Plan
from algosync.core.planning.renewal import with_contents
from algosync.core.planning.target import UnknownTarget, matches, nearest
from algosync.core.ports import Ledger, Side
from algosync.core.resource import Record
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.look import each
from algosync.engine.plan import Scene, Site

__all__ = ["Adopted", "adopt"]


@dataclass(frozen=True, slots=True)
class Adopted:
    """The resources that were recorded, that had a record before, and whose content cannot be read, in the order of the plan."""

    imported: tuple[Address, ...]
    already: tuple[Address, ...]
    unreadable: tuple[Address, ...]


def adopt(plan: Plan, workflow: Workflow, scene: Scene[Site], ledger: Ledger, patterns: Sequence[str]) -> Adopted:
    """Records what the destination has of the resources that the patterns name. Without patterns: of all in the plan.

    Reads the bytes of resources whose digest is not known. Nothing is recorded if a pattern is refused: UnknownTarget if the
    workflow has nothing of that name, NotFound if the destination has not, Several for more than one such pattern.
    """
    records = ledger.records
    found = _found(plan, patterns)
    new = [change for change in found if change.address not in records]
    specs = {spec.name: spec for spec in workflow.algorithms}
    made = each(lambda change: _record(change, specs, scene), new, scene.parallelism)
    for record in made:
        if record is not None:
            ledger.commit(record)
    for record in tuple(with_contents(found, scene.traits, ledger.records)):
        ledger.commit(record)
    for record in tuple(with_read_contents(plan.changes, dict(plan.depends_on), scene.traits, ledger.records)):
        ledger.commit(record)
    return Adopted(
        imported=tuple(record.address for record in made if record is not None),
        already=tuple(change.address for change in found if change not in new),
        unreadable=tuple(change.address for change, record in zip(new, made, strict=True) if record is None),
    )


def _found(plan: Plan, patterns: Sequence[str]) -> list[Change]:
    """The changes of resources that the workflow wants and the destination has."""
    wanted = [change for change in plan.changes if change.after is not None]
    there = [change for change in wanted if change.before is not None]
    strange = [pattern for pattern in patterns if not any(matches(change.address, pattern) for change in wanted)]
    if strange:
        names = [*(name for name, _ in plan.depends_on), *(str(change.address) for change in wanted)]
        raise UnknownTarget.unnamed(strange, names)
    missing = tuple(_missing(pattern, there) for pattern in patterns if _is_missing(pattern, wanted, there))
    if missing:
        raise missing[0] if len(missing) == 1 else Several(missing)
    return [change for change in there if not patterns or any(matches(change.address, pattern) for pattern in patterns)]


def _is_missing(pattern: str, wanted: Sequence[Change], there: Sequence[Change]) -> bool:
    """Whether the destination has nothing that the pattern names, or not the resource whose address it is."""
    if any(str(change.address) == pattern for change in wanted):
        return not any(str(change.address) == pattern for change in there)
    return not any(matches(change.address, pattern) for change in there)


def _missing(pattern: str, there: Sequence[Change]) -> AlgosyncError:
    near = nearest(pattern, [str(change.address) for change in there])
    hint = f"the nearest there is {near}" if near else "algosync apply creates it"
    return NotFound(f"{pattern} is not at the destination, so it cannot be imported", hint=hint)


def _record(change: Change, specs: Mapping[str, AlgorithmSpec], scene: Scene[Site]) -> Record | None:
    """None: the content at the destination cannot be known, such as that of a version whose commit is gone."""
    want, have = change.after, change.before
    if want is None or have is None:
        raise ValueError(f"{change.address} is not on both sides")
    if have.digest is None:
        have = scene.of(change.address).read(have, Side.DESTINATION, specs[change.address.algorithm], scene.site)
    if have.digest is None:
        return None
    if want.digest == have.digest:
        return record_of(want, have, None)
    # What only the source knows of a file, such as its MD5, is not true of other content.
    known = {} if scene.of(change.address).TRAITS.is_file else want.attributes
    return Record(have.address, have.digest, None, have.stamp, have.size, {**known, **have.attributes}, have.private or {})
