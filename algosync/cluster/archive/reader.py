"""A source archive, from the first byte to the last."""

from __future__ import annotations

from typing import BinaryIO

from algosync.cluster.archive.entries import DEFAULT, Entries, Limits
from algosync.cluster.archive.gunzip import Gunzip
from algosync.cluster.archive.root import rooted
from algosync.cluster.archive.tar import read_tar
from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

__all__ = ["read_archive"]

_SNIFFED = 512  # bytes: a tar's header, which tells a tar that is not compressed
_KNOWN = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
}


def read_archive(stream: BinaryIO, limits: Limits = DEFAULT) -> dict[str, Blob]:
    """The files of a `.tar.gz` by path, with `requirements.txt` and `src` at the top.

    An archive whose one top-level folder holds `src` is taken as if that folder had been packed from inside. Owners, times
    and modes are ignored, but for whether a file is executable. Empty folders are dropped: git has none. The stream is
    read to its end, once and in order; what it raises itself comes through.

    SourceError: it is no `.tar.gz`, damaged, cut off or beyond the limits, or has an entry that is refused.
    """
    start = _start(stream)
    entries = Entries(limits)
    read_tar(Gunzip(start, stream, limits), entries, limits)
    return rooted(entries.files)


def _start(stream: BinaryIO) -> bytes:
    """The first bytes, if they can be gzip's; a SourceError that says what it is instead."""
    start = b""
    while len(start) < _SNIFFED and (more := stream.read(_SNIFFED - len(start))):
        start += more
    if start.startswith(b"\x1f\x8b"):
        return start
    if not start:
        raise SourceError("the source archive is empty")
    known = next((what for magic, what in _KNOWN.items() if start.startswith(magic)), None)
    if start[257:262] == b"ustar":
        known = "a tar that is not compressed"
    shown = known or f"starts with '{printable(start[:24].decode('utf-8', 'replace'))}'"
    raise SourceError(f"the source archive is not a tar.gz ({shown})")
