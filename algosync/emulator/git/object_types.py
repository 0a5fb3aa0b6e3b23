"""Which objects of a repository are files, told from what is before their content, which can be large: gitformat-pack(5)."""

import mmap

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, ObjectID, RawObjectID
from dulwich.pack import Pack

FILE, OFFSET_DELTA, ID_DELTA = 3, 6, 7
ID_BYTES = 20


class ObjectTypes:
    """What is known of the types of a repository's objects, which stays as it is meanwhile."""

    def __init__(self, store: BaseObjectStore) -> None:
        self._store = store
        self._packs: list[_Pack] | None = None

    def is_file(self, object_id: ObjectID) -> bool:
        """Whether this object is here, and a file. Raises anything for what is damaged."""
        if self._packs is None:
            self._packs = [_Pack(pack) for pack in self._store.packs]
        for pack in self._packs:
            kind = pack.kind(object_id)
            if kind is not None:
                return kind == FILE
        # It is in a file of its own, as only few are: a push comes as a pack.
        return object_id in self._store and isinstance(self._store[object_id], Blob)


class _Pack:
    """One file of many objects."""

    def __init__(self, pack: Pack) -> None:
        self._index = pack.index
        with open(pack.data.path, "rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._known: dict[int, int] = {}

    def kind(self, object_id: ObjectID) -> int | None:
        """The type of an object; None where it is elsewhere."""
        try:
            place = self._index.object_offset(object_id)
        except KeyError:
            return None
        passed: dict[int, None] = {}
        while place not in self._known:
            if place in passed:
                raise ValueError("an object that is made from itself")
            passed[place] = None
            kind, after = self._head(place)
            if kind == OFFSET_DELTA:
                place -= self._distance(after)
            elif kind == ID_DELTA:
                # Here, too: no pack in a repository leans on another.
                place = self._index.object_offset(RawObjectID(self._data[after : after + ID_BYTES]))
            else:
                self._known[place] = kind
        kind = self._known[place]
        self._known.update(dict.fromkeys(passed, kind))
        return kind

    def _head(self, place: int) -> tuple[int, int]:
        """The type at a place, and where its size has ended."""
        kind = self._data[place] >> 4 & 7
        while self._data[place] & 0x80:
            place += 1
        return kind, place + 1

    def _distance(self, place: int) -> int:
        """How far before it is what an object is made from."""
        distance = self._data[place] & 0x7F
        while self._data[place] & 0x80:
            place += 1
            distance = (distance + 1) << 7 | self._data[place] & 0x7F
        return distance
