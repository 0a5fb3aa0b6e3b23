"""Read a pack from a git server into objects, without trusting any length in it.

dulwich's own reader inflates any announced size and spools to a file; this one stays below a limit. Format: gitformat-pack(5),
version 2 with SHA-1.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

from algosync.core.error import SourceError, Unexpected
from algosync.core.lean import dataclass
from algosync.git.objects import Object, Objects, ObjectType

__all__ = ["read_pack"]

_TYPES: dict[int, ObjectType] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _ID_DELTA = 6, 7
_CHUNK = 64 << 10  # bytes
_TOO_LARGE = "the repository is too large for algosync to hold in memory"


class _Broken(Exception):
    """The pack is invalid."""


@dataclass(frozen=True, slots=True)
class _Delta:
    """An object stored as a delta. `base` is the position of its base object in the pack, or that object's id."""

    base: int | str
    script: bytes


def read_pack(data: bytes, limit: int) -> Objects:
    """Return all objects of a pack by id.

    `limit` is the maximum number of inflated bytes, and separately of bytes produced by deltas. Raises Unexpected if the pack is
    damaged or incomplete or refers to objects outside it; SourceError if it exceeds the limit.
    """
    try:
        return _resolve(_entries(data, limit), limit)
    except (_Broken, zlib.error, IndexError) as error:
        raise Unexpected(f"the git server sent a damaged pack: {error}") from error


def _entries(data: bytes, limit: int) -> Iterator[tuple[int, Object | _Delta]]:
    """Yield the entries of the pack in order, each with its position."""
    end = len(data) - 20
    if data[:8] != b"PACK\0\0\0\2" or hashlib.sha1(data[:end], usedforsecurity=False).digest() != data[end:]:
        raise _Broken("its checksum does not match")
    position, left = 12, limit
    for _ in range(int.from_bytes(data[8:12], "big")):
        start = position
        number, size, position = _header(data, position)
        base, position = _base(data, start, position, number)
        if size > left:
            raise SourceError(_TOO_LARGE)
        body, position = _inflate(data, position, size)
        left -= size
        yield start, Object(_TYPES[number], body) if base is None else _Delta(base, body)
    if position != end:
        raise _Broken("something follows its last object")


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return an entry's type number, its inflated size in bytes, and the position after them."""
    first = data[position]
    size, shift, position = first & 0x0F, 4, position + 1
    more = first
    while more & 0x80:
        more = data[position]
        size |= (more & 0x7F) << shift
        shift, position = shift + 7, position + 1
        if shift > 64:
            raise _Broken("an endless size")
    number = first >> 4 & 7
    if number not in _TYPES and number not in (_OFFSET_DELTA, _ID_DELTA):
        raise _Broken(f"objects of type {number} are unknown")
    return number, size, position


def _base(data: bytes, start: int, position: int, number: int) -> tuple[int | str | None, int]:
    """Return the base of a delta (None if the entry is not a delta) and the position after it."""
    if number == _ID_DELTA:
        return data[position : position + 20].hex(), position + 20
    if number != _OFFSET_DELTA:
        return None, position
    back = data[position] & 0x7F
    while data[position] & 0x80:
        position += 1
        back = (back + 1 << 7) | (data[position] & 0x7F)
        if back > start:
            break
    if not 0 < back <= start:
        raise _Broken("a delta whose base lies before the pack")
    return start - back, position + 1


def _inflate(data: bytes, position: int, size: int) -> tuple[bytes, int]:
    """Return an object's bytes and the position after it.

    zlib copies all input beyond the end of an object, so each call gets little more input than the object needs. This keeps the
    total time linear in the length of the pack.
    """
    engine, view = zlib.decompressobj(), memoryview(data)
    # One byte more than announced: zlib then reads the end mark, and a longer object is noticed.
    pieces, left, step = [], size + 1, size + size // 1000 + 64
    while left and not engine.eof and position < len(data):
        window = view[position : position + step]
        pieces.append(engine.decompress(window, left))
        left -= len(pieces[-1])
        position, step = position + len(window), _CHUNK
    if left != 1 or not engine.eof:
        raise _Broken("an object is not as long as announced")
    return b"".join(pieces), position - len(engine.unused_data)


def _resolve(entries: Iterator[tuple[int, Object | _Delta]], limit: int) -> Objects:
    """Return the objects by id with all deltas applied. A base may come before or after its delta."""
    known: dict[int | str, Object] = {}
    waiting: dict[int | str, list[tuple[int, _Delta]]] = {}
    left = limit
    for position, entry in entries:
        if isinstance(entry, _Delta):
            waiting.setdefault(entry.base, []).append((position, entry))
        else:
            known[position] = known[entry.id] = entry
    ready = [base for base in waiting if base in known]
    while ready:
        base = ready.pop()
        for position, delta in waiting.pop(base, ()):
            result = Object(known[base].kind, _apply(delta.script, known[base].body, left))
            left -= len(result.body)
            known[position] = known[result.id] = result
            ready += [key for key in (position, result.id) if key in waiting]
    if waiting:
        raise _Broken("a delta whose base is missing")
    return {key: entry for key, entry in known.items() if isinstance(key, str)}


def _apply(script: bytes, base: bytes, limit: int) -> bytes:
    """Apply a delta to its base: it copies pieces of the base and inserts its own."""
    base_size, position = _varint(script, 0)
    size, position = _varint(script, position)
    if base_size != len(base):
        raise _Broken("a delta for another base")
    if size > limit:
        raise SourceError(_TOO_LARGE)
    result = bytearray()
    while position < len(script) and len(result) <= size:
        opcode, position = script[position], position + 1
        if opcode & 0x80:
            start, position = _sparse(script, position, opcode & 0x0F, 4)
            length, position = _sparse(script, position, opcode >> 4 & 7, 3)
            result += base[start : start + (length or 0x10000)]
        elif opcode:
            result += script[position : position + opcode]
            position += opcode
        else:
            raise _Broken("a delta with an unknown instruction")
    if len(result) != size:
        raise _Broken("a delta result of another size than announced")
    return bytes(result)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        shift, position = shift + 7, position + 1
        if not byte & 0x80:
            return value, position
        if shift > 64:
            raise _Broken("an endless size")


def _sparse(data: bytes, position: int, present: int, count: int) -> tuple[int, int]:
    """Read a little-endian number of which only the bytes whose bit is set in `present` are stored."""
    value = 0
    for index in range(count):
        if present >> index & 1:
            value |= data[position] << 8 * index
            position += 1
    return value, position
