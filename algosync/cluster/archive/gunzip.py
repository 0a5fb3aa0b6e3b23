"""gzip, inflated a piece at a time: never more than was asked for, and never more than a limit."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from algosync.cluster.archive.entries import Limits, too_large
from algosync.core.error import SourceError

__all__ = ["Gunzip"]

_STEP = 64 << 10  # bytes
_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS  # zlib reads the header and checks length and CRC itself


class Gunzip:
    """What the gzip members of `stream` hold, one after another; zeros behind the last one are padding.

    `start`: what was read from the stream already.

    SourceError: the stream is damaged, cut off, followed by something else, or holds too much.
    """

    def __init__(self, start: bytes, stream: BinaryIO, limits: Limits) -> None:
        self._stream, self._limits = stream, limits
        self._engine = zlib.decompressobj(_GZIP)
        self._members = 1
        self._pending = start  # read, and not inflated yet
        self._ready, self._place = b"", 0  # inflated; what lies before the place was asked for already
        self._read, self._made = len(start), 0

    def read(self, size: int) -> bytes:
        """Exactly so many bytes; fewer only at the end. They are in memory once, however many they are."""
        whole = io.BytesIO()
        while (missing := size - whole.tell()) and (self._place < len(self._ready) or self._inflate()):
            self._place += whole.write(self._ready[self._place : self._place + missing])
        return whole.getvalue()

    def _inflate(self) -> bool:
        """Make some bytes ready, or none; False: that was all. What was ready has been asked for."""
        if self._engine.eof and not self._next_member():
            return False
        data = self._pending or self._pull()
        try:
            made = self._engine.decompress(data, _STEP)
        except zlib.error as error:
            raise SourceError("the source archive has damaged data") from error
        if not data and not made and not self._engine.eof:
            raise SourceError("the source archive is cut off")
        self._pending = self._engine.unconsumed_tail or self._engine.unused_data
        self._made += len(made)
        self._check()
        self._ready, self._place = made, 0
        return True

    def _next_member(self) -> bool:
        while not (rest := self._pending.lstrip(b"\0")):
            self._pending = self._pull()
            if not self._pending:
                return False
        if not _MAGIC.startswith(rest[: len(_MAGIC)]):
            raise SourceError("the source archive has something else behind its end")
        self._pending = rest
        self._engine = zlib.decompressobj(_GZIP)
        self._members += 1
        if self._members > self._limits.entries:  # each costs time even if it is empty
            raise SourceError("the source archive has too many gzip members")
        return True

    def _pull(self) -> bytes:
        data = self._stream.read(_STEP)
        self._read += len(data)
        if self._read > self._limits.size:
            raise too_large(self._limits)
        return data

    def _check(self) -> None:
        limits = self._limits
        if self._made > limits.size:
            raise too_large(limits)
        if self._made > limits.grace and self._made > limits.ratio * self._read:
            raise SourceError(f"the source archive unpacks to more than {limits.ratio} times its size")
