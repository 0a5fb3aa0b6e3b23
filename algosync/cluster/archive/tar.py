"""tar, member by member: only plain files and folders, and nothing is skipped or guessed.

`tarfile` is not used: its loop over an archive ends at the first damaged header as if that were the end, and keeps every
header that it has seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.cluster.archive.entries import Entries, Limits, refused, too_large
from algosync.cluster.archive.header import BLOCK, Header, read_header
from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.tree import Blob

if TYPE_CHECKING:
    from algosync.cluster.archive.gunzip import Gunzip

__all__ = ["read_tar"]

_FILE, _FOLDER = (b"0", b"7"), b"5"  # 7: contiguous, which nobody ever did
_LONG_NAME, _LONG_LINK = b"L", b"K"
_GLOBAL, _PAX = b"g", (b"x", b"X")
_SPARSE = "is a sparse file"
_FORBIDDEN = {
    b"1": "is a hard link",
    b"2": "is a symbolic link",
    b"3": "is a device",
    b"4": "is a device",
    b"6": "is a FIFO",
    b"S": _SPARSE,
}
_RECORD = re.compile(rb"([0-9]{1,7}) ([^=]+)=")
_EXTENSION_LIMIT = 1 << 20  # bytes; names are far shorter, but macOS writes attributes too
_EXTENSIONS_LIMIT = 8 << 20  # bytes of them in all: reading one costs far more than its bytes
_HEADERS = 3  # for each entry: a name, what else is said about it, and its own


def read_tar(stream: Gunzip, entries: Entries, limits: Limits) -> None:
    """Put every file of the archive into `entries`, up to the archive's end mark.

    SourceError: it is no tar, damaged, cut off or too large, or an entry is refused.
    """
    extensions = _Extensions(stream)
    count = 0
    while (header := _next_header(stream, first=not count)) is not None:
        count += 1
        if count > _HEADERS * limits.entries:
            raise SourceError(f"the source archive has more than {_HEADERS * limits.entries} headers")
        if not extensions.take(header):
            _take(stream, header, extensions.about_next(), entries, limits)
    if extensions.waiting:
        raise SourceError("the source archive ends where a file is announced")


class _Extensions:
    """What comes before a member's own header. `waiting`: a member is announced that did not come yet."""

    def __init__(self, stream: Gunzip) -> None:
        self._stream = stream
        self._left = _EXTENSIONS_LIMIT
        self._said: dict[str, str] = {}
        self.waiting = False

    def about_next(self) -> dict[str, str]:
        """What was said about the member whose own header was read; it counts for that one alone."""
        said, self._said, self.waiting = self._said, {}, False
        return said

    def take(self, header: Header) -> bool:
        """False: the header is a member's own."""
        if header.kind == _GLOBAL:
            said: dict[str, str] = {}
            _read_pax(self._body(header), said)
            if said:  # `git archive` leaves a comment for all members; this is no archive of files
                raise SourceError("the source archive names or sizes all of its files at once")
            return True
        if header.kind == _LONG_NAME:
            _say(self._said, "path", self._body(header).rstrip(b"\0"))
        elif header.kind == _LONG_LINK:
            self._body(header)  # links are refused anyway
        elif header.kind in _PAX:
            _read_pax(self._body(header), self._said)
        else:
            return False
        self.waiting = True
        return True

    def _body(self, header: Header) -> bytes:
        self._left -= header.size
        if not 0 <= header.size <= _EXTENSION_LIMIT or self._left < 0:
            raise SourceError(f"the source archive has a header of {printable(str(header.size), 30)} bytes")
        body = _read(self._stream, header.size + -header.size % BLOCK)
        if body[header.size :].strip(b"\0"):  # some readers take a name up to its NUL, wherever that is
            raise SourceError("the source archive is damaged: a header has something behind its end")
        return body[: header.size]


def _next_header(stream: Gunzip, first: bool) -> Header | None:
    """None at the end mark, behind which only zeros may follow."""
    block = stream.read(BLOCK)
    if not block.strip(b"\0") and len(block) == BLOCK:
        while rest := stream.read(64 << 10):
            if rest.strip(b"\0"):
                raise SourceError("the source archive has something else behind its end")
        return None
    try:
        return read_header(block)
    except ValueError as error:
        if first:
            start = printable(block[:24].decode("utf-8", "replace"))
            raise SourceError(f"the source archive is gzip, but holds no tar (starts with '{start}')") from error
        raise SourceError("the source archive is damaged or cut off inside its tar") from error


def _take(stream: Gunzip, header: Header, said: dict[str, str], entries: Entries, limits: Limits) -> None:
    path = said.get("path", header.name)
    while path.startswith("./"):  # as tar writes where it was told to pack `.`
        path = path[2:]
    if any(key.startswith("GNU.sparse") for key in said):
        raise refused(path, _SPARSE)
    if header.kind == _FOLDER:
        if path not in ("", "."):
            entries.folder(path.removesuffix("/") or path)
    elif header.kind in _FILE:
        entries.file(path)
        entries.files[path] = Blob(_read(stream, _size(header, said, limits)), header.executable)
    else:
        raise refused(path, _FORBIDDEN.get(header.kind, "is of an unknown type"))


def _size(header: Header, said: dict[str, str], limits: Limits) -> int:
    text = said.get("size")
    if text is not None and not re.fullmatch(r"[0-9]{1,18}", text):
        raise SourceError("the source archive is damaged: a size is no number")
    size = header.size if text is None else int(text)
    if size < 0:
        raise SourceError("the source archive is damaged: a size is negative")
    if size > limits.size:
        raise too_large(limits)
    return size


def _read(stream: Gunzip, size: int) -> bytes:
    """What belongs to a header, and past the padding behind it."""
    data = stream.read(size)
    padding = -size % BLOCK
    if len(data) != size or len(stream.read(padding)) != padding:
        raise SourceError("the source archive is cut off")
    return data


def _read_pax(data: bytes, said: dict[str, str]) -> None:
    """What a pax header says that counts here. Its records: `LENGTH KEY=VALUE` and a line's end, the length being that of all."""
    place = 0
    while place < len(data):
        start = _RECORD.match(data, place)
        end = place + int(start[1]) if start else 0
        if start is None or not start.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise SourceError("the source archive is damaged: a pax header cannot be read")
        key = start[2]
        if key in (b"path", b"size") or key.startswith(b"GNU.sparse"):
            _say(said, key.decode("utf-8", "replace"), data[start.end() : end - 1])
        place = end


def _say(said: dict[str, str], key: str, value: bytes) -> None:
    """Of two that differ, some readers take the first and some the last: one archive would be two sources."""
    text = value.decode("utf-8", "surrogateescape")
    if said.setdefault(key, text) != text:
        raise SourceError(f"the source archive says two different things about one entry: {printable(key, 40)}")
