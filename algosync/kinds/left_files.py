"""Left files: data files that an interrupted apply left overwritten, as the next plan sees them."""

from __future__ import annotations

from dataclasses import replace

from algosync.cluster.data import FileStat
from algosync.core.planning.change import Change
from algosync.core.resource import Record, Resource
from algosync.kinds.context import Context
from algosync.kinds.previous_bytes import PreviousBytes, without_previous

__all__ = ["as_seen", "explained", "is_left", "is_put_back_only"]

_LEFT = {"left": "overwritten by an interrupted apply"}
_PUT_BACK_ONLY = "put_back_only"  # the plan counts no transfer for such a change


def as_seen(found: Resource, stat: FileStat, record: Record | None, context: Context) -> Resource:
    """A file at the destination, as a plan has to see it.

    A file that was left overwritten has the size of its previous bytes, and a digest that differs from every other one: the plan
    changes it. If its previous bytes are not on this machine, a note says so. Where previous bytes are no longer needed, the record
    is to forget them.
    """
    previous = PreviousBytes.of(record)
    if record is None or previous is None or context.recorded_only:
        return found
    published = context.destination.published(record.address.algorithm)
    if previous.are_in(stat) or previous.are_superseded(record, published, context):
        return replace(found, private=without_previous(record).private)
    overwritten = f"an interrupted apply overwrote it at {previous.at}"
    if not context.kept.has(previous.place(record.address), previous.sha256):
        note = f"{overwritten}; its previous bytes are not on this machine or not in this --keep-dir, so they cannot be put back"
        return replace(found, notes=(note,))
    note = f"{overwritten}; its previous bytes are put back before anything else"
    return Resource(
        found.address,
        _LEFT,
        digest=_mark(previous.sha256),
        size=previous.size,
        notes=(note,),
        digest_from="the bytes before an interrupted apply",
    )


def is_left(resource: Resource | None) -> bool:
    return resource is not None and resource.attributes == _LEFT


def is_put_back_only(change: Change) -> bool:
    """Whether the workflow wants the previous bytes again, so that nothing has to be sent after they were put back."""
    before, after = change.before, change.after
    wanted = after.digest if after else None
    return before is not None and is_left(before) and wanted is not None and before.digest == _mark(wanted)


def explained(change: Change) -> Change:
    """A change of a left file. It is our own write, so the file has not drifted."""
    details = {**change.details, _PUT_BACK_ONLY: True} if is_put_back_only(change) else change.details
    return replace(change, drifted=False, details=details)


def _mark(sha256: str) -> str:
    return f"overwritten {sha256}"  # a plan shows the first 12 characters of a digest
