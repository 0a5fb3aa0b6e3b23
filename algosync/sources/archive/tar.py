"""Reads a tar member by member. Only files, folders and links are accepted; nothing is guessed.

`tarfile` is not used: it treats the first damaged header as the end of the archive, and keeps every header in memory.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.core.text import printable
from algosync.core.tree import Blob
from algosync.sources.archive.entries import ArchiveLimits, Content, SourceEntries
from algosync.sources.archive.refusal import PACK_AGAIN, refused, too_large, too_many, unreadable
from algosync.sources.archive.tar_header import BLOCK, TarHeader, read_header

if TYPE_CHECKING:
    from algosync.sources.archive.gunzip import Gunzip

__all__ = ["read_tar"]

_HARD_LINK, _LINK = b"1", b"2"
_FILE, _FOLDER = (b"0", b"7"), b"5"  # 7: a contiguous file, which is read like any other
_LONG_NAME, _LONG_LINK = b"L", b"K"
_GLOBAL, _PAX = b"g", (b"x", b"X")
_SPARSE = "is a sparse file"
_FORBIDDEN = {
    b"3": "is a device",
    b"4": "is a device",
    b"6": "is a FIFO",
    b"S": _SPARSE,
}
_RECORD = re.compile(rb"([0-9]{1,7}) ([^=]+)=")
_EXTENSION_LIMIT = 1 << 20  # bytes of one extension header; names are much shorter, but macOS writes file attributes too
_EXTENSIONS_LIMIT = 8 << 20  # bytes of all extension headers; parsing them costs far more than reading them
_HEADERS_PER_ENTRY = 3  # a long name, other extensions, and the member's own header


def read_tar(stream: Gunzip, entries: SourceEntries, limits: ArchiveLimits) -> None:
    """Adds every file of the archive to `entries`, up to the end mark of the archive.

    SourceError: the stream is not a tar, is damaged, truncated or too large, or an entry is refused.
    """
    extensions = _Extensions(stream)
    count = 0
    while (header := _next_header(stream, first=not count)) is not None:
        count += 1
        if count > _HEADERS_PER_ENTRY * limits.entries:
            raise too_many(f"the source archive has more than {_HEADERS_PER_ENTRY * limits.entries} headers")
        if not extensions.take(header):
            _take_member(stream, header, extensions.of_next_member(), entries, limits)
    if extensions.waiting:
        raise unreadable("the source archive ends before a file that it announces")


class _Extensions:
    """The headers before a member's own header. `waiting`: an extension was read whose member has not come yet."""

    def __init__(self, stream: Gunzip) -> None:
        self._stream = stream
        self._left = _EXTENSIONS_LIMIT
        self._values: dict[str, str] = {}
        self.waiting = False

    def of_next_member(self) -> dict[str, str]:
        """The extension values for the member whose own header was just read. They apply to this member only."""
        values, self._values, self.waiting = self._values, {}, False
        return values

    def take(self, header: TarHeader) -> bool:
        """Reads the header if it is an extension. False: it is a member's own header."""
        if header.kind == _GLOBAL:
            values: dict[str, str] = {}
            _read_pax(self._body(header), values)
            if values:  # `git archive` writes only a comment here; values for all files at once are never legitimate
                raise unreadable("the source archive sets a name or size for all of its files")
            return True
        if header.kind == _LONG_NAME:
            _set_value(self._values, "path", self._body(header).rstrip(b"\0"))
        elif header.kind == _LONG_LINK:
            _set_value(self._values, "linkpath", self._body(header).rstrip(b"\0"))
        elif header.kind in _PAX:
            _read_pax(self._body(header), self._values)
        else:
            return False
        self.waiting = True
        return True

    def _body(self, header: TarHeader) -> bytes:
        self._left -= header.size
        if not 0 <= header.size <= _EXTENSION_LIMIT or self._left < 0:
            raise unreadable(f"the source archive has a header of {printable(str(header.size), 30)} bytes")
        body = _read(self._stream, header.size + -header.size % BLOCK)
        if body[header.size :].strip(b"\0"):  # some readers end a name at its NUL, wherever that is
            raise unreadable("the source archive is damaged: a header has data after its end")
        return body[: header.size]


