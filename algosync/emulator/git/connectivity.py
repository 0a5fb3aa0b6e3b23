"""Checks that pushed objects and everything they refer to are present, so that an incomplete push cannot break a repository.

dulwich's own check walks the whole history again for every ref of a push.
"""

import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, ShaFile, Tag, Tree

Reference = tuple[ObjectID, type[ShaFile]]
"""An object and its required type. `ShaFile` allows any type."""


class Connectivity:
    """The complete objects of a repository during a push. Each object is read once."""

    def __init__(self, store: BaseObjectStore, tips: Iterable[ObjectID]) -> None:
        """`tips` are the values of the refs. They and their history are complete, because every push is checked."""
        self._store = store
        self.parents: dict[ObjectID, Sequence[ObjectID]] = {}
        """The parents of every commit in the history of the tips and of the objects that `complete` was asked for."""
        self._complete: dict[Reference, bool] = dict.fromkeys(self._history(tips), True)

    def complete(self, wanted: ObjectID) -> bool:
        """Whether an object and everything it refers to are present and of the required types."""
        waiting: list[tuple[Reference, list[Reference] | None]] = [((wanted, ShaFile), None)]
        while waiting:
            reference, needed = waiting.pop()
            if needed is not None:
                # Its references have been checked meanwhile.
                self._complete[reference] = all(self._complete[each] for each in needed)
            elif reference not in self._complete:
                needed = self._needed(*reference)
                if needed is None:
                    self._complete[reference] = False
                else:
                    waiting.append((reference, needed))
                    waiting += [(each, None) for each in needed if each not in self._complete]
        return self._complete[wanted, ShaFile]

    def descends(self, commit: ObjectID, ancestor: ObjectID) -> bool:
        """Whether a complete commit is `ancestor` or descends from it. Unlike dulwich, this does not trust the dates of commits."""
        waiting, seen = deque([commit]), {commit}
        while waiting and ancestor not in seen:
            new = set(self.parents.get(waiting.popleft(), ())) - seen
            seen |= new
            waiting += new
        return ancestor in seen

    def _needed(self, object_id: ObjectID, kind: type[ShaFile]) -> list[Reference] | None:
        """The references of an object; None if it is missing, damaged or of another type."""
        try:
            # Blobs are not read, as they can be large. Like git's own server, this does not check their type.
            if kind is Blob:
                return [] if object_id in self._store else None
            found = self._store[object_id]
            if isinstance(found, Commit):
                self.parents[object_id] = found.parents
            return list(set(_references(found))) if isinstance(found, kind) else None
        except Exception:  # noqa: BLE001 - parsing a hostile object can fail in any way
            return None

    def _history(self, tips: Iterable[ObjectID]) -> Iterator[Reference]:
        waiting, seen = list(tips), set()
        for tip in waiting:
            yield tip, ShaFile
        while waiting:
            object_id = waiting.pop()
            if object_id not in seen and object_id in self._store:
                seen.add(object_id)
                match self._store[object_id]:
                    case Commit(parents=parents):
                        self.parents[object_id] = parents
                        yield object_id, Commit
                        waiting += parents
                    case Tag(object=(_, named)):
                        waiting.append(named)
                    case _:
                        pass


def _references(found: ShaFile) -> Iterator[Reference]:
    match found:
        case Commit():
            yield found.tree, Tree
            yield from ((parent, Commit) for parent in found.parents)
        case Tag():
            kind, named = found.object
            yield named, kind
        case Tree():
            for entry in found.iteritems():
                if not S_ISGITLINK(entry.mode):
                    yield entry.sha, Tree if stat.S_ISDIR(entry.mode) else Blob
        case _:
            return
