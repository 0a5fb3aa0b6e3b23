"""Restoring: keeps the bytes of a data file before it is overwritten, and puts them back if the new version is not published.

The record names the kept bytes before the file is overwritten, so that the next apply can put them back after a crash. It forgets
them when a version with the new bytes is published, or when the previous bytes were put back and verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from algosync.cluster.data import FileStat
from algosync.cluster.transfer import File
from algosync.core.address import Address
from algosync.core.error import Conflict
from algosync.core.planning.change import Change
from algosync.core.planning.schedule import Step
from algosync.core.ports import Outcome, Tell
from algosync.core.resource import Record, Resource
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.data_writes import RESTORED, WRITE, number_of
from algosync.kinds.failure import with_failure
from algosync.kinds.left_files import is_left
from algosync.kinds.previous_bytes import PreviousBytes, with_previous, without_previous
from algosync.kinds.stored_files import digest_now, target_name, verified

__all__ = ["keep_previous", "put_back", "require_as_left", "restore"]


def keep_previous(change: Change, spec: AlgorithmSpec, context: Context) -> None:
    """Keeps the bytes that the destination has now, and records that. Conflict: they are not those that the plan saw."""
    address, before, after = change.address, change.before, change.after
    if before is None or after is None:
        raise ValueError(f"{address} is not overwritten")
    record = context.ledger.records.get(address)
    if record is not None and is_left(before):  # its previous bytes were put back and verified
        before = Resource(address, stamp=record.destination_stamp, digest=record.digest, size=record.size)
    file = File(context.destination.data, target_name(address, context), before.size)
    digest, octets = context.kept.keep(address, file, context.destination.retry)
    if before.digest not in (None, digest):
        context.kept.drop(address, digest)
        hint = "algosync plan shows the change; apply replaces it"
        raise Conflict(f"{address}: somebody changed it since the plan was made", hint=hint)
    record = record or Record(address, digest, None, None, octets)
    previous = PreviousBytes(
        sha256=digest,
        size=octets,
        stamp=before.stamp or "",
        new_sha256=after.digest or "",
        new_size=after.size or 0,
        candidate=_candidate(spec, context),
        write=number_of(record, WRITE),
        at=context.now(),
    )
    former = PreviousBytes.of(record)
    context.ledger.commit(with_previous(record, previous))
    if former is not None and (former.place(address), former.sha256) != (address, digest):
        context.kept.drop(former.place(address), former.sha256)


def _candidate(spec: AlgorithmSpec, context: Context) -> str:
    """The commit that was built for the new version. Empty: none is recorded."""
    source = context.ledger.records.get(Address.of("source", spec.name))
    return (source.destination_stamp if source else None) or ""


def restore(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """After the version: forgets the previous bytes if it was published, else puts them back.

    A file that somebody else has changed since stays as it is.
    """
    record = context.ledger.records.get(step.address)
    previous = PreviousBytes.of(record)
    if record is None or previous is None:
        return Outcome()
    # A publish without an answer may have worked, so the cluster decides.
    published = context.destination.algorithms.published(context.destination.owner, spec.name)
    if previous.are_superseded(record, published, context):
        _forget(record, previous, context)
        return Outcome()
    if not _is_ours(record, previous, context.destination.files_before_restores(spec.name), context):
        _forget(record, previous, context)
        return Outcome(detail="not put back, because somebody changed the file after it was overwritten; it stays as it is now")
    return _put_back(step, record, previous, spec, context)


def require_as_left(step: Step, context: Context, files: Mapping[str, FileStat]) -> None:
    """Conflict: somebody has changed a file since an interrupted apply overwrote it. Its previous bytes are then forgotten."""
    record = context.ledger.records[step.address]
    previous = PreviousBytes.of(record)
    if previous is None or _is_ours(record, previous, files, context):
        return
    _forget(record, previous, context)
    hint = "algosync plan shows what it is now; apply replaces it"
    problem = "somebody changed it after it was overwritten, so its previous bytes are not put back"
    raise Conflict(f"{step.address}: {problem}", hint=hint)


def put_back(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Before anything else: puts back what an interrupted apply left overwritten. Conflict: somebody else has changed it since."""
    record = context.ledger.records[step.address]
    previous = PreviousBytes.of(record)
    if previous is None:
        return Outcome()
    require_as_left(step, context, context.destination.files_before_uploads(spec.name))
    return _put_back(step, record, previous, spec, context)


def _put_back(step: Step, record: Record, previous: PreviousBytes, spec: AlgorithmSpec, context: Context) -> Outcome:
    file = context.kept.file(previous.place(step.address), previous.sha256, previous.size)
    destination = context.destination
    number = context.data_writes.next(spec.name, restores=True)
    with context.ledger.writing(step.address, step.verb.value):
        target = target_name(step.address, context)
        digest, size = context.transfers.relay(file, destination.data, target, lambda _: None, destination.retry)
    restored = Record(step.address, digest, None, None, size, {}, {**record.private, RESTORED: number})
    context.ledger.commit(restored)  # it still names the kept bytes, in case that the verification fails
    proved = verified(restored, context, lambda _: None)
    settled = without_previous(replace(proved, private={**proved.private, WRITE: previous.write}))
    failure = context.failed_tests.get(spec.name)
    context.ledger.commit(settled if failure is None else with_failure(settled, failure))
    context.kept.drop(previous.place(step.address), previous.sha256)
    return Outcome(detail=_times(previous, spec, context))


def _times(previous: PreviousBytes, spec: AlgorithmSpec, context: Context) -> str:
    return (
        f"put back; workers of the published version that started between {previous.at} and {context.now()} may "
        f"have loaded the new file: `algosync apply --replace version.{spec.name}` starts new ones"
    )


def _forget(record: Record, previous: PreviousBytes, context: Context) -> None:
    context.ledger.commit(without_previous(record))
    context.kept.drop(previous.place(record.address), previous.sha256)


def _is_ours(record: Record, previous: PreviousBytes, files: Mapping[str, FileStat], context: Context) -> bool:
    """Whether the destination has the previous bytes or those that were written over them."""
    stat = files.get(record.address.name or "")
    if stat is None or stat.size not in (previous.size, previous.new_size):
        return False
    if previous.are_in(stat):
        return True
    recorded = previous.overwrite_is_recorded(record)
    if recorded and stat.mark is not None and stat.mark == record.destination_stamp:
        return True
    found, _ = digest_now(record.address, stat.size, context, lambda _: None)
    if found == previous.sha256:
        return True
    ours = record.digest if recorded else previous.new_sha256
    # Without a known digest only the size tells that an overwrite without an answer took effect.
    return found == ours if ours else stat.size == previous.new_size
