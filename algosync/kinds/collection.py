"""Who can read an algorithm's data: the ACL of its collection, shown as the attribute `data_read` of the kind `algorithm`."""

from __future__ import annotations

from collections.abc import Mapping

from algosync.core.address import Address
from algosync.core.error import Conflict, Denied, NotFound
from algosync.core.resource import Json
from algosync.core.workflow import AlgorithmSpec, Readers
from algosync.kinds.context import Context

__all__ = ["DATA_READ", "NOT_TOLD", "NO_COLLECTION", "UNSTAMPED", "data_read", "desired_read", "give_read", "readers_of"]

DATA_READ = "data_read"
NO_COLLECTION = "no collection"
NOT_TOLD = "the destination does not tell who can read the data, so that is not compared"
UNSTAMPED: tuple[Json, ...] = (None, NO_COLLECTION, "my_algorithms")
"""These values are no part of a stamp, so that the stamps stay valid that were recorded before the ACL was compared."""

_READERS: Mapping[Readers, tuple[str, ...]] = {"my_algorithms": ("algo://.my/*",), "public": ("user://*",), "private": ()}
_WORDS = {readers: word for word, readers in _READERS.items()}  # PLATFORM.md §2.4


def readers_of(spec: AlgorithmSpec) -> tuple[str, ...]:
    """The ACL for a new collection of the algorithm."""
    return _READERS[spec.data_read or "my_algorithms"]


def desired_read(spec: AlgorithmSpec, context: Context) -> Readers | None:
    """Who should be able to read the data. None: the workflow does not say, or the destination does not tell."""
    wanted = spec.data_read
    return None if wanted is None or data_read(spec, wanted, context) is None else wanted


def data_read(spec: AlgorithmSpec, wanted: Json, context: Context) -> Json:
    """Who can read the data: a word of the workflow, another ACL as a list, or NO_COLLECTION. None: the destination does not tell.

    A collection that the data files will create counts as `wanted`. The files' listing has the ACL, so this costs no request.
    """
    try:
        listing = context.destination.listing(spec.name)
    except Denied:  # the kind `data` reports it
        return None
    if listing is None:
        return wanted if wanted is not None and spec.data_files else NO_COLLECTION
    return _shown(listing.readers)


def give_read(address: Address, spec: AlgorithmSpec, context: Context) -> Json:
    """Gives the collection the desired ACL, if it has another one. Returns who can read the data now, as `data_read` does.

    Without data files that will create it, a missing collection is created. Denied: the key may not change the ACL. Conflict:
    somebody changed it since the plan was made.
    """
    wanted, destination = spec.data_read, context.destination
    now = data_read(spec, wanted, context)
    left = now != NO_COLLECTION and spec.ignores("collection.read") is not None
    if wanted is None or now in (None, wanted) or left:
        return now
    _require_unchanged(address, now, spec, context)
    change = destination.data.create_collection if now == NO_COLLECTION else destination.data.set_readers
    try:
        with context.ledger.writing(address, "access"):
            change(destination.owner, spec.name, readers_of(spec))
    except Denied as error:
        hint = f"only {destination.owner}, or a member of that organization, can change it, with a key that may write data"
        raise Denied(
            f"{address}: the key may not make its data {wanted}: {error.message}", status=error.status, hint=hint
        ) from None
    return destination.retry.run(lambda: _shown(destination.data.listing(destination.owner, spec.name).readers))


def _require_unchanged(address: Address, planned: Json, spec: AlgorithmSpec, context: Context) -> None:
    try:
        now = _shown(context.destination.data.listing(context.destination.owner, spec.name).readers)
    except NotFound:
        now = NO_COLLECTION
    if now != planned:
        hint = "algosync plan shows the change; apply replaces it"
        raise Conflict(f"{address}: somebody changed who can read its data since the plan was made", hint=hint)


def _shown(readers: tuple[str, ...] | None) -> Json:
    return None if readers is None else _WORDS.get(readers, list(readers))
