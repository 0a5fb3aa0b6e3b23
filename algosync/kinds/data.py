"""The kind `data`: one file in the algorithm's own collection, OWNER/NAME/FILE.

Data has no versions. So before a file of a published algorithm is overwritten, its previous bytes are kept. They are put back if
the new version is not published (`kinds.restoring`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from algosync.cluster.data import FileStat, split
from algosync.cluster.transfer import File, Name
from algosync.core.address import Address
from algosync.core.error import Conflict, NotFound, SourceError, TransferError
from algosync.core.event import Progress
from algosync.core.planning.change import Action, Change, Finding
from algosync.core.planning.origin import Origin, with_origin
from algosync.core.planning.schedule import Step, Verb
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.read_back import was_read, without_mark
from algosync.core.resource import NO_ATTRIBUTES, READ_NOW, KindTraits, Record, Resource
from algosync.core.text import printable
from algosync.core.timestamp import read_iso_time
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.kinds import pinned_files
from algosync.kinds.collection import readers_of
from algosync.kinds.context import Context
from algosync.kinds.data_writes import WRITE
from algosync.kinds.held_changes import held_since
from algosync.kinds.left_files import as_seen, explained, is_left, is_put_back_only
from algosync.kinds.previous_bytes import without_previous
from algosync.kinds.restoring import keep_previous, put_back, require_as_left, restore
from algosync.kinds.stored_files import target_name, verified

__all__ = ["TRAITS", "desired", "explain", "observed", "perform", "read", "trace", "verbs"]

TRAITS = KindTraits(
    is_file=True,
    replaceable=True,
    needs=frozenset({"algorithm"}),  # who can read the data is set before a file is written
    read_back=frozenset({"md5"}),
)

_PROGRESS_INTERVAL = 0.1  # seconds


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """Reads only files that a model manifest pins, and only if they changed since they were recorded."""
    missing = []
    pinned = context.desired_sources.pinned_files(spec) if spec.data_files else frozenset()
    store = context.store
    for file in spec.data_files:
        try:
            stat = store.stat(file.source)
        except NotFound:
            missing.append(file)
        else:
            found = Resource(Address.of("data", spec.name, file.name), NO_ATTRIBUTES, stat.stamp, None, stat.size)
            yield pinned_files.with_checksums(found, file.source, context) if found.address in pinned else found
    if missing:
        hint = context.store.hint_for([file.source for file in missing], _uris(context))
        raise SourceError(f"the source has no {', '.join(map(_with_line, missing))}", hint=hint)


def _uris(context: Context) -> Iterable[str]:
    return (file.source for spec in context.desired_sources.sources.algorithms for file in spec.data_files)


def _with_line(file: DataFile) -> str:
    uri = printable(file.source)
    return uri if file.line is None else f"{uri} (line {file.line} of the workflow)"


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """Every file of the collection, including those that are not in the workflow."""
    records = context.ledger.records
    for name, stat in sorted(context.destination.files(spec.name).items()):
        address = Address.of("data", spec.name, name)
        record = records.get(address)
        found = Resource(address, NO_ATTRIBUTES, _trusted_stamp(stat, record), None, stat.size)
        yield as_seen(found, stat, record, context)


def _trusted_stamp(stat: FileStat, record: Record | None) -> str | None:
    """A stamp may be young if it is the recorded one: no other write can have got it since."""
    return stat.mark if record is not None and stat.mark == record.destination_stamp else stat.stamp


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    store = context.store.store() if side is Side.SOURCE else context.destination.data
    name = _source_name(resource.address, spec) if side is Side.SOURCE else target_name(resource.address, context)
    digest, size = context.transfers.digest(File(store, name, resource.size), lambda _: None, context.destination.retry)
    record = context.ledger.records.get(resource.address) if side is Side.DESTINATION else None
    if record is not None and resource.private is None and not was_read(record):
        resource = replace(resource, private=without_mark(record))
    return replace(resource, digest=digest, size=size)


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    """Adds the digest of the new content if the source is a local directory: reading it costs no transfer.

    A change whose test failed is held until something changes. A file that has drifted gets the time of its last write.
    """
    if change.drifted:
        change = with_origin(change, _written(change.address, spec, context))
    if change.action.writes and change.before is not None:
        failure = held_since(context.ledger.records.get(change.address), spec, context)
        if failure is not None:
            return replace(change, action=Action.HOLD, reason=f"its test failed at {failure.at}: {failure.reason}")
    after = change.after
    if change.action.writes and after is not None and after.digest is None and context.store.name.startswith("file://"):
        change = replace(change, after=_read_here(after, spec, context))
    return explained(change) if is_left(change.before) else change


def _read_here(resource: Resource, spec: AlgorithmSpec, context: Context) -> Resource:
    """The resource with the digest of the local file. It is read once as long as its stamp stays the same and is trusted.

    A transfer compares the digest with what it sends.
    """
    memory, stamp = context.sources.memory, resource.stamp if context.desired_sources.trusts_stamps else None
    if stamp is None or (known := memory.find_digest(stamp)) is None:
        resource = read(resource, Side.SOURCE, spec, context)
        if stamp is not None and resource.digest is not None:
            memory.note_digest(stamp, resource.digest)
    else:
        resource = replace(resource, digest=known)
    return replace(resource, digest_from=READ_NOW)


def trace(finding: Finding, spec: AlgorithmSpec, context: Context) -> Finding:
    """Adds the time of the last write."""
    return replace(finding, details=_written(finding.address, spec, context).details())


def _written(address: Address, spec: AlgorithmSpec, context: Context) -> Origin:
    """When the file at the destination was written last. The platform does not tell who did."""
    stat = context.destination.files(spec.name).get(address.name or "")
    time = None if stat is None else read_iso_time(stat.modified)
    return Origin() if time is None else Origin(at=time.isoformat())


def verbs(change: Change) -> tuple[Verb, ...]:
    if change.action is Action.DELETE:
        return (Verb.DELETE,)
    if change.before is None:
        return Verb.UPLOAD, Verb.VERIFY
    if is_put_back_only(change):
        return (Verb.RECOVER,)
    recover = (Verb.RECOVER,) if is_left(change.before) else ()
    restore = (Verb.RESTORE,) if change.details.get("keep") else ()
    return (*recover, Verb.OVERWRITE, Verb.VERIFY, *restore)


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    match step.verb:
        case Verb.RECOVER:
            return put_back(step, spec, context, tell)
        case Verb.OVERWRITE:
            return _overwrite(step, spec, context, tell)
        case Verb.RESTORE:
            return restore(step, spec, context, tell)
        case Verb.VERIFY:
            return _verify(step, context, tell)
        case Verb.DELETE:
            return _delete(step, context)
        case _:
            return _upload(step, spec, context, tell)


def _overwrite(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    """Keeps the previous bytes first, if the plan says so."""
    change = step.change
    _require_unchanged(step, context)
    if change is not None and change.details.get("keep"):
        keep_previous(change, spec, context)
    return _upload(step, spec, context, tell)


def _delete(step: Step, context: Context) -> Outcome:
    """Conflict: the file changed since the plan was made, or since an interrupted apply left it overwritten."""
    listed = context.destination.files_before_deletions(step.address.algorithm)
    if step.address.name in listed:
        _require_as_planned(step, listed)
        if step.change and is_left(step.change.before):
            require_as_left(step, context, listed)
        with context.ledger.writing(step.address, step.verb.value), suppress(NotFound):
            context.destination.data.delete(*target_name(step.address, context))
    return Outcome(forgotten=(step.address,))


def _upload(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    want = step.change.after if step.change else None
    if want is None:
        raise ValueError(f"{step.address} has no desired content")
    _ensure_collection(step.address, spec, context)
    _require_unchanged(step, context)
    file = File(context.store.store(), _source_name(step.address, spec), want.size, want.digest)
    destination = context.destination
    target = target_name(step.address, context)
    progress = _progress(step, want.size, context, tell)
    try:
        with context.ledger.writing(step.address, step.verb.value):
            digest, size = context.transfers.relay(file, destination.data, target, progress, destination.retry)
    except SourceError:  # not every file system gives changed bytes another stamp, and the next run is to read them
        context.sources.memory.forget_digest(want.stamp or "")
        raise
    if size != want.size or want.digest not in (None, digest):
        raise TransferError(f"{step.address}: the source changed since the plan was made", hint="run the same command again")
    # The destination's stamp is recorded after the verification: it is too young now, and it would not prove the content.
    before = context.ledger.records.get(step.address)
    private = {**(before.private if before else {}), WRITE: context.data_writes.next(spec.name)}
    record = Record(step.address, digest, want.stamp, None, size, want.attributes, private)
    return Outcome((record if step.change and step.change.details.get("keep") else without_previous(record),))


def _require_unchanged(step: Step, context: Context) -> None:
    """Conflict: the file changed since the plan was made. The collection is listed before its first upload, and first overwrite."""
    destination, name = context.destination, step.address.algorithm
    overwrites = step.verb is Verb.OVERWRITE
    _require_as_planned(step, destination.files_before_overwrites(name) if overwrites else destination.files_before_uploads(name))


def _require_as_planned(step: Step, listed: Mapping[str, FileStat]) -> None:
    now = listed.get(step.address.name or "")
    before = step.change.before if step.change else None
    if before is not None and is_left(before):
        return  # it was compared when its previous bytes were put back
    same = now is None if before is None else now is not None and now.size == (before.size or 0)
    if same and now is not None and before is not None and before.stamp is not None:
        same = now.mark == before.stamp
    if not same:
        hint = "algosync plan shows the change; the next run takes it into account"
        raise Conflict(f"{step.address}: somebody changed it since the plan was made", hint=hint)


def _progress(step: Step, total: int | None, context: Context, tell: Tell) -> Callable[[int], None]:
    """Reports transferred bytes at most every 0.1 s."""
    reported = context.clock()

    def advance(done: int) -> None:
        nonlocal reported
        if context.clock() - reported >= _PROGRESS_INTERVAL:
            reported = context.clock()
            tell(Progress(step, done, total or 0))

    return advance


def _ensure_collection(address: Address, spec: AlgorithmSpec, context: Context) -> None:
    """Creates the collection once if it does not exist. The kind `algorithm` changes the ACL of one that exists."""
    destination, algorithm = context.destination, address.algorithm

    def create() -> None:
        if destination.listing(algorithm) is None:
            with context.ledger.writing(address, "collection"):
                destination.data.create_collection(destination.owner, algorithm, readers_of(spec))

    destination.created_collections.get(algorithm, create)


def _verify(step: Step, context: Context, tell: Tell) -> Outcome:
    return Outcome((verified(context.ledger.records[step.address], context, _progress(step, _size(step), context, tell)),))


def _size(step: Step) -> int | None:
    return step.change.after.size if step.change and step.change.after else None


def _source_name(address: Address, spec: AlgorithmSpec) -> Name:
    uri = spec.source_of(address.name)
    if uri is None:
        raise ValueError(f"{printable(str(address))} is not in the workflow")
    return split(uri)
