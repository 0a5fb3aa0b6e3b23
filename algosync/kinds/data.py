"""The kind `data`: one file in the algorithm's own collection, OWNER/NAME/FILE."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from algosync.cluster.data import FileStat, split
from algosync.cluster.transfer import File, Name, digest_file, relay
from algosync.core.address import Address
from algosync.core.change import Change
from algosync.core.error import Conflict, NotFound, SourceError, TransferError
from algosync.core.event import Progress
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import KindTraits, Record, Resource
from algosync.core.schedule import Step, Verb
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec, DataFile
from algosync.kinds import pinned_files
from algosync.kinds.context import Context

__all__ = ["TRAITS", "desired", "explain", "observed", "perform", "read", "verbs"]

TRAITS = KindTraits(is_file=True, read_back=frozenset({"md5"}))

_PROGRESS_INTERVAL = 0.1  # seconds
_SETTLE_TRIES, _SETTLE_PAUSE = 20, 0.5  # seconds; a stamp settles within two


def desired(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """Reads only files that a model manifest pins, and only if they changed since they were recorded."""
    missing = []
    pinned = context.desired_sources.pinned_files(spec) if spec.data_files else frozenset()
    for file in spec.data_files:
        try:
            stat = context.store.stat(file.source)
        except NotFound:
            missing.append(file)
        else:
            found = Resource(Address("data", spec.name, file.name), stamp=stat.stamp, size=stat.size)
            yield pinned_files.with_checksums(found, file.source, context) if found.address in pinned else found
    if missing:
        hint = context.store.hint_for([file.source for file in missing], _uris(context))
        raise SourceError(f"the source has no {', '.join(map(_with_line, missing))}", hint=hint)


def _uris(context: Context) -> Iterable[str]:
    return (file.source for spec in context.algorithms for file in spec.data_files)


def _with_line(file: DataFile) -> str:
    uri = printable(file.source)
    return uri if file.line is None else f"{uri} (line {file.line} of the workflow)"


def observed(spec: AlgorithmSpec, context: Context) -> Iterable[Resource]:
    """Every file of the collection, including those that are not in the workflow."""
    for name, stat in sorted(context.destination.files(spec.name).items()):
        yield Resource(Address("data", spec.name, name), stamp=stat.stamp, size=stat.size)


def read(resource: Resource, side: Side, spec: AlgorithmSpec, context: Context) -> Resource:
    store = context.store.store() if side is Side.SOURCE else context.destination.data
    name = _source_name(resource.address, spec) if side is Side.SOURCE else _target_name(resource.address, context)
    digest, size = digest_file(File(store, name, resource.size), lambda _: None, context.destination.retry)
    return replace(resource, digest=digest, size=size)


def explain(change: Change, spec: AlgorithmSpec, context: Context) -> Change:
    """Adds the digest of the new content if the source is a local directory: reading it costs no transfer."""
    after = change.after
    if not change.action.writes or after is None or after.digest is not None or not context.store.name.startswith("file://"):
        return change
    return replace(change, after=read(after, Side.SOURCE, spec, context))


def verbs(change: Change) -> tuple[Verb, ...]:
    return Verb.UPLOAD, Verb.VERIFY


def perform(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    return _upload(step, spec, context, tell) if step.verb is Verb.UPLOAD else _verify(step, context, tell)


def _upload(step: Step, spec: AlgorithmSpec, context: Context, tell: Tell) -> Outcome:
    want = step.change.after if step.change else None
    if want is None:
        raise ValueError(f"{step.address} has no desired content")
    _ensure_collection(step.address, context)
    _require_unchanged(step, context)
    file = File(context.store.store(), _source_name(step.address, spec), want.size, want.digest)
    destination = context.destination
    target = _target_name(step.address, context)
    progress = _progress(step, want.size, context, tell)
    with context.ledger.writing(step.address, step.verb.value):
        digest, size = relay(file, destination.data, target, progress, destination.retry)
    if size != want.size or want.digest not in (None, digest):
        raise TransferError(f"{step.address}: the source changed since the plan was made", hint="run the same command again")
    # The destination's stamp is recorded after the verification: it is too young now, and it would not prove the content.
    return Outcome((Record(step.address, digest, want.stamp, None, size, want.attributes),))


def _require_unchanged(step: Step, context: Context) -> None:
    """Conflict: the file changed since the plan was made. The collection is listed once, before its first upload."""
    now = context.destination.files_before_uploads(step.address.algorithm).get(step.address.name or "")
    before = step.change.before if step.change else None
    planned = None if before is None else FileStat(before.size or 0, before.stamp)
    same = now == planned or (now is not None and planned is not None and planned.stamp is None and now.size == planned.size)
    if not same:
        hint = "algosync plan shows the change; apply replaces it"
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


def _ensure_collection(address: Address, context: Context) -> None:
    """Creates the collection once if it has no files. It may exist and be empty; creating it again has no effect."""
    destination, algorithm = context.destination, address.algorithm

    def create() -> None:
        if not destination.files(algorithm):
            with context.ledger.writing(address, "collection"):
                destination.data.create_collection(destination.owner, algorithm)

    destination.created_collections.get(algorithm, create)


def _verify(step: Step, context: Context, tell: Tell) -> Outcome:
    """Reads the file back after its stamp has settled. From then on the stamp proves the digest.

    Another write of the same size within the same second leaves the same stamp, so the bytes must be read later than that.
    """
    record = context.ledger.records[step.address]
    stat = _settled(step, record, context)
    if stat is None:
        raise TransferError(f"{step.address} is not there although its upload was accepted")
    destination = context.destination
    file = File(destination.data, _target_name(step.address, context), record.size)
    digest, size = digest_file(file, _progress(step, record.size, context, tell), destination.retry)
    if (digest, size) != (record.digest, record.size):
        raise TransferError(f"{step.address}: what the destination holds is not what was sent", hint="run the same command again")
    return Outcome((replace(record, destination_stamp=stat.stamp),))


def _settled(step: Step, record: Record, context: Context) -> FileStat | None:
    """The file in the listing once it has a stamp, or as it is after the last try. None: it is not listed."""
    for _ in range(_SETTLE_TRIES):
        stat = context.destination.list_now(step.address.algorithm).get(step.address.name or "")
        if stat is None or stat.size != record.size or stat.stamp is not None:
            return stat
        context.pause(_SETTLE_PAUSE)
    return stat


def _source_name(address: Address, spec: AlgorithmSpec) -> Name:
    for file in spec.data_files:
        if file.name == address.name:
            return split(file.source)
    raise ValueError(f"{printable(str(address))} is not in the workflow")


def _target_name(address: Address, context: Context) -> Name:
    return context.destination.owner, address.algorithm, address.name or ""
