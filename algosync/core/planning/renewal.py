"""Renewal: updates of resources that another kind renews, such as a version whose data files change. Pure.

The record of such a resource tells the digests that it was published with. So a data file that was forgotten and is recorded again
renews nothing, and one that somebody else changed to what the workflow wants renews the version. Records of older versions do not
tell the digests; the recorded digests then take their place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.resource import Json, KindTraits, Record
from algosync.core.workflow import AlgorithmSpec

__all__ = ["PUBLISHED_WITH", "contents", "may_be_newer", "renewed", "told_in", "with_contents"]

PUBLISHED_WITH = "published_with"
"""In the private part of a record: the digests that it was published with, by kind and name. Made by `contents`."""

_Contents = Mapping[tuple[str, str], Json]


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
    others: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        others[change.address.algorithm].append(change)
    known = _recorded_contents(recorded)

    def renew(change: Change) -> Change:
        name, by = change.address.algorithm, kinds[change.address.kind].renewed_by
        spec = specs.get(name)
        if spec is None or change.after is None or not by:
            return change
        record = recorded.get(change.address)
        published = None if may_be_newer(change, record) else _published(change, record, known[name])
        causes = {c.address.kind for c in others[name] if c.address.kind in by and _renews(c, published)}
        if not causes:
            return change
        marked = replace(change, details={**change.details, "renewed_by": sorted(causes)})
        return marked if change.action.writes or causes.isdisjoint(spec.publish.on) else replace(marked, action=Action.UPDATE)

    return [renew(change) for change in changes]


def _renews(change: Change, published: _Contents | None) -> bool:
    """`published`: None: it may have been published with what the workflow wants now."""
    if change.action.writes:
        return True
    return change.after is not None and published is not None and published.get(_key(change.address)) != change.after.digest


def may_be_newer(change: Change, record: Record | None) -> bool:
    """Whether a resource may have been published after the records, by an apply whose last records are lost.

    A record without a stamp says nothing: it was moved, or its publishing was interrupted.
    """
    if record is None or record.destination_stamp is None or change.before is None:
        return change.action is Action.ADOPT
    return change.before.stamp != record.destination_stamp


def _published(change: Change, record: Record | None, known: _Contents) -> _Contents:
    """What a resource was published with: its record tells it, or else what is recorded now."""
    told = told_in(change, record).get(PUBLISHED_WITH)
    if not isinstance(told, Mapping):
        return known
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
