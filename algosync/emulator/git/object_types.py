"""Reads the types of objects without their content, which can be large. The format is that of gitformat-pack(5)."""

import mmap

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, ObjectID, RawObjectID
from dulwich.pack import Pack

FILE, OFFSET_DELTA, ID_DELTA = 3, 6, 7
ID_BYTES = 20


class ObjectTypes:
    """The types of a repository's objects. The repository must not change meanwhile."""

    def __init__(self, store: BaseObjectStore) -> None:
        self._store = store
        self._packs: list[_Pack] | None = None

    def is_file(self, object_id: ObjectID) -> bool:
        """Whether the object is present and a blob. May raise any exception for a damaged repository."""
        if self._packs is None:
            self._packs = [_Pack(pack) for pack in self._store.packs]
        for pack in self._packs:
            kind = pack.kind(object_id)
            if kind is not None:
                return kind == FILE
        # Loose objects are few, since a push comes as a pack.
        return object_id in self._store and isinstance(self._store[object_id], Blob)


class _Pack:
    """A pack file."""

    def __init__(self, pack: Pack) -> None:
        self._index = pack.index
        with open(pack.data.path, "rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._known: dict[int, int] = {}

    def kind(self, object_id: ObjectID) -> int | None:
        """The type of an object, resolved through its deltas; None if it is not in this pack."""
        try:
            offset = self._index.object_offset(object_id)
        except KeyError:
            return None
        deltas: dict[int, None] = {}
        while offset not in self._known:
            if offset in deltas:
                raise ValueError("a delta refers to itself")
            deltas[offset] = None
            kind, after = self._head(offset)
            if kind == OFFSET_DELTA:
                offset -= self._distance(after)
            elif kind == ID_DELTA:
                # The base is in the same pack: packs in a repository are self-contained.
                offset = self._index.object_offset(RawObjectID(self._data[after : after + ID_BYTES]))
            else:
                self._known[offset] = kind
        kind = self._known[offset]
        self._known.update(dict.fromkeys(deltas, kind))
        return kind

    def _head(self, offset: int) -> tuple[int, int]:
        """The type of the entry at an offset, and the offset behind its size."""
        kind = self._data[offset] >> 4 & 7
        while self._data[offset] & 0x80:
            offset += 1
        return kind, offset + 1

    def _distance(self, offset: int) -> int:
        """The distance from a delta back to its base, encoded at an offset."""
        distance = self._data[offset] & 0x7F
        while self._data[offset] & 0x80:
            offset += 1
            distance = (distance + 1) << 7 | self._data[offset] & 0x7F
        return distance
