"""Renewal: updates of resources that another kind renews, such as a version whose data files change. Pure.

The record of such a resource tells the digests that it was published with. So a data file that was forgotten and is recorded again
renews nothing, and one that somebody else changed to what the workflow wants renews the version. Records of older versions do not
tell the digests; the recorded digests then take their place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeAlias

from algosync.core.address import Address
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action, Change
from algosync.core.resource import Json, KindTraits, Record
from algosync.core.workflow import AlgorithmSpec

__all__ = [
    "PUBLISHED_WITH",
    "Causes",
    "ChangesOf",
    "contents",
    "may_be_newer",
    "renewed",
    "told_in",
    "with_contents",
    "with_renewals",
]

PUBLISHED_WITH = "published_with"
"""In the private part of a record: the digests that it was published with, by kind and name. Made by `contents`."""

_Contents = Mapping[tuple[str, str], Json]
ChangesOf: TypeAlias = Callable[[str], Sequence[Change]]
"""The changes of an algorithm whose kinds renew the resource in question."""


@dataclass(frozen=True, slots=True)
class Causes:
    """Why a resource is renewed. `details`: what its change tells about these changes. No changes: it is not renewed."""

    changes: Sequence[Change]
    details: Mapping[str, Json]


def contents(records: Iterable[Record]) -> Mapping[str, Json]:
    """The value of `PUBLISHED_WITH` for something that was published with these records' content."""
    found: dict[str, dict[str, Json]] = defaultdict(dict)
    for record in records:
        found[record.address.kind][record.address.name or ""] = record.digest
    return dict(found)


def renewed(
    changes: Sequence[Change],
    specs: Mapping[str, AlgorithmSpec],
    kinds: Mapping[str, KindTraits],
    recorded: Mapping[Address, Record],
) -> Sequence[Change]:
    """The changes, with an update of each resource that changes of another kind renew. `details` name those kinds."""
    known = cache(lambda: _recorded_contents(recorded))  # only records of older versions need it

    def causes(change: Change, renewing: ChangesOf) -> Causes:
        name, record = change.address.algorithm, recorded.get(change.address)
        published = None if may_be_newer(change, record) else _published(change, record, lambda: known()[name])
        found = [c for c in renewing(name) if _renews(c, published)]
        return Causes(found, {"renewed_by": sorted({c.address.kind for c in found})})

    return with_renewals(changes, specs, kinds, causes)


def with_renewals(
    changes: Sequence[Change],
    specs: Mapping[str, AlgorithmSpec],
    kinds: Mapping[str, KindTraits],
    causes_of: Callable[[Change, ChangesOf], Causes],
) -> Sequence[Change]:
    """The changes, with an update of each renewable resource for whose change `causes_of` finds causes, as far as its algorithm's
    `publish.on` has their kinds.
    """
    others: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        others[change.address.algorithm].append(change)

    def renew(change: Change) -> Change:
        by, spec = kinds[change.address.kind].renewed_by, specs.get(change.address.algorithm)
        if not by or spec is None or change.after is None:
            return change
        causes = causes_of(change, lambda name: [c for c in others.get(name, ()) if c.address.kind in by])
        if not causes.changes:
            return change
        marked = replace(change, details={**change.details, **causes.details})
        left_out = {c.address.kind for c in causes.changes}.isdisjoint(spec.publish.on)
        return marked if change.action.writes or left_out else replace(marked, action=Action.UPDATE)

    return [renew(change) for change in changes]


def _renews(change: Change, published: _Contents | None) -> bool:
    """`published`: None: it may have been published with what the workflow wants now."""
    if change.action is not Action.NONE and change.action.writes:
        return True
    return change.after is not None and published is not None and published.get(_key(change.address)) != change.after.digest


def may_be_newer(change: Change, record: Record | None) -> bool:
    """Whether a resource may have been published after the records, by an apply whose last records are lost.

    A record without a stamp says nothing: it was moved, or its publishing was interrupted.
    """
    if record is None or record.destination_stamp is None or change.before is None:
        return change.action is Action.ADOPT
    return change.before.stamp != record.destination_stamp


def _published(change: Change, record: Record | None, known: Callable[[], _Contents]) -> _Contents:
    """What a resource was published with: its record tells it, or else what is recorded now."""
    told = told_in(change, record).get(PUBLISHED_WITH)
    if not isinstance(told, Mapping):
        return known()
    return {(kind, name): digest for kind, names in told.items() if isinstance(names, Mapping) for name, digest in names.items()}


def told_in(change: Change, record: Record | None) -> Mapping[str, Json]:
    """What is remembered of the resource at the destination: the private part that its record has, or will have."""
    if change.before and change.before.private is not None:
        return change.before.private
    return record.private if record else {}


def _recorded_contents(recorded: Mapping[Address, Record]) -> Mapping[str, dict[tuple[str, str], Json]]:
    """The recorded digests by algorithm."""
    found: dict[str, dict[tuple[str, str], Json]] = defaultdict(dict)
    for address, record in recorded.items():
        found[address.algorithm][_key(address)] = record.digest
    return found


def _key(address: Address) -> tuple[str, str]:
    return address.kind, address.name or ""


def with_contents(
    changes: Iterable[Change], kinds: Mapping[str, KindTraits], recorded: Mapping[Address, Record]
) -> Iterator[Record]:
    """The records of renewable resources that do not tell what they were published with, with what is recorded now."""
    wanted = {c.address: kinds[c.address.kind].renewed_by for c in changes if c.after is not None}
    unknown = {a: by for a, by in wanted.items() if by and a in recorded and PUBLISHED_WITH not in recorded[a].private}
    if not unknown:
        return
    of: dict[str, list[Record]] = defaultdict(list)
    for address, record in sorted(recorded.items()):
        of[address.algorithm].append(record)
    for address, by in unknown.items():
        record = recorded[address]
        if found := contents(other for other in of[address.algorithm] if other.address.kind in by):
            yield replace(record, private={**record.private, PUBLISHED_WITH: found})
