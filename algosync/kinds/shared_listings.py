"""Shared listings: a collection is listed once for all files that were written to it before."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from algosync.cluster.data import DEFAULT_READERS, CollectionListing, FileStat, Stored, WritableStore
from algosync.cluster.md5_etags import Md5Etags
from algosync.cluster.once import OncePerKey
from algosync.cluster.stamp_clock import StampClock
from algosync.cluster.wire import Download
from algosync.core.error import ClusterError, NotFound
from algosync.core.lean import dataclass

__all__ = ["SharedListings"]

Collection = tuple[str, str]  # owner, collection
Name = tuple[str, str, str]  # owner, collection, file
Files = Mapping[str, FileStat]

_REST = 10  # times as long as the last listing took, before the collection is listed again only for the clock


@dataclass(frozen=True, slots=True)
class _CountedListing:
    """`writes`: how many writes to the collection had ended when the listing began.

    `arrived` by the local clock, after it `took` seconds.
    """

    files: Files
    writes: int
    arrived: float
    took: float


@dataclass(frozen=True, slots=True)
class _Written:
    """A write has ended: the number of writes to its collection by then, when it began by the local clock, and the file's mark
    in the last listing before that.
    """

    number: int
    began: float
    before: str | None


class SharedListings:
    """A WritableStore that counts the writes to each collection, and shares listings that began after them.

    It also tells when the stamps of written files have settled (`StampClock`). Safe to use from several threads. `clock` gives
    seconds and never goes back.
    """

    def __init__(self, store: WritableStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._stamps = StampClock(clock)
        self._date: str | None = None  # of the reply to the last write
        self._guard = threading.Lock()
        self._writes: Counter[Collection] = Counter()
        self._written: dict[Name, _Written] = {}
        self._unshown: dict[Collection, dict[str, _Written]] = {}  # the writes that no listing has shown yet
        self._shown: dict[Name, tuple[str | None, float]] = {}  # the first mark after the last write, and when it arrived
        self._last: dict[Collection, Files] = {}
        self._listings: dict[Collection, _CountedListing] = {}
        self._deleted: dict[Collection, set[str]] = {}
        self._locks: OncePerKey[Collection, threading.Lock] = OncePerKey()

    @property
    def etags(self) -> Md5Etags:
        return self._store.etags

    def shows_write(self, name: Name, stat: FileStat) -> bool:
        """Whether the file is not listed as it was before its last write. If it is, the listing may be an old one."""
        with self._guard:
            written = self._written.get(name)
        return written is None or written.before is None or written.before != stat.mark

    def seconds_to_settle(self, name: Name, stat: FileStat) -> float | None:
        """How long it takes until no other write can get the file's stamp. None: that will not be known.

        Bytes that are read after that are those of the stamp.
        """
        if stat.written is None:
            return None
        with self._guard:
            mark, arrived = self._shown.get(name, (None, 0.0))
        return self._stamps.seconds_left(stat.written.timestamp(), arrived if mark == stat.mark else self._clock())

    def files_after_write(self, name: Name, outdated: Files | None, pause: Callable[[], None]) -> Files:
        """A listing of the collection that began after the file's last write ended. Empty if the collection does not exist.

        A file without a known write needs one that began after all of them. `outdated`: the last listing that the caller got, if it
        needs a later one. Of several such callers one pauses and lists, and the others wait for that listing.
        """
        key = name[:2]
        with self._guard:
            written = self._written.get(name)
            writes = self._writes[key] if written is None else written.number
        if (found := self._usable(key, writes, outdated)) is not None:
            return found
        with self._locks.get(key, threading.Lock):
            if (found := self._usable(key, writes, outdated)) is not None:
                return found
            if outdated is not None:
                pause()
            return self._list(key)

    def _usable(self, key: Collection, writes: int, outdated: Files | None) -> Files | None:
        listing = self._listings.get(key)
        usable = listing is not None and listing.writes >= writes and listing.files is not outdated
        return listing.files if listing is not None and usable else None

    def _list(self, key: Collection) -> Files:
        with self._guard:
            writes = self._writes[key]
            unshown = self._unshown.get(key, {}).copy()
        began = self._clock()
        try:
            files = self.files(*key)
        except NotFound:
            files = {}
        arrived = self._clock()
        shown = [name for name, write in unshown.items() if self._note((*key, name), write, files.get(name), arrived)]
        with self._guard:
            for name in shown:
                if self._unshown[key][name] is unshown[name]:  # it was not written again meanwhile
                    del self._unshown[key][name]
        self._listings[key] = _CountedListing(files, writes, arrived, arrived - began)
        return files

    def _note(self, name: Name, write: _Written, stat: FileStat | None, arrived: float) -> bool:
        """Whether a listing shows a write. If so, its time becomes known to the clock."""
        if stat is None or stat.mark is None or stat.mark == write.before:
            return False
        if stat.written is not None:
            self._stamps.wrote(stat.written.timestamp(), write.began)
        self._shown[name] = stat.mark, arrived
        return True

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        target = owner, collection, name
        with self.writing(target):
            stored = self._store.put(*target, blocks, length)
        if stored.date != self._date:
            self._date = stored.date
            self._read_clock(target)
        return stored

    @contextmanager
    def writing(self, name: Name) -> Iterator[None]:
        """A write to the file, which ends with the context. If it fails, it may have written, too."""
        key, began = name[:2], self._clock()
        before = self._last.get(key, {}).get(name[2])
        try:
            yield
        finally:
            with self._guard:
                self._writes[key] += 1
                written = _Written(self._writes[key], began, before.mark if before else None)
                self._written[name] = written
                self._unshown.setdefault(key, {})[name[2]] = written

    def _read_clock(self, name: Name) -> None:
        """Lists the collection when a new second seems to have begun, because a new time tells the stamp clock best.

        Only after as many writes as the last listing shows files, so that a thousand files are not listed for each second.
        """
        listing = self._listings.get(name[:2])
        if listing is None or (
            self._writes[name[:2]] - listing.writes >= len(listing.files)
            and self._clock() - listing.arrived >= _REST * listing.took
        ):
            with suppress(ClusterError):  # who needs the listing asks again
                self.files_after_write(name, None, lambda: None)

    def files(self, owner: str, collection: str) -> Files:
        return self._seen((owner, collection), self._store.files(owner, collection))

    def listing(self, owner: str, collection: str) -> CollectionListing:
        found = self._store.listing(owner, collection)
        self._seen((owner, collection), found.files)
        return found

    def _seen(self, key: Collection, files: Files) -> Files:
        """Remembers a listing that has just arrived."""
        newest = max((stat.written for stat in files.values() if stat.written is not None), default=None)
        if newest is not None:
            self._stamps.listed(newest.timestamp())
        self._last[key] = files
        return files

    def open(self, owner: str, collection: str, name: str) -> AbstractContextManager[Download]:
        return self._store.open(owner, collection, name)

    def key_owner(self) -> str | None:
        return self._store.key_owner()

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
