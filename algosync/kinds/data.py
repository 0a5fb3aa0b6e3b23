"""The kind `data`: one file in the algorithm's own collection, OWNER/NAME/FILE."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from algosync.cluster.data import FileStat, split
from algosync.cluster.transfer import File, Name, digest_file, relay
from algosync.core.address import Address
from algosync.core.change import Change
from algosync.core.error import Conflict, NotFound, SourceError, TransferError
from algosync.core.event import Progress
from algosync.core.ports import Outcome, Side, Tell
from algosync.core.resource import Record, Resource
from algosync.core.schedule import Step, Verb
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds import models, source
from algosync.kinds.site import Site

__all__ = ["desired", "explain", "observed", "perform", "read", "verbs"]

_TELL_EVERY = 0.1  # seconds
_SETTLE_TRIES, _SETTLE_PAUSE = 20, 0.5  # seconds; a stamp settles within two


def desired(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    """Only what a model manifest pins is read, unless it is recorded as it stands."""
    missing = []
    pinned = source.pinned(spec, site) if spec.data_files else frozenset()
    for file in spec.data_files:
        try:
            stat = site.source_file(file.source)
        except NotFound:
            missing.append(printable(file.source))
        else:
            found = Resource(Address("data", spec.name, file.name), stamp=stat.stamp, size=stat.size)
            yield models.with_digests(found, file.source, site) if found.address in pinned else found
    if missing:
        raise SourceError(f"the source has no {', '.join(missing)}", hint=_whose(missing, site))


def _whose(missing: Sequence[str], site: Site) -> str | None:
    """Whom `.my` means there, which the key decides."""
    owner = site.source_store().key_owner() if any(uri.startswith("data://.my/") for uri in missing) else None
    if owner is None:
        return None
    said = f"`.my` is {printable(owner, 80)} there"
    remote = site.source_name.startswith(("http://", "https://"))  # neither folders nor local clusters go by that variable
    return f"{said}, the owner of SOURCE_API_KEY" if remote else said


def observed(spec: AlgorithmSpec, site: Site) -> Iterable[Resource]:
    """Every file of the collection, also those that nobody asked for."""
    for name, stat in sorted(site.destination_files(spec.name).items()):
        yield Resource(Address("data", spec.name, name), stamp=stat.stamp, size=stat.size)


def read(resource: Resource, side: Side, spec: AlgorithmSpec, site: Site) -> Resource:
    store = site.source_store() if side is Side.SOURCE else site.destination.data
    name = _origin(resource.address, spec) if side is Side.SOURCE else _target(resource.address, site)
    digest, size = digest_file(File(store, name, resource.size), lambda _: None, site.destination.retry)
    return replace(resource, digest=digest, size=size)


def explain(change: Change, spec: AlgorithmSpec, site: Site) -> Change:
    return change


def verbs(change: Change) -> tuple[Verb, ...]:
    return Verb.UPLOAD, Verb.VERIFY


def perform(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    return _upload(step, spec, site, tell) if step.verb is Verb.UPLOAD else _verify(step, site, tell)


def _upload(step: Step, spec: AlgorithmSpec, site: Site, tell: Tell) -> Outcome:
    want = step.change.after if step.change else None
    if want is None:
        raise ValueError(f"nothing is wanted of {step.address}")
    site.memo.once(("collection", spec.name), lambda: _ensure_collection(step.address, site))
    _require_unchanged(step, site)
    file = File(site.source_store(), _origin(step.address, spec), want.size, want.digest)
    target = _target(step.address, site)
    with site.ledger.writing(step.address, step.verb.value):
        digest, size = relay(file, site.destination.data, target, _advance(step, want.size, site, tell))
    if size != want.size or want.digest not in (None, digest):
        raise TransferError(f"{step.address}: the source changed since the plan was made", hint="run the same command again")
    # The stamp comes with the verification: it is too young to be trusted now, and asking for it would prove nothing.
    return Outcome((Record(step.address, digest, want.stamp, None, size, want.attributes),))


def _require_unchanged(step: Step, site: Site) -> None:
    """Looked at once for the whole collection, before the first of its uploads. Conflict: it is not what the plan saw."""
    algorithm = step.address.algorithm
    now = site.memo.once(("before uploads", algorithm), lambda: site.list_now(algorithm)).get(step.address.name or "")
    before = step.change.before if step.change else None
    planned = None if before is None else FileStat(before.size or 0, before.stamp)
    same = now == planned or (now is not None and planned is not None and planned.stamp is None and now.size == planned.size)
    if not same:
        raise Conflict(f"{step.address}: somebody changed it since the plan was made", hint="run the same command again")


def _advance(step: Step, total: int | None, site: Site, tell: Tell) -> Callable[[int], None]:
    """Tells of bytes, but not more often than anybody can read."""
    told = site.clock()

    def advance(done: int) -> None:
        nonlocal told
        if site.clock() - told >= _TELL_EVERY:
            told = site.clock()
            tell(Progress(step, done, total or 0))

    return advance


def _ensure_collection(address: Address, site: Site) -> bool:
    """The collection may be there although it holds nothing: creating it again does no harm."""
    if not site.destination_files(address.algorithm):
        with site.ledger.writing(address, "collection"):
            site.destination.data.create_collection(site.owner, address.algorithm)
    return True


def _verify(step: Step, site: Site, tell: Tell) -> Outcome:
    """Reads the file back once its stamp has settled: from then on the stamp proves the digest.

    A write of equal size within the second of ours leaves the same stamp, so only bytes that are read after it can tell.
    """
    record = site.ledger.records[step.address]
    target = _target(step.address, site)
    for _ in range(_SETTLE_TRIES):
        stat = site.list_now(step.address.algorithm).get(step.address.name or "")
        if stat is None or stat.size != record.size or stat.stamp is not None:
            break
        site.pause(_SETTLE_PAUSE)
    if stat is None:
        raise TransferError(f"{step.address} is not there although its upload was accepted")
    told = _advance(step, record.size, site, tell)
    digest, size = digest_file(File(site.destination.data, target, record.size), told, site.destination.retry)
    if (digest, size) != (record.digest, record.size):
        raise TransferError(f"{step.address}: what the destination holds is not what was sent", hint="run the same command again")
    return Outcome((replace(record, destination_stamp=stat.stamp),))


def _origin(address: Address, spec: AlgorithmSpec) -> Name:
    for file in spec.data_files:
        if file.name == address.name:
            return split(file.source)
    raise ValueError(f"{printable(str(address))} is not in the workflow")


def _target(address: Address, site: Site) -> Name:
    return site.owner, address.algorithm, address.name or ""
