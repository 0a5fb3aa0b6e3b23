"""tar, member by member: only plain files and folders, and nothing is skipped or guessed.

`tarfile` reads the 512 bytes of a header well, and that is all it is used for: its own loop over an archive ends at the
first damaged header as if that were the end, and keeps every header that it has seen. Formats: ustar, pax and GNU.
"""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING

from algosync.cluster.archive.entries import Entries, Limits, refused, too_large
from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

if TYPE_CHECKING:
    from algosync.cluster.archive.gunzip import Gunzip

__all__ = ["read_tar"]

_BLOCK = tarfile.BLOCKSIZE
_FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
_EXTENSIONS = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
_EXTENSION_LIMIT = 1 << 20  # bytes; names are far shorter, but macOS writes attributes too
_FORBIDDEN = {
    tarfile.SYMTYPE: "is a symbolic link",
    tarfile.LNKTYPE: "is a hard link",
    tarfile.FIFOTYPE: "is a FIFO",
    tarfile.CHRTYPE: "is a device",
    tarfile.BLKTYPE: "is a device",
    tarfile.GNUTYPE_SPARSE: "is a sparse file",
}


def read_tar(stream: Gunzip, entries: Entries, limits: Limits) -> None:
    """Put every file of the archive into `entries`, up to the archive's end mark.

    SourceError: it is no tar, damaged, cut off or too large, or an entry is refused.
    """
    said: dict[str, str] = {}  # by extensions, about the next member
    first = True
    while (header := _header(stream, first)) is not None:
        first = False
        if header.type == tarfile.XGLTYPE:
            _check_global(_pax(_extension(stream, header)))
        elif header.type in _EXTENSIONS:
            said |= _said(header.type, _extension(stream, header))
        else:
            _take(stream, header, said, entries, limits)
            said = {}
    if said:
        raise SourceError("the source archive ends where a file is announced")


def _header(stream: Gunzip, first: bool) -> tarfile.TarInfo | None:
    """The next header; None at the end mark, behind which only zeros may follow."""
    block = stream.read(_BLOCK)
    if not block.strip(b"\0") and len(block) == _BLOCK:
        while rest := stream.read(64 << 10):
            if rest.strip(b"\0"):
                raise SourceError("the source archive has something else behind its end")
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        if first:
            start = printable(block[:24].decode("utf-8", "replace"))
            raise SourceError(f"the source archive is gzip, but holds no tar (starts with '{start}')") from error
        raise SourceError("the source archive is damaged or cut off inside its tar") from error


def _take(stream: Gunzip, header: tarfile.TarInfo, said: dict[str, str], entries: Entries, limits: Limits) -> None:
    path = _plain(said.get("path", header.name))
    if any(key.startswith("GNU.sparse") for key in said):
        raise refused(path, _FORBIDDEN[tarfile.GNUTYPE_SPARSE])
    if header.type == tarfile.DIRTYPE:
        if path:
            entries.folder(path)
    elif header.type in _FILES:
        entries.file(path)
        data = _body(stream, _size(header, said), limits)
        entries.files[path] = Blob(data, executable=bool(header.mode & 0o100))
    else:
        raise refused(path, _FORBIDDEN.get(header.type, "is of an unknown type"))


def _plain(path: str) -> str:
    """Without the `./` that tar writes where it was told to pack `.`, and without the `/` behind a folder."""
    while path.startswith("./"):
        path = path[2:]
    return "" if path == "." else path[:-1] if path.endswith("/") else path


def _size(header: tarfile.TarInfo, said: dict[str, str]) -> int:
    size = said.get("size")
    if size is None:
        return header.size
    if not re.fullmatch(r"[0-9]{1,18}", size):
        raise SourceError("the source archive is damaged: a size is no number")
    return int(size)


def _body(stream: Gunzip, size: int, limits: Limits) -> bytes:
    """A member's bytes, and past the padding behind them."""
    if size < 0:
        raise SourceError("the source archive is damaged: a size is negative")
    if size > limits.size:
        raise too_large(limits)
    data = stream.read(size)
    padding = stream.read(-size % _BLOCK)
    if len(data) != size or len(padding) != -size % _BLOCK:
        raise SourceError("the source archive is cut off")
    return data


def _extension(stream: Gunzip, header: tarfile.TarInfo) -> bytes:
    if not 0 <= header.size <= _EXTENSION_LIMIT:
        raise SourceError(f"the source archive has a header of {header.size} bytes")
    data = stream.read(header.size + -header.size % _BLOCK)
    if len(data) < header.size:
        raise SourceError("the source archive is cut off")
    return data[: header.size]


def _said(kind: bytes, data: bytes) -> dict[str, str]:
    match kind:
        case tarfile.GNUTYPE_LONGNAME:
            return {"path": data.rstrip(b"\0").decode("utf-8", "surrogateescape")}
        case tarfile.GNUTYPE_LONGLINK:
            return {}  # links are refused anyway
        case _:
            return _pax(data)


def _pax(data: bytes) -> dict[str, str]:
    """The records of a pax header: `LENGTH KEY=VALUE` and a line's end each, the length being that of all of it."""
    said, place = {}, 0
    while place < len(data):
        start = re.compile(rb"([0-9]{1,7}) ([^=]+)=").match(data, place)
        end = place + int(start[1]) if start else 0
        if start is None or not start.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise SourceError("the source archive is damaged: a pax header cannot be read")
        said[start[2].decode("utf-8", "replace")] = data[start.end() : end - 1].decode("utf-8", "surrogateescape")
        place = end
    return said


def _check_global(said: dict[str, str]) -> None:
    """`git archive` leaves a comment for all members; what would name or size them all is no archive of files."""
    if {"path", "size"} & said.keys():
        raise SourceError("the source archive names or sizes all of its files at once")
