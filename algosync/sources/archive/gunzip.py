"""Decompresses gzip piece by piece, within limits."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from algosync.core.error import SourceError
from algosync.sources.archive.entries import ArchiveLimits
from algosync.sources.archive.refusal import too_large, unreadable

__all__ = ["Gunzip"]

_STEP = 64 << 10  # bytes
_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS  # zlib reads the header and checks length and CRC itself


class Gunzip:
    """The content of the gzip members of `stream`, one after another. Zero bytes after the last member are padding.

    `start`: the bytes that were already read from the stream.

    SourceError: the stream is damaged, truncated, followed by other data, or exceeds the limits.
    """

    def __init__(self, start: bytes, stream: BinaryIO, limits: ArchiveLimits) -> None:
        self._stream, self._limits = stream, limits
        self._engine = zlib.decompressobj(_GZIP)
        self._members = 1
        self._compressed = start  # read, and not decompressed yet
        self._output, self._position = b"", 0  # decompressed; the bytes before the position were already returned
        self._read, self._made = len(start), 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; fewer only at the end. They are held in memory only once."""
        whole = io.BytesIO()
        while (missing := size - whole.tell()) and (self._position < len(self._output) or self._decompress()):
            self._position += whole.write(self._output[self._position : self._position + missing])
        return whole.getvalue()

    def _decompress(self) -> bool:
        """Decompresses the next piece, which may be empty. False: the stream has ended. The last output was used up."""
        if self._engine.eof and not self._next_member():
            return False
        data = self._compressed or self._pull()
        try:
            made = self._engine.decompress(data, _STEP)
        except zlib.error as error:
            raise unreadable("the source archive has damaged data") from error
        if not data and not made and not self._engine.eof:
            raise unreadable("the source archive is cut off")
        self._compressed = self._engine.unconsumed_tail or self._engine.unused_data
        self._made += len(made)
        self._check()
        self._output, self._position = made, 0
        return True

    def _next_member(self) -> bool:
        while not (rest := self._compressed.lstrip(b"\0")):
            self._compressed = self._pull()
            if not self._compressed:
                return False
        if not _MAGIC.startswith(rest[: len(_MAGIC)]):
            raise unreadable("the source archive has other data after its end")
        self._compressed = rest
        self._engine = zlib.decompressobj(_GZIP)
        self._members += 1
        if self._members > self._limits.entries:  # even an empty member takes time
            raise unreadable("the source archive has too many gzip members")
        return True

    def _pull(self) -> bytes:
        data = self._stream.read(_STEP)
        self._read += len(data)
        if self._read > self._limits.size:
            raise too_large(self._limits.size)
        return data

    def _check(self) -> None:
        limits = self._limits
        if self._made > limits.size:
            raise too_large(limits.size)
        if self._made > limits.grace and self._made > limits.ratio * self._read:
            raise _unpacks_to_too_much(limits)


def _unpacks_to_too_much(limits: ArchiveLimits) -> SourceError:
    hint = "files that compress so well, such as empty or repetitive ones, belong into data files, or can be made by the algorithm"
    return SourceError(f"the source archive unpacks to more than {limits.ratio} times its size", hint=hint)
