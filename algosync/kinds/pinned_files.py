"""Pinned data files: those whose MD5 a model manifest expects.

A plan reads such a file once, for SHA-256 and MD5. Both are recorded with the file's stamp, so later plans do not read it while the
stamp is unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from algosync.core.address import Address
from algosync.core.error import NotFound, SourceError
from algosync.core.resource import READ_NOW, RECORDED, Resource
from algosync.core.text import printable
from algosync.kinds.context import Context
from algosync.sources.pins import MD5, Pin

__all__ = ["require_match", "with_checksums"]


def require_match(pins: Sequence[Pin], context: Context) -> tuple[str, ...]:
    """The mismatches that the algorithm accepts. SourceError: a data file differs from the one that the manifest requires."""
    if not pins:
        return ()
    mismatches = [(pin, mismatch) for pin in pins if (mismatch := _mismatch(pin, context))]
    refused = [mismatch for pin, mismatch in mismatches if pin.strict]
    if refused:
        hint = "if the data file is right, freeze the manifest again (`algo freeze`); otherwise put the right file back"
        raise SourceError("; ".join(refused), hint=hint)
    return tuple(mismatch for _, mismatch in mismatches)


def with_checksums(resource: Resource, uri: str, context: Context) -> Resource:
    """The resource of a pinned data file, with its digest and MD5."""
    digest, md5 = _checksums(resource.address, uri, context)
    record = context.ledger.records.get(resource.address)
    origin = RECORDED if record is not None and record.source_stamp == resource.stamp and record.digest == digest else READ_NOW
    return replace(resource, attributes={**resource.attributes, "md5": md5}, digest=digest, digest_from=origin)


def _mismatch(pin: Pin, context: Context) -> str | None:
    uri = context.sources.data_source(pin.file)
    try:
        found = _checksums(pin.file, uri, context)[1]
    except NotFound:
        return None  # reported for the algorithm that lists the data file
    if found == pin.md5:
        return None
    expected = f"{pin.path} expects MD5 {printable(pin.md5, 40)} of {printable(pin.entry, 80)!r}"
    return f"{expected}, but {printable(uri)}, which becomes {printable(str(pin.file))}, has {found}"


def _checksums(file: Address, uri: str, context: Context) -> tuple[str, str]:
    """SHA-256 and MD5, from the record if the file is unchanged."""
    stat = context.store.stat(uri)
    record = context.ledger.records.get(file)
    if record is not None and stat.stamp is not None and record.source_stamp == stat.stamp:
        md5 = record.attributes.get("md5")
        if isinstance(md5, str) and MD5.fullmatch(md5):
            return record.digest, md5
    return context.store.checksums(uri)
