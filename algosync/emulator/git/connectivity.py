"""Whether objects that were pushed are here with all that they refer to: who sends half of it must not break the repository.

Own, not dulwich's, which begins with the whole history again for every ref of a push.
"""

import stat
from collections.abc import Iterable, Iterator, Sequence

from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, ShaFile, Tag, Tree

from algosync.emulator.git.object_types import ObjectTypes

Reference = tuple[ObjectID, type[ShaFile]]
"""An object, and of which kind it has to be: `ShaFile` is any."""


class Connectivity:
    """What is known of a repository's objects during a push: each is looked at once, however many ask for it."""

    def __init__(self, store: BaseObjectStore, tips: Iterable[ObjectID]) -> None:
        """What the refs name, the `tips`, is whole, and so is their history: nothing else was ever taken."""
        self._store = store
        self._types = ObjectTypes(store)
        self.parents: dict[ObjectID, Sequence[ObjectID]] = {}
        """Of every commit that the tips name, or `complete` was asked for, and of all in their histories."""
        self._whole: dict[Reference, bool] = dict.fromkeys(self._history(tips), True)

    def complete(self, wanted: ObjectID) -> bool:
        """Whether everything that this object refers to is here, and of the kind that it has to be."""
        waiting: list[tuple[Reference, list[Reference] | None]] = [((wanted, ShaFile), None)]
        while waiting:
            reference, needed = waiting.pop()
            if needed is not None:
                # All that it needs has been decided meanwhile.
                self._whole[reference] = all(self._whole[each] for each in needed)
            elif reference not in self._whole:
                needed = self._needed(*reference)
                if needed is None:
                    self._whole[reference] = False
                else:
                    waiting.append((reference, needed))
                    waiting += [(each, None) for each in needed if each not in self._whole]
        return self._whole[wanted, ShaFile]

    def _needed(self, object_id: ObjectID, kind: type[ShaFile]) -> list[Reference] | None:
        """What an object refers to; None for one that is not here, or damaged, or of another kind."""
        try:
            # The content of files is not needed, and can be large.
            if kind is Blob:
                return [] if self._types.is_file(object_id) else None
            found = self._store[object_id]
            if isinstance(found, Commit):
                self.parents[object_id] = found.parents
            return list(set(_references(found))) if isinstance(found, kind) else None
        except Exception:  # noqa: BLE001 - objects are hostile: they fail in many ways, and none is whole
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
