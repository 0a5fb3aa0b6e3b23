"""Reading a pack: the bytes a git server sends, turned into objects without trusting a single length in them.

dulwich's own reader inflates what it is told to, however much that is, and spools to a file; this one takes what stays
below a limit. Format: gitformat-pack(5), version 2 with SHA-1.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from algosync.core.error import SourceError, Unexpected
from algosync.git.objects import Kind, Object, Objects

__all__ = ["read_pack"]

_KINDS: dict[int, Kind] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _ID_DELTA = 6, 7
_STEP = 64 << 10  # bytes
_TOO_MUCH = "the repository holds more than algosync takes into memory"


class _Broken(Exception):
    """Any way in which a pack is not one."""


@dataclass(frozen=True, slots=True)
class _Delta:
    """An object told as its difference from another one: `base` is that one's place in the pack, or its id."""

    base: int | str
    script: bytes


def read_pack(data: bytes, limit: int) -> Objects:
    """All objects of a pack by id.

    `limit`: bytes of all that is inflated, and again of all that deltas make. Unexpected: the pack is damaged, incomplete
    or leans on objects outside it. SourceError: it holds more than the limit.
    """
    try:
        return _resolved(_entries(data, limit), limit)
    except (_Broken, zlib.error, IndexError) as error:
        raise Unexpected(f"the git server sent a damaged pack: {error}") from error


def _entries(data: bytes, limit: int) -> Iterator[tuple[int, Object | _Delta]]:
    """What stands in the pack as it stands there, each with its place."""
    end = len(data) - 20
    if data[:8] != b"PACK\0\0\0\2" or hashlib.sha1(data[:end], usedforsecurity=False).digest() != data[end:]:
        raise _Broken("its checksum does not match")
    place, left = 12, limit
    for _ in range(int.from_bytes(data[8:12], "big")):
        start = place
        number, size, place = _header(data, place)
        base, place = _base(data, start, place, number)
        if size > left:
            raise SourceError(_TOO_MUCH)
        body, place = _inflate(data, place, size)
        left -= size
        yield start, Object(_KINDS[number], body) if base is None else _Delta(base, body)
    if place != end:
        raise _Broken("something follows its last object")


def _header(data: bytes, place: int) -> tuple[int, int, int]:
    """An entry's type number, its inflated size in bytes, and the place after them."""
    first = data[place]
    size, shift, place = first & 0x0F, 4, place + 1
    more = first
    while more & 0x80:
        more = data[place]
        size |= (more & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if shift > 64:
            raise _Broken("a size without end")
    number = first >> 4 & 7
    if number not in _KINDS and number not in (_OFFSET_DELTA, _ID_DELTA):
        raise _Broken(f"objects of type {number} are unknown")
    return number, size, place


def _base(data: bytes, start: int, place: int, number: int) -> tuple[int | str | None, int]:
    """What a delta starts from (None: no delta), and the place after it."""
    if number == _ID_DELTA:
        return data[place : place + 20].hex(), place + 20
    if number != _OFFSET_DELTA:
        return None, place
    back = data[place] & 0x7F
    while data[place] & 0x80:
        place += 1
        back = (back + 1 << 7) | (data[place] & 0x7F)
        if back > start:
            break
    if not 0 < back <= start:
        raise _Broken("a delta from before the beginning")
    return start - back, place + 1


def _inflate(data: bytes, place: int, size: int) -> tuple[bytes, int]:
    """An object's bytes, and the place after it.

    zlib copies whatever it is handed beyond the end of an object, so it is handed about what the object should take: the
    time for a pack grows with its length, not with its square.
    """
    engine, view = zlib.decompressobj(), memoryview(data)
    # One byte more than announced: with exactly its size the end mark may stay unread, and more is noticed.
    pieces, left, step = [], size + 1, size + size // 1000 + 64
    while left and not engine.eof and place < len(data):
        window = view[place : place + step]
        pieces.append(engine.decompress(window, left))
        left -= len(pieces[-1])
        place, step = place + len(window), _STEP
    if left != 1 or not engine.eof:
        raise _Broken("an object is not as long as announced")
    return b"".join(pieces), place - len(engine.unused_data)


def _resolved(entries: Iterator[tuple[int, Object | _Delta]], limit: int) -> Objects:
    """Objects by id, deltas applied; a base may stand before or after what is told from it."""
    known: dict[int | str, Object] = {}
    waiting: dict[int | str, list[tuple[int, _Delta]]] = {}
    left = limit
    for place, entry in entries:
        if isinstance(entry, _Delta):
            waiting.setdefault(entry.base, []).append((place, entry))
        else:
            known[place] = known[entry.id] = entry
    ready = [base for base in waiting if base in known]
    while ready:
        base = ready.pop()
        for place, delta in waiting.pop(base, ()):
            made = Object(known[base].kind, _apply(delta.script, known[base].body, left))
            left -= len(made.body)
            known[place] = known[made.id] = made
            ready += [key for key in (place, made.id) if key in waiting]
    if waiting:
        raise _Broken("a delta from an object that is not in it")
    return {key: entry for key, entry in known.items() if isinstance(key, str)}


def _apply(script: bytes, base: bytes, limit: int) -> bytes:
    """The object that a delta makes of its base: pieces copied from the base, and pieces that the delta brings."""
    base_size, place = _varint(script, 0)
    size, place = _varint(script, place)
    if base_size != len(base):
        raise _Broken("a delta from another object")
    if size > limit:
        raise SourceError(_TOO_MUCH)
    made = bytearray()
    while place < len(script) and len(made) <= size:
        opcode, place = script[place], place + 1
        if opcode & 0x80:
            start, place = _sparse(script, place, opcode & 0x0F, 4)
            length, place = _sparse(script, place, opcode >> 4 & 7, 3)
            made += base[start : start + (length or 0x10000)]
        elif opcode:
            made += script[place : place + opcode]
            place += opcode
        else:
            raise _Broken("a delta with an unknown instruction")
    if len(made) != size:
        raise _Broken("a delta does not make what it announces")
    return bytes(made)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if not byte & 0x80:
            return value, place
        if shift > 64:
            raise _Broken("a size without end")


def _sparse(data: bytes, place: int, present: int, count: int) -> tuple[int, int]:
    """A little-endian number of which only those bytes are written whose bit is set in `present`."""
    value = 0
    for index in range(count):
        if present >> index & 1:
            value |= data[place] << 8 * index
            place += 1
    return value, place
