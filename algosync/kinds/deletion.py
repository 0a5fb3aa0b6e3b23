"""Deletion of an algorithm, and of its collection.

The platform deletes an algorithm as a whole, with its repository and versions, and refuses that for public versions
(PLATFORM.md §3.8). The collection is another object: it is deleted only if it is empty, so files of others stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.error import Conflict, NotFound, Unexpected
from algosync.core.planning.change import Change
from algosync.core.planning.schedule import Verb
from algosync.core.ports import Outcome
from algosync.core.resource import Record, Resource
from algosync.core.text import plural, printable
from algosync.core.workflow import AlgorithmSpec
from algosync.kinds.context import Context
from algosync.kinds.protection import foreign_commit

__all__ = ["clear_collection", "delete_algorithm", "explained", "left_collection"]

_LISTING_TRIES, _LISTING_PAUSE = 20, 0.5  # seconds
_PUBLIC = "it has a public version: only an administrator of the cluster can delete it"


def left_collection(spec: AlgorithmSpec, record: Record | None, context: Context) -> Iterator[Resource]:
    """What is left of a recorded algorithm if its deletion was interrupted: the collection."""
    if spec.removed and record is not None and context.destination.listing(spec.name) is not None:
        yield Resource(record.address, {"left": "the algorithm's collection"}, digest=record.digest)


def explained(change: Change, context: Context) -> Change:
    """Adds notes on what the platform will not delete. A commit of somebody else is drift if the source is not recorded: it would
    be deleted, too, and no other change shows it.
    """
    if change.before is None:
        return change
    name = change.address.algorithm
    published = context.destination.published(name)
    public = published is not None and published.settings.get("algorithm_callability") == "public"
    others = [file for file in context.destination.files(name) if Address.of("data", name, file) not in context.ledger.records]
    kept = f"its collection stays, with {plural(len(others), 'file')} that algosync did not write" if others else ""
    recorded = Address.of("source", name) in context.ledger.records
    commit = None if recorded else foreign_commit(name, context)
    theirs = "" if commit is None else f"its repository is not recorded, and has the commit {printable(commit, 200)}"
    notes = (note for note in (_PUBLIC if public else "", kept, theirs) if note)
    before = replace(change.before, notes=(*change.before.notes, *notes))
    return replace(change, before=before, drifted=change.drifted or commit is not None)


def delete_algorithm(address: Address, context: Context) -> Outcome:
    """The record stays until the collection is cleared. Conflict: somebody pushed or published since the plan was made."""
    destination, name = context.destination, address.algorithm
    if destination.info(name) is None:
        return Outcome(detail="it was gone already")
    with suppress(NotFound):
        _require_as_planned(address, context)
        with context.ledger.writing(address, Verb.DELETE.value):
            destination.algorithms.delete(destination.owner, name)
    return Outcome()


def _require_as_planned(address: Address, context: Context) -> None:
    destination, name = context.destination, address.algorithm
    pushed = destination.repository(name).head() != destination.head(name)
    if pushed or destination.algorithms.published(destination.owner, name) != destination.published(name):
        done = "pushed" if pushed else "published a version"
        raise Conflict(f"{address}: somebody {done} since the plan was made", hint="algosync plan shows what they did")


def clear_collection(address: Address, context: Context) -> Outcome:
    """Deletes the collection if it is empty, and forgets the algorithm."""
    destination, name = context.destination, address.algorithm
    try:
        others = _files_of_others(address, context)
    except NotFound:
        return Outcome(detail="there is none", forgotten=(address,))
    if others:
        return Outcome(detail=f"it stays, because it has {plural(len(others), 'file')}", forgotten=(address,))
    with context.ledger.writing(address, Verb.CLEAR.value), suppress(NotFound):
        destination.data.delete_collection(destination.owner, name)
    return Outcome(detail="it was empty and is deleted", forgotten=(address,))


def _files_of_others(address: Address, context: Context) -> frozenset[str]:
    """The files that this run has not deleted. A listing may lag behind deletions; then it is asked for again.

    NotFound: the collection does not exist. Unexpected: only deleted files are listed, also after the last try.
    """
    data, owner, name = context.destination.data, context.destination.owner, address.algorithm
    for attempt in range(_LISTING_TRIES):
        if attempt:
            context.pause(_LISTING_PAUSE)
        listed, deleted = data.files(owner, name).keys(), data.deleted(owner, name)
        if not listed or listed - deleted:
            return frozenset(listed - deleted)
    hint = "run the same command again: it deletes the collection if it is empty then"
    raise Unexpected(f"{address}: its collection still lists files that were deleted", hint=hint)
