"""Stored files: data files at the destination, as they are after a write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from algosync.cluster.data import FileStat
from algosync.cluster.transfer import File, Name
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.read_back import ReadBack, with_read_back
from algosync.core.resource import Record
from algosync.kinds.context import Context

__all__ = ["digest_now", "target_name", "verified"]

_PAUSES = (0.0, 0.1, 0.2, 0.4, 0.8)  # seconds before each listing: the first ones may be older than the write


def target_name(address: Address, context: Context) -> Name:
    return context.destination.owner, address.algorithm, address.name or ""


def verified(record: Record, context: Context, advance: Callable[[int], None]) -> Record:
    """Looks at a written file in the way that the user has chosen. TransferError: it is not what was sent.

    Its bytes are read after its stamp has settled. From then on the stamp proves the digest: another write of the same size within
    the same second leaves the same stamp, so the bytes must be read later than that. Where they are not read, the stamp proves
    nothing anyway, so it is not waited for.
    """
    how = context.read_back
    stat = _listed(record, context, _PAUSES[:1] if how is ReadBack.NONE else _PAUSES)
    if how is ReadBack.NONE:
        mark = stat.mark if stat is not None and stat.size == record.size else None
        return with_read_back(record, how, mark)
    if stat is None:
        raise TransferError(f"{record.address} is not there although its upload was accepted")
    found, stamp = (record.digest, stat.size), stat.mark
    if how is ReadBack.FULL and stat.size == record.size:
        stamp = _settled(stat, record, context)
        found = digest_now(record.address, record.size, context, advance)
    if found != (record.digest, record.size):
        hint = "run the same command again"
        raise TransferError(f"{record.address}: what the destination holds is not what was sent", hint=hint)
    return with_read_back(record, how, stamp)


def digest_now(address: Address, size: int | None, context: Context, advance: Callable[[int], None]) -> tuple[str, int]:
    """SHA-256 (hex) and length of the file at the destination. `size`: as it is listed."""
    file = File(context.destination.data, target_name(address, context), size)
    return context.transfers.digest(file, advance, context.destination.retry)


def _listed(record: Record, context: Context, pauses: Sequence[float]) -> FileStat | None:
    """The file as it is listed after its last write. None: it is not listed.

    All files of a collection that were written before share these listings, and the pauses between them.
    """
    name = target_name(record.address, context)
    files, stat = None, None
    for pause in pauses:
        files = context.destination.data.files_after_write(name, files, partial(context.pause, pause))
        stat = files.get(name[2])
        if stat is not None and stat.size == record.size and context.destination.data.shows_write(name, stat):
            break
    return stat


def _settled(stat: FileStat, record: Record, context: Context) -> str | None:
    """Waits until no other write can get the file's stamp, and returns it. None: the time of the write is not known."""
    left = context.destination.data.seconds_to_settle(target_name(record.address, context), stat)
    if left:
        context.pause(left)
    return None if left is None else stat.mark
