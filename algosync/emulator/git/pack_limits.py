"""Limits on the unpacked size of a pushed pack, since a few kilobytes can expand to gigabytes.

The sizes are read in one pass with bounded memory. dulwich would hold every object in memory, and all objects of a chain of deltas
at once. The format is that of gitformat-pack(5); dulwich checks the rest of it.
"""

import zlib
from typing import BinaryIO

MIB = 1024 * 1024

MAX_OBJECT = 100 * MIB
"""Bytes of one blob; as much as services that host git repositories accept."""

MAX_LISTING = 8 * MIB
"""Bytes of a tree, commit or tag, which need many times as much memory. Enough for a tree of 100,000 names."""

MAX_CHAIN = 1024 * MIB
"""Bytes of all objects of one chain of deltas. Also the sum for all deltas by id, as these can continue any chain."""

MAX_TOTAL = 8 * 1024 * MIB
"""Bytes of all objects of a pack. Unpacking them takes about a minute."""

MAX_OBJECTS = 500_000

BLOB, OFFSET_DELTA, ID_DELTA = 3, 6, 7
BLOCK = 64 * 1024
DELTA_HEAD = 20
"""Maximum length in bytes of the two sizes at the start of a delta."""


class PackError(Exception):
    """The pack is refused; tells why."""


def check(pack: BinaryIO) -> None:
    """Raises `PackError` for a pack that is malformed or exceeds the limits. The position of `pack` is the same afterwards."""
    start = pack.tell()
    try:
        _Checker(pack, start).run()
    except zlib.error as error:
        raise PackError(f"the pack is damaged: {error}") from None
    finally:
        pack.seek(start)


class _Checker:
    """One pass over a pack."""

    def __init__(self, pack: BinaryIO, start: int) -> None:
        self._pack = pack
        self._start = start
        self._total = 0
        self._chains: dict[int, int | None] = {}
        """By offset of an object, the size of its chain of deltas in bytes; None if the chain begins with a delta by id."""
        self._by_id_total = 0
        self._files: set[int] = set()
        """Offsets of objects that are or may be blobs. A delta by id may be of any type."""

    def run(self) -> None:
        head = self._exactly(12)
        if head[:4] != b"PACK":
            raise PackError("there is no pack")
        count = int.from_bytes(head[8:], "big")
        _at_most(count, MAX_OBJECTS, "objects in a push")
        for _ in range(count):
            self._entry()

    def _entry(self) -> None:
        offset = self._pack.tell() - self._start
        first, more = self._number()
        kind, size = first >> 4 & 7, first & 15 | more << 4
        base = self._base(kind, offset)
        _at_most(size, MAX_OBJECT if kind in (BLOB, OFFSET_DELTA, ID_DELTA) else MAX_LISTING, "bytes in an object")
        self._count(size)
        head = self._inflate(size)
        if kind not in (OFFSET_DELTA, ID_DELTA):
            self._chains[offset] = size
            if kind == BLOB:
                self._files.add(offset)
            return
        result_size, file = _result_size(head), base is None or base in self._files
        _at_most(result_size, MAX_OBJECT if file else MAX_LISTING, "bytes in an object")
        self._count(result_size)
        if file:
            self._files.add(offset)
        self._follow(offset, base, result_size)

    def _count(self, size: int) -> None:
        self._total += size
        _at_most(self._total, MAX_TOTAL, "bytes in a push")

    def _follow(self, offset: int, base: int | None, result_size: int) -> None:
        """Add the object of a delta, of `result_size` bytes, to its chain."""
        if base is not None and base not in self._chains:
            raise PackError("the pack is damaged: a delta has no base")
        chain = None if base is None else self._chains[base]
        if chain is None:
            self._by_id_total += result_size
            _at_most(self._by_id_total, MAX_CHAIN, "bytes of deltas by id")
            self._chains[offset] = None
        else:
            _at_most(chain + result_size, MAX_CHAIN, "bytes in a chain of deltas")
            self._chains[offset] = chain + result_size

    def _base(self, kind: int, offset: int) -> int | None:
        """The offset of a delta's base; None for a delta by id and for other objects."""
        if kind == ID_DELTA:
            self._exactly(20)
        if kind != OFFSET_DELTA:
            return None
        byte = self._exactly(1)[0]
        back = byte & 127
        while byte & 128 and back <= offset:
            byte = self._exactly(1)[0]
            back = (back + 1 << 7) | byte & 127
        return offset - back

    def _number(self) -> tuple[int, int]:
        """An entry's first byte, and the number in the following bytes: 7 bits each, lowest first, as long as the 8th is set."""
        first = byte = self._exactly(1)[0]
        more = shift = 0
        while byte & 128:
            byte = self._exactly(1)[0]
            more |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise PackError("the pack is damaged: a size is too long")
        return first, more

    def _inflate(self, size: int) -> bytes:
        """Skip a compressed object of `size` bytes. Returns its first `DELTA_HEAD` bytes."""
        engine, head, done, step = zlib.decompressobj(), b"", 0, min(size + 64, BLOCK)
        while not engine.eof and done <= size:
            block = engine.unconsumed_tail or self._pack.read(step)
            if not block:
                raise PackError("the pack is damaged: it ends early")
            piece = engine.decompress(block, BLOCK)
            done, step = done + len(piece), BLOCK
            head += piece[: DELTA_HEAD - len(head)]
        if done != size:
            raise PackError("the pack is damaged: an object has another size than declared")
        # Go back to the end of the object, as the last block may reach beyond it.
        self._pack.seek(-len(engine.unused_data), 1)
        return head

    def _exactly(self, count: int) -> bytes:
        data = self._pack.read(count)
        if len(data) < count:
            raise PackError("the pack is damaged: it ends early")
        return data


def _result_size(delta: bytes) -> int:
    """The size of the object that a delta produces: the second of the two numbers at its start."""
    numbers, shift = [0], 0
    for byte in delta:
        numbers[-1] |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            if len(numbers) == 2:
                return numbers[1]
            numbers.append(0)
            shift = 0
    raise PackError("the pack is damaged: a delta has no sizes")


def _at_most(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise PackError(f"more than {limit} {what}")
