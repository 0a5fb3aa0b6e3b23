"""Stored files: data files at the destination, as they are after a write."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from algosync.cluster.data import FileStat
from algosync.cluster.transfer import File, Name
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.read_back import ReadBack, with_read_back
from algosync.core.resource import Record
from algosync.kinds.context import Context

__all__ = ["digest_now", "target_name", "verified"]

_PAUSES = (0.0, 0.05, 0.1, 0.2, *(0.5,) * 18)  # seconds before each listing; a stamp settles within two


def target_name(address: Address, context: Context) -> Name:
    return context.destination.owner, address.algorithm, address.name or ""


def verified(record: Record, context: Context, advance: Callable[[int], None]) -> Record:
    """Looks at a written file in the way that the user has chosen. TransferError: it is not what was sent.

    Its bytes are read after its stamp has settled. From then on the stamp proves the digest: another write of the same size within
    the same second leaves the same stamp, so the bytes must be read later than that.
    """
    how = context.read_back
    if how is ReadBack.NONE:
        return with_read_back(record, how, _mark(record, context))
    stat = _settled(record, context)
    if stat is None:
        raise TransferError(f"{record.address} is not there although its upload was accepted")
    found = (record.digest, stat.size) if how is ReadBack.SIZE else digest_now(record.address, record.size, context, advance)
    if found != (record.digest, record.size):
        hint = "run the same command again"
        raise TransferError(f"{record.address}: what the destination holds is not what was sent", hint=hint)
    return with_read_back(record, how, stat.best)


def _mark(record: Record, context: Context) -> str | None:
    """The stamp that the destination lists now, if the file has the right size. None: the next plan has to look at the file."""
    algorithm, name = record.address.algorithm, record.address.name or ""
    stat = context.destination.files_after_upload(algorithm, name, None, lambda: None).get(name)
    return stat.stamp or stat.mark if stat is not None and stat.size == record.size else None


def digest_now(address: Address, size: int | None, context: Context, advance: Callable[[int], None]) -> tuple[str, int]:
    """SHA-256 (hex) and length of the file at the destination. `size`: as it is listed."""
    file = File(context.destination.data, target_name(address, context), size)
    return context.transfers.digest(file, advance, context.destination.retry)


def _settled(record: Record, context: Context) -> FileStat | None:
    """The file in the listing once it has a stamp, or as it is after the last try. None: it is not listed.

    Waits until the server's clock has passed the second of the write. All files of a collection that were written before share
    these listings, and the pauses between them.
    """
    algorithm, name = record.address.algorithm, record.address.name or ""
    if left := context.destination.seconds_to_settle(algorithm, name):
        context.pause(left)
    files = None
    for pause in _PAUSES:
        files = context.destination.files_after_upload(algorithm, name, files, partial(context.pause, pause))
        stat = files.get(name)
        if stat is None or stat.size != record.size or stat.best is not None:
            break
    return stat
