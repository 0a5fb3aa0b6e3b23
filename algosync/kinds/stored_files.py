"""Stored files: data files at the destination, as they are after a write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from algosync.cluster.data import FileStat
from algosync.cluster.transfer import File, Name
from algosync.core.address import Address
from algosync.core.error import TransferError
from algosync.core.resource import Record
from algosync.kinds.context import Context

__all__ = ["digest_now", "target_name", "verified"]

_SETTLE_TRIES, _SETTLE_PAUSE = 20, 0.5  # seconds; a stamp settles within two


def target_name(address: Address, context: Context) -> Name:
    return context.destination.owner, address.algorithm, address.name or ""


def verified(record: Record, context: Context, advance: Callable[[int], None]) -> Record:
    """Reads the file back after its stamp has settled. From then on the stamp proves the digest. TransferError: it differs.

    Another write of the same size within the same second leaves the same stamp, so the bytes must be read later than that.
    """
    stat = _settled(record, context)
    if stat is None:
        raise TransferError(f"{record.address} is not there although its upload was accepted")
    if digest_now(record.address, record.size, context, advance) != (record.digest, record.size):
        hint = "run the same command again"
        raise TransferError(f"{record.address}: what the destination holds is not what was sent", hint=hint)
    return replace(record, destination_stamp=stat.stamp)


def digest_now(address: Address, size: int | None, context: Context, advance: Callable[[int], None]) -> tuple[str, int]:
    """SHA-256 (hex) and length of the file at the destination. `size`: as it is listed."""
    file = File(context.destination.data, target_name(address, context), size)
    return context.transfers.digest(file, advance, context.destination.retry)


def _settled(record: Record, context: Context) -> FileStat | None:
    """The file in the listing once it has a stamp, or as it is after the last try. None: it is not listed.

    All files of a collection share these listings and the pauses between them.
    """
    files = None
    for _ in range(_SETTLE_TRIES):
        files = context.destination.files_after_uploads(record.address.algorithm, files, lambda: context.pause(_SETTLE_PAUSE))
        stat = files.get(record.address.name or "")
        if stat is None or stat.size != record.size or stat.stamp is not None:
            break
    return stat
