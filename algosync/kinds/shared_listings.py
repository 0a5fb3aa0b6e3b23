"""Shared listings: a collection is listed once for all files that were written to it before."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

from algosync.cluster.data import DEFAULT_READERS, CollectionListing, FileStat, Stored, WritableStore
from algosync.cluster.md5_etags import Md5Etags
from algosync.cluster.once import OncePerKey
from algosync.cluster.wire import Download
from algosync.core.error import NotFound
from algosync.core.lean import dataclass

__all__ = ["SharedListings"]

Name = tuple[str, str, str]  # owner, collection, file


@dataclass(frozen=True, slots=True)
class _CountedListing:
    """`writes`: how many writes to the collection had ended when the listing began."""

    files: Mapping[str, FileStat]
    writes: int


@dataclass(frozen=True, slots=True)
class _Written:
    """A write has ended: the number of writes to its collection by then, and when it has settled, by the local clock."""

    number: int
    settled_at: float


class SharedListings:
    """A WritableStore that counts the writes to each collection, and shares listings that began after them.

    Safe to use from several threads. `clock` gives seconds and never goes back.
    """

    def __init__(self, store: WritableStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._guard = threading.Lock()
        self._writes: Counter[tuple[str, str]] = Counter()
        self._foreign: Counter[tuple[str, str]] = Counter()  # the number of the last write that was not made here
        self._written: dict[Name, _Written] = {}
        self._listings: dict[tuple[str, str], _CountedListing] = {}
        self._deleted: dict[tuple[str, str], set[str]] = {}
        self._locks: OncePerKey[tuple[str, str], threading.Lock] = OncePerKey()

    @property
    def etags(self) -> Md5Etags:
        return self._store.etags

    def seconds_to_settle(self, owner: str, collection: str, name: str) -> float:
        """How long it takes until the server's clock has passed the second of the file's last write. 0: no write is known."""
        with self._guard:
            written = self._written.get((owner, collection, name))
        return 0.0 if written is None else max(0.0, written.settled_at - self._clock())

    def files_after_write(
        self, name: Name, outdated: Mapping[str, FileStat] | None, pause: Callable[[], None]
    ) -> Mapping[str, FileStat]:
        """A listing of the collection that began after the file's last write ended. Empty if the collection does not exist.

        A file without a known write needs one that began after all of them. `outdated`: the last listing that the caller got, if it
        needs a later one. Of several such callers one pauses and lists, and the others wait for that listing.
        """
        key = name[:2]
        with self._guard:
            written = self._written.get(name)
            writes = self._writes[key] if written is None else max(written.number, self._foreign[key])
        if (found := self._usable(key, writes, outdated)) is not None:
            return found
        with self._locks.get(key, threading.Lock):
            if (found := self._usable(key, writes, outdated)) is not None:
                return found
            if outdated is not None:
                pause()
            return self._list(key)

    def _usable(self, key: tuple[str, str], writes: int, outdated: Mapping[str, FileStat] | None) -> Mapping[str, FileStat] | None:
        listing = self._listings.get(key)
        usable = listing is not None and listing.writes >= writes and listing.files is not outdated
        return listing.files if listing is not None and usable else None

    def _list(self, key: tuple[str, str]) -> Mapping[str, FileStat]:
        with self._guard:
            writes = self._writes[key]
        try:
            files = self._store.files(*key)
        except NotFound:
            files = {}
        self._listings[key] = _CountedListing(files, writes)
        return files

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        stored = Stored()
        try:
            stored = self._store.put(owner, collection, name, blocks, length)
        finally:  # a failed one may have written, too
            with self._guard:
                self._writes[owner, collection] += 1
                number = self._writes[owner, collection]
                self._written[owner, collection, name] = _Written(number, self._clock() + stored.settles)
        return stored

    def count_write(self, owner: str, collection: str) -> None:
        """A write to the collection that was not made through this object has ended, or may have."""
        with self._guard:
            self._writes[owner, collection] += 1
            self._foreign[owner, collection] = self._writes[owner, collection]

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        return self._store.files(owner, collection)

    def open(self, owner: str, collection: str, name: str) -> AbstractContextManager[Download]:
        return self._store.open(owner, collection, name)

    def key_owner(self) -> str | None:
        return self._store.key_owner()

    def listing(self, owner: str, collection: str) -> CollectionListing:
        return self._store.listing(owner, collection)

    def create_collection(self, owner: str, collection: str, readers: Sequence[str] = DEFAULT_READERS) -> None:
        self._store.create_collection(owner, collection, readers)

    def set_readers(self, owner: str, collection: str, readers: Sequence[str]) -> None:
        self._store.set_readers(owner, collection, readers)

    def delete(self, owner: str, collection: str, name: str) -> None:
        with self._guard:
            self._deleted.setdefault((owner, collection), set()).add(name)
        self._store.delete(owner, collection, name)

    def deleted(self, owner: str, collection: str) -> frozenset[str]:
        """The files of the collection that were deleted through this object, or that it was asked to delete."""
        with self._guard:
            return frozenset(self._deleted.get((owner, collection), ()))

    def delete_collection(self, owner: str, collection: str) -> None:
        self._store.delete_collection(owner, collection)