def _next_header(stream: Gunzip, first: bool) -> TarHeader | None:
    """None: the end mark, which only zero bytes may follow."""
    block = stream.read(BLOCK)
    if not block.strip(b"\0") and len(block) == BLOCK:
        while rest := stream.read(64 << 10):
            if rest.strip(b"\0"):
                raise unreadable("the source archive has other data after its end")
        return None
    try:
        return read_header(block)
    except ValueError as error:
        if first:
            start = printable(block[:24].decode("utf-8", "replace"))
            raise unreadable(f"the source archive is gzip, but does not contain a tar (starts with '{start}')") from error
        raise unreadable("the source archive is damaged or cut off inside its tar") from error


def _take_member(
    stream: Gunzip, header: TarHeader, extensions: dict[str, str], entries: SourceEntries, limits: ArchiveLimits
) -> None:
    path = _plain(extensions.get("path", header.name))
    link = extensions.get("linkpath", header.link)
    if any(key.startswith("GNU.sparse") for key in extensions):
        raise refused(path, _SPARSE, "pack it again, without the option --sparse: tar -czf NAME.tar.gz -C FOLDER .")
    if header.kind == _FOLDER:
        if path not in ("", "."):
            entries.add(path.removesuffix("/") or path, None)
    elif header.kind in _FILE:
        entries.check(path)
        entries.add(path, Blob(_read(stream, _size(header, extensions, limits)), header.executable))
    elif header.kind == _LINK:
        entries.add(path, link)
    elif header.kind == _HARD_LINK:
        entries.add(path, _linked(path, _plain(link), entries))
    else:
        raise refused(path, _FORBIDDEN.get(header.kind, "is of an unknown type"))


def _plain(path: str) -> str:
    """The path without the `./` in front that tar writes if it packs `.`."""
    while path.startswith("./"):
        path = path[2:]
    return path


def _linked(path: str, target: str, entries: SourceEntries) -> Content:
    """The content of the earlier entry that a hard link is another name of."""
    content = entries.content(target)
    if content is None:
        raise refused(path, f"is a hard link to '{printable(target, 200)}', which does not come before it", PACK_AGAIN)
    return content


def _size(header: TarHeader, extensions: dict[str, str], limits: ArchiveLimits) -> int:
    text = extensions.get("size")
    if text is not None and not re.fullmatch(r"[0-9]{1,18}", text):
        raise unreadable("the source archive is damaged: a size is not a number")
    size = header.size if text is None else int(text)
    if size < 0:
        raise unreadable("the source archive is damaged: a size is negative")
    if size > limits.size:
        raise too_large(limits.size)
    return size


def _read(stream: Gunzip, size: int) -> bytes:
    """The content that belongs to a header. The padding after it is consumed too."""
    data = stream.read(size)
    padding = -size % BLOCK
    if len(data) != size or len(stream.read(padding)) != padding:
        raise unreadable("the source archive is cut off")
    return data


def _read_pax(data: bytes, values: dict[str, str]) -> None:
    """Adds the relevant values of a pax header. Its records are `LENGTH KEY=VALUE\\n`; the length counts the whole record."""
    position = 0
    while position < len(data):
        start = _RECORD.match(data, position)
        end = position + int(start[1]) if start else 0
        if start is None or not start.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise unreadable("the source archive is damaged: a pax header cannot be read")
        key = start[2]
        if key in (b"path", b"size", b"linkpath") or key.startswith(b"GNU.sparse"):
            _set_value(values, key.decode("utf-8", "replace"), data[start.end() : end - 1])
        position = end


def _set_value(values: dict[str, str], key: str, value: bytes) -> None:
    """Refuses two different values: some readers use the first and some the last, so one archive would be two sources."""
    text = value.decode("utf-8", "surrogateescape")
    if values.setdefault(key, text) != text:
        raise unreadable(f"the source archive gives two different values for one entry: {printable(key, 40)}")
