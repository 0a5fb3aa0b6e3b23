"""The three-way diff: makes changes of the desired, observed and recorded resources. Pure.

| desired | observed | recorded | change |
|---|---|---|---|
| yes | no | any | create; if it is recorded it vanished, which is drift |
| yes | equal digest | equal record | none |
| yes | equal digest | other record | refresh the record; a changed protection is shown |
| yes | equal digest | no | adopt: record it |
| yes | other digest | any | update; drift if the destination differs from the record |
| no | any | yes | forget the record; the destination stays as it is |
| no | yes | yes, `prune` | delete; drift if the destination differs from the record |
| no | any | no | none |

Bytes are read only if they decide something. So `assume_desired` and `assume_observed` fill in the digests that the record proves,
`undecided` names the resources to read, and `diff` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change, Drift, Finding
from algosync.core.planning.guards import PREVENT_DESTROY
from algosync.core.redaction import MASK
from algosync.core.resource import RECORDED, SENSITIVE, Json, Record, Resource, Snapshot

__all__ = [
    "GONE",
    "NOT_WANTED",
    "assume_desired",
    "assume_observed",
    "comparable",
    "diff",
    "drift",
    "is_unchanged",
    "record_of",
    "recorded_resource",
    "redacted_attributes",
    "undecided",
    "undecided_deletions",
]

Recorded = Mapping[Address, Record]
_NO_DETAILS: Mapping[str, Json] = MappingProxyType({})  # one for all: most changes of most plans do nothing

NOT_WANTED = "no longer in the workflow"
"""The usual reason for forgetting a record."""

GONE = "it is no longer at the destination"
"""The reason for forgetting a record where it would be deleted, or taken over, if it were there."""


def assume_desired(desired: Snapshot, recorded: Recorded) -> dict[Address, Resource]:
    """The desired resources. Where the source stamp is the recorded one, the digest is the recorded one too."""
    pairs = ((address, resource, recorded.get(address)) for address, resource in desired.items())
    return {a: _assume(r, record, record.source_stamp) if record else r for a, r, record in pairs}


def assume_observed(observed: Snapshot, recorded: Recorded) -> dict[Address, Resource]:
    """The observed resources. Where the destination stamp is the recorded one, the digest is the recorded one too."""
    pairs = ((address, resource, recorded.get(address)) for address, resource in observed.items())
    return {a: _assume(r, record, record.destination_stamp) if record else r for a, r, record in pairs}


def _assume(resource: Resource, record: Record, stamp: str | None) -> Resource:
    if resource.digest is not None or stamp is None or resource.stamp != stamp:
        return resource
    r = resource  # `dataclasses.replace` takes three times as long, and this is called for every data file
    return Resource(r.address, r.attributes, r.stamp, record.digest, r.size, r.notes, r.private, RECORDED)


def undecided(desired: Snapshot, observed: Snapshot) -> tuple[frozenset[Address], frozenset[Address]]:
    """The addresses to read at the source and at the destination: both sides have it in equal size, and a digest is missing."""
    both = ((want, observed.get(address)) for address, want in desired.items())
    pairs = [(w, h) for w, h in both if h is not None and (w.digest is None or h.digest is None) and w.size == h.size]
    at_source = frozenset(want.address for want, _ in pairs if want.digest is None)
    at_destination = frozenset(have.address for _, have in pairs if have.digest is None)
    return at_source, at_destination


def undecided_deletions(desired: Snapshot, observed: Snapshot, recorded: Recorded) -> frozenset[Address]:
    """The addresses to read at the destination before they are deleted: their stamps moved and their sizes did not."""
    rest = ((observed[a], record) for a, record in recorded.items() if a not in desired and a in observed)
    return frozenset(have.address for have, record in rest if have.digest is None and have.size == record.size)


def diff(desired: Snapshot, observed: Snapshot, recorded: Recorded, *, prune: bool = False) -> tuple[Change, ...]:
    """Every change, also those that do nothing, in the order of `desired`. Addresses that are only recorded come last.

    `prune`: what is only recorded is deleted at the destination, not just forgotten.
    """
    wanted = [_change(want, observed.get(address), recorded.get(address)) for address, want in desired.items()]
    rest = sorted(address for address in recorded if address not in desired)
    return (*wanted, *(_removal(address, observed.get(address), recorded[address], prune=prune) for address in rest))


def _removal(address: Address, have: Resource | None, record: Record, *, prune: bool) -> Change:
    if not prune or have is None:
        return Change(address, Action.FORGET, have, None, reason=GONE if prune else NOT_WANTED)
    unread = have.digest is None and have.stamp != record.destination_stamp  # it may be anything
    return Change(address, Action.DELETE, have, None, drifted=unread or _moved(have, record), recorded=recorded_resource(record))


def _change(want: Resource, have: Resource | None, record: Record | None) -> Change:
    if have is None:
        gone = record is not None
        reason = "it vanished" if gone else ""
        return Change(want.address, Action.CREATE, None, want, drifted=gone, reason=reason, recorded=_recorded(record))
    if want.digest is not None and want.digest == have.digest:
        if record is None:
            return Change(want.address, Action.ADOPT, have, want, reason="it is there already, as the workflow wants it")
        return _equal(want, have, record)
    drifted = record is not None and _moved(have, record)
    return Change(want.address, Action.UPDATE, have, want, drifted=drifted, recorded=_recorded(record))


def _recorded(record: Record | None) -> Resource | None:
    return None if record is None else recorded_resource(record)


def _equal(want: Resource, have: Resource, record: Record) -> Change:
    """A changed protection is shown, because it takes effect only when an apply records it."""
    if _is_recorded(want, have, record):
        return Change(want.address, Action.NONE, have, want, details=_NO_DETAILS)
    after = record_of(want, have, record)
    was, will_be = (side.private.get(PREVENT_DESTROY) is True for side in (record, after))
    if was != will_be:
        reason = f"{PREVENT_DESTROY}: {str(was).lower()} -> {str(will_be).lower()}"
        return Change(want.address, Action.RECORD, have, want, reason=reason)
    return Change(want.address, Action.NONE if record == after else Action.REFRESH, have, want)


def _is_recorded(want: Resource, have: Resource, record: Record) -> bool:
    """Whether `record_of` would make an equal record. Most resources of most plans end here, so no record is made."""
    return (
        record.source_stamp == want.stamp
        and record.destination_stamp == have.stamp
        and record.digest == want.digest
        and record.size == have.size
        and (have.private is None or have.private == record.private)
        and (record.attributes == _attributes(want, have) if record.attributes else not (want.attributes or have.attributes))
    )


def recorded_resource(record: Record) -> Resource:
    """The resource at the destination as it was when it was recorded."""
    return Resource(record.address, record.attributes, digest=record.digest, size=record.size)


def _moved(have: Resource, record: Record) -> bool:
    """Whether somebody else changed it: its stamp differs from the record, and its content too, as far as it is known."""
    if have.stamp is not None and have.stamp == record.destination_stamp:
        return False
    return have.size != record.size if have.digest is None else not is_unchanged(have, record)


def is_unchanged(have: Resource, record: Record) -> bool:
    """Whether the content is the recorded one. Sensitive values are not recorded, so they are not compared."""
    if record.digest != SENSITIVE:
        return have.digest == record.digest
    return all(have.attributes.get(name) == value for name, value in record.attributes.items() if not _is_redacted(value))


def record_of(want: Resource, have: Resource, before: Record | None) -> Record:
    """The record of two sides that have the same digest; `before` is its record so far. ValueError: the digest is not known."""
    if want.digest is None:
        raise ValueError(f"{want.address} was not read")
    private = have.private if have.private is not None else before.private if before else {}
    return Record(want.address, want.digest, want.stamp, have.stamp, have.size, _attributes(want, have), private)


def _attributes(want: Resource, have: Resource) -> Mapping[str, Json]:
    """Those of a record of both sides."""
    return {**want.attributes, **have.attributes} if have.attributes else want.attributes


def drift(observed: Snapshot, recorded: Recorded, unknown: Mapping[Address, str]) -> tuple[Finding, ...]:
    """How the destination differs from the record.

    `observed`: with digests where the stamp differs from the record and the size does not. `unknown`: why an address could not be
    looked at.
    """
    return tuple(_findings(observed, recorded, unknown))


def _findings(observed: Snapshot, recorded: Recorded, unknown: Mapping[Address, str]) -> Iterable[Finding]:
    for address in sorted({*observed, *recorded, *unknown}):
        have, record = observed.get(address), recorded.get(address)
        before = None if record is None else recorded_resource(record)
        if address in unknown:
            yield Finding(address, Drift.UNKNOWN, before, have, unknown[address])
        elif have is None:
            yield Finding(address, Drift.MISSING, before, None)
        elif record is None:
            yield Finding(address, Drift.UNMANAGED, None, have)
        elif not is_unchanged(have, record):  # without a digest its size differs
            yield Finding(address, Drift.CHANGED, before, have)
        elif before is not None and _is_rewritten(before, have):
            yield Finding(address, Drift.REWRITTEN, before, have)


def _is_rewritten(before: Resource, have: Resource) -> bool:
    """Whether a resource with the same content has another commit or version number."""
    both = before.attributes.keys() & have.attributes.keys()
    return any(have.attributes[n] != before.attributes[n] and not _is_redacted(before.attributes[n]) for n in both)


def redacted_attributes(recorded: Recorded) -> dict[Address, tuple[str, ...]]:
    """The attributes, by address, that are not compared with the destination because they contain a sensitive value."""
    names = {a: tuple(sorted(n for n, v in record.attributes.items() if _is_redacted(v))) for a, record in recorded.items()}
    return {address: names[address] for address in sorted(names) if names[address]}


def _is_redacted(value: Json) -> bool:
    return MASK in str(value)


def comparable(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without attributes whose recorded text was redacted, for a command that does not know the secrets.

    A resource of which only such attributes may have changed is left out.
    """
    return tuple(shown for finding in findings if (shown := _without_redacted(finding)) is not None)


def _without_redacted(finding: Finding) -> Finding | None:
    before, after = finding.before, finding.after
    if before is None or after is None or finding.drift is not Drift.CHANGED:
        return finding
    redacted = {name for name, value in before.attributes.items() if _is_redacted(value)}
    if not redacted:
        return finding
    old, new = ({n: v for n, v in side.attributes.items() if n not in redacted} for side in (before, after))
    same = before.size == after.size and all(old[name] == new[name] for name in old.keys() & new.keys())
    return None if same else replace(finding, before=replace(before, attributes=old), after=replace(after, attributes=new))
