"""Reads a source archive in one pass."""

from __future__ import annotations

from typing import BinaryIO

from algosync.core.text import printable
from algosync.sources.archive.entries import DEFAULT, ArchiveLimits, SourceEntries
from algosync.sources.archive.refusal import unreadable
from algosync.sources.archive.selection import SourceFiles, select

__all__ = ["read_archive"]

_START = 512  # bytes: the size of a tar header, enough to recognize an uncompressed tar
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
}


def read_archive(stream: BinaryIO, limits: ArchiveLimits = DEFAULT) -> SourceFiles:
    """The files of a `.tar.gz` by path, with `requirements.txt` and `src` at the top.

    If the only top-level folder contains `src`, it is removed from all paths. Owners, times and modes are ignored, except whether
    a file is executable. Hard and symbolic links are replaced by what they point to. Ignored files are left out. Empty folders are
    dropped because git does not store them. The stream is read once, in order, to its end. Exceptions that the stream raises are
    passed on.

    SourceError: the stream is not a `.tar.gz`, is damaged, truncated or beyond the limits, or contains an entry that is refused.
    """
    from algosync.sources.archive.gunzip import Gunzip
    from algosync.sources.archive.tar import read_tar

    start = _start(stream)
    entries = SourceEntries(limits)
    read_tar(Gunzip(start, stream, limits), entries, limits)
    return select(entries)


def _start(stream: BinaryIO) -> bytes:
    """The first bytes, if they are gzip's. SourceError: they are not; the message names the format if it is known."""
    start = b""
    while len(start) < _START and (more := stream.read(_START - len(start))):
        start += more
    if start.startswith(b"\x1f\x8b"):
        return start
    if not start:
        raise unreadable("the source archive is empty")
    known = next((what for magic, what in _OTHER_FORMATS.items() if start.startswith(magic)), None)
    if start[257:262] == b"ustar":
        known = "an uncompressed tar"
    shown = known or f"starts with '{printable(start[:24].decode('utf-8', 'replace'))}'"
    raise unreadable(f"the source archive is not a tar.gz ({shown})")
