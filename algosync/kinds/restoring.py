"""Restoring: keeps the bytes of a data file before it is overwritten, and puts them back if the new version is not published.

The record names the kept bytes before the file is overwritten, so that the next apply can put them back after a crash.
"""

from __future__ import annotations

from dataclasses import replace

from algosync.cluster.data import FileStat
from algosync.cluster.transfer import File, relay
from algosync.core.change import Change
from algosync.core.error import Conflict
from algosync.core.ports import Outcome, Tell
from algosync.core.resource import Record, Resource
from algosync.core.schedule import Step, Verb
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.data_writes import RESTORED, WRITE
from algosync.kinds.previous_bytes import (
    PreviousBytes,
    failure_now,
    with_previous,
    without_previous,
    write_number,
)
from algosync.kinds.stored_files import digest_now, target_name, verified

__all__ = ["as_left", "is_left", "keep_previous", "put_back", "restore"]

_LEFT = "overwritten by an interrupted apply"


def keep_previous(change: Change, context: Context) -> None:
    """Keeps the bytes that the destination has now, and records that."""
    address, before, after = change.address, change.before, change.after
    record = context.ledger.records.get(address)
    size = record.size if record and before and is_left(before) else before.size if before else None
    destination = context.destination
    version = destination.published(address.algorithm)
    file = File(destination.data, target_name(address, context), size)
    digest, size = context.kept.keep(address, file, destination.retry)
    if (former := PreviousBytes.of(record)) is not None and former.sha256 != digest:
        context.kept.drop(address, former.sha256)  # an apply was killed after its publish
    record = record or Record(address, digest, None, None, size)
    new_size = after.size if after else None
    commit = version.commit if version else ""
    previous = PreviousBytes(digest, size, new_size or 0, commit, write_number(record), context.now())
    context.ledger.commit(with_previous(record, previous))


def as_left(found: Resource, previous: PreviousBytes) -> Resource:
    """A file that an interrupted apply left overwritten. It differs from every desired file, so a plan changes it."""
    note = f"an interrupted apply overwrote it at {previous.at}; its previous bytes are put back before anything else"
    return replace(found, attributes={"left": _LEFT}, digest=f"left {previous.sha256}", stamp=None, notes=(note,))


def is_left(resource: Resource) -> bool:
    return resource.attributes.get("left") == _LEFT


def restore(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """After the version: nothing but cleaning up if it was published, else the previous bytes go back."""
    record = context.ledger.records.get(step.address)
    previous = PreviousBytes.of(record)
    if record is None or previous is None:
        return Outcome()
    published = context.destination.algorithms.published(context.destination.owner, spec.name)
    if published is not None and published.commit == previous.commit:
        return put_back(step, spec, context, tell)
    context.ledger.commit(without_previous(record))
    context.kept.drop(step.address, previous.sha256)
    return Outcome(detail="dropped")


def put_back(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Conflict: somebody else has changed the file since it was overwritten. It then stays as it is."""
    record = context.ledger.records[step.address]
    previous = PreviousBytes.of(record)
    if previous is None:
        return Outcome()
    early = step.verb is Verb.RECOVER
    there = context.destination.files_before_uploads if early else context.destination.files_before_restores
    _require_ours(record, previous, there(spec.name).get(step.address.name or ""), context)
    file = context.kept.file(step.address, previous.sha256, previous.size)
    destination = context.destination
    number = context.data_writes.next(spec.name, restores=True)
    with context.ledger.writing(step.address, step.verb.value):
        digest, size = relay(file, destination.data, target_name(step.address, context), lambda _: None, destination.retry)
    private = {**record.private, WRITE: previous.write, RESTORED: number}
    restored = Record(step.address, digest, None, None, size, {}, private)
    # Durable now: should the verification fail, the next plan reads the file.
    context.ledger.commit(without_previous(restored, failure_now(spec, context)))
    context.kept.drop(step.address, previous.sha256)
    kept = context.ledger.records[step.address]
    return Outcome((verified(kept, context, lambda _: None),), _times(previous, spec, context))


def _times(previous: PreviousBytes, spec: AlgorithmSpec, context: Context) -> str:
    return (
        f"put back; workers of the published version that started between {previous.at} and {context.now()} may "
        f"have loaded the new file: `algosync apply --replace version.{spec.name}` starts new ones"
    )


def _require_ours(record: Record, previous: PreviousBytes, stat: FileStat | None, context: Context) -> None:
    """Conflict: the destination has neither the previous bytes nor those that were written over them."""
    address = record.address
    if stat is not None and stat.stamp is not None and stat.stamp == record.destination_stamp:
        return
    if stat is not None and stat.size in (previous.size, previous.new_size):
        found, _ = digest_now(address, stat.size, context, lambda _: None)
        unrecorded = record.destination_stamp is None and record.digest == previous.sha256  # the overwriting was not recorded
        if found in (record.digest, previous.sha256) or (unrecorded and stat.size == previous.new_size):
            return
    context.ledger.commit(without_previous(record))
    hint = "algosync plan shows what it is now; the kept bytes are no longer needed"
    raise Conflict(f"{address}: somebody changed it after it was overwritten, so its previous bytes are not put back", hint=hint)
