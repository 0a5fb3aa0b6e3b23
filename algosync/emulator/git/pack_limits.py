"""What a pushed pack may unpack to, told from its sizes alone, in blocks: a few kilobytes can stand for any number of gigabytes.

dulwich holds every object whole, and while it follows a chain of deltas all objects of that chain.
Format: gitformat-pack(5); whether a pack is well formed beyond this, its reader finds out.
"""

import zlib
from typing import BinaryIO

MIB = 1024 * 1024

MAX_OBJECT = 100 * MIB
"""Bytes of one file; as much as the services that host git repositories take."""

MAX_LISTING = 8 * MIB
"""Bytes of one folder's list, of a commit or a tag: in memory they are many times as large. Enough for 100,000 names."""

MAX_CHAIN = 1024 * MIB
"""Bytes of all objects of one chain of deltas, and of all that deltas by id make: these can continue any chain."""

MAX_TOTAL = 8 * 1024 * MIB
"""Bytes of all that a pack holds, which takes a minute to unpack."""

MAX_OBJECTS = 500_000

BLOB, OFFSET_DELTA, ID_DELTA = 3, 6, 7
BLOCK = 64 * 1024
DELTA_HEAD = 20
"""Bytes that its two sizes can take."""


class PackError(Exception):
    """A pack that is not taken, and why."""


def check(pack: BinaryIO) -> None:
    """Raises `PackError` for a pack that is beyond the limits, or is none. It begins where `pack` is, and so it does afterwards."""
    start = pack.tell()
    try:
        _Check(pack, start).run()
    except zlib.error as error:
        raise PackError(f"the pack is damaged: {error}") from None
    finally:
        pack.seek(start)


class _Check:
    """One pass over a pack."""

    def __init__(self, pack: BinaryIO, start: int) -> None:
        self._pack = pack
        self._start = start
        self._total = 0
        self._chains: dict[int, int | None] = {}
        """By an object's place, what it and all that it leans on have together; None for what leans on an id."""
        self._leaning = 0
        self._files: set[int] = set()
        """The places of what is a file, or may be one: what leans on an id can be anything."""

    def run(self) -> None:
        head = self._exactly(12)
        if head[:4] != b"PACK":
            raise PackError("there is no pack")
        count = int.from_bytes(head[8:], "big")
        _at_most(count, MAX_OBJECTS, "objects in a push")
        for _ in range(count):
            self._entry()

    def _entry(self) -> None:
        place = self._pack.tell() - self._start
        first, more = self._number()
        kind, size = first >> 4 & 7, first & 15 | more << 4
        base = self._base(kind, place)
        _at_most(size, MAX_OBJECT if kind in (BLOB, OFFSET_DELTA, ID_DELTA) else MAX_LISTING, "bytes in an object")
        self._count(size)
        head = self._inflate(size)
        if kind not in (OFFSET_DELTA, ID_DELTA):
            self._chains[place] = size
            if kind == BLOB:
                self._files.add(place)
            return
        made, file = _made_by(head), base is None or base in self._files
        _at_most(made, MAX_OBJECT if file else MAX_LISTING, "bytes in an object")
        self._count(made)
        if file:
            self._files.add(place)
        self._follow(place, base, made)

    def _count(self, size: int) -> None:
        self._total += size
        _at_most(self._total, MAX_TOTAL, "bytes in a push")

    def _follow(self, place: int, base: int | None, made: int) -> None:
        """Note an object that a delta makes, and what has to be held for it."""
        if base is not None and base not in self._chains:
            raise PackError("the pack is damaged: a delta leans on nothing")
        chain = None if base is None else self._chains[base]
        if chain is None:
            self._leaning += made
            _at_most(self._leaning, MAX_CHAIN, "bytes of deltas by id")
            self._chains[place] = None
        else:
            _at_most(chain + made, MAX_CHAIN, "bytes in a chain of deltas")
            self._chains[place] = chain + made

    def _base(self, kind: int, place: int) -> int | None:
        """The place of what a delta leans on; None for an object by its id, and for what is no delta."""
        if kind == ID_DELTA:
            self._exactly(20)
        if kind != OFFSET_DELTA:
            return None
        byte = self._exactly(1)[0]
        back = byte & 127
        while byte & 128 and back <= place:
            byte = self._exactly(1)[0]
            back = (back + 1 << 7) | byte & 127
        return place - back

    def _number(self) -> tuple[int, int]:
        """A byte, and the number of those that follow it, the lowest first, as long as the highest bit is set."""
        first = byte = self._exactly(1)[0]
        more = shift = 0
        while byte & 128:
            byte = self._exactly(1)[0]
            more |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise PackError("the pack is damaged: a size without end")
        return first, more

    def _inflate(self, size: int) -> bytes:
        """Go to the end of what is compressed here; how it begins."""
        engine, head, made, step = zlib.decompressobj(), b"", 0, min(size + 64, BLOCK)
        while not engine.eof and made <= size:
            block = engine.unconsumed_tail or self._pack.read(step)
            if not block:
                raise PackError("the pack is damaged: it ends early")
            piece = engine.decompress(block, BLOCK)
            made, step = made + len(piece), BLOCK
            head += piece[: DELTA_HEAD - len(head)]
        if made != size:
            raise PackError("the pack is damaged: an object has another size than it says")
        # Only what the last block had beyond the object: what has not been read yet is not unused.
        self._pack.seek(-len(engine.unused_data), 1)
        return head

    def _exactly(self, count: int) -> bytes:
        data = self._pack.read(count)
        if len(data) < count:
            raise PackError("the pack is damaged: it ends early")
        return data


def _made_by(delta: bytes) -> int:
    """The size of the object that a delta makes: the second of two numbers that it begins with."""
    numbers, shift = [0], 0
    for byte in delta:
        numbers[-1] |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            if len(numbers) == 2:
                return numbers[1]
            numbers.append(0)
            shift = 0
    raise PackError("the pack is damaged: a delta without sizes")


def _at_most(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise PackError(f"more than {limit} {what}")
