"""A store of data files in memory. It passes `contracts/test_data_stores.py`, as the real stores do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import count

from algosync.cluster.data import DEFAULT_READERS, CollectionListing, FileStat, Stored
from algosync.cluster.md5_etags import Md5Etags
from algosync.cluster.wire import Download
from algosync.core.error import AlgosyncError, NotFound, Unexpected

__all__ = ["FakeStore"]

_BLOCK = 4  # bytes, so that small files have several blocks


class FakeStore:
    """Files by owner, collection and name. Each write gives a new stamp.

    `owner`: what `.my` stands for. `young`: the number of listings in which a written file has no stamp yet. `written`: the time of
    every file. `stale`: how many listings are from before the last write. `opened` lists the files that were read, `listed` the
    collections. `failures`: an error to raise instead of an operation, by `OPERATION COLLECTION`, as in `files models`. `readers`
    has the ACLs of collections; `tells_readers` is False for a key that is not told them. `given` lists the ACLs that were set, as
    collection and patterns.
    """

    def __init__(self, owner: str | None = "quality") -> None:
        self.owner = owner
        self.etags = Md5Etags()
        self.young = 0
        self.written: datetime | None = datetime(2026, 11, 30, tzinfo=timezone.utc)
        self.stale = 0
        self.modified = ""
        self.opened: list[str] = []
        self.listed: list[str] = []
        self.failures: dict[str, AlgosyncError] = {}
        self.readers: dict[tuple[str, str], tuple[str, ...]] = {}
        self.tells_readers = True
        self.given: list[tuple[str, tuple[str, ...]]] = []
        self._collections: dict[tuple[str, str], dict[str, bytes]] = {}
        self._stamps: dict[tuple[str, str, str], str] = {}
        self._young: dict[tuple[str, str, str], int] = {}
        self._before: dict[tuple[str, str], tuple[str, FileStat | None]] = {}
        self._numbers = count(1)

    def key_owner(self) -> str | None:
        return self.owner

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        self._fail("files", collection)
        owner = self._named(owner)
        self.listed.append(f"{owner}/{collection}")
        found = self._collection(owner, collection)
        marks = {name: self._stamps[owner, collection, name] for name in list(found)}
        listed: dict[str, FileStat | None] = {
            name: FileStat(len(found[name]), self._stamp(owner, collection, name), self.modified, mark, self.written)
            for name, mark in marks.items()
        }
        if self.stale > 0:
            self.stale -= 1
            listed |= [self._before[owner, collection]]
        return {name: stat for name, stat in listed.items() if stat is not None}

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        self._fail("open", collection)
        owner = self._named(owner)
        found = self._collection(owner, collection)
        if name not in found:
            raise NotFound(f"{owner}/{collection}/{name} does not exist")
        self.opened.append(name)
        data = found[name]
        yield Download(len(data), (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)))

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        self._fail("put", collection)
        owner = self._named(owner)
        found = self._collection(owner, collection)
        data = b"".join(blocks)
        if len(data) != length:
            raise Unexpected("the body is shorter than its length")
        mark = self._stamps.get((owner, collection, name))
        self._before[owner, collection] = name, FileStat(len(found[name]), mark, mark=mark) if name in found else None
        self.write(owner, collection, name, data)
        assert found[name] == data
        return Stored()

    def listing(self, owner: str, collection: str) -> CollectionListing:
        files = self.files(owner, collection)
        readers = self.readers.get((self._named(owner), collection), DEFAULT_READERS)
        return CollectionListing(files, readers if self.tells_readers else None)

    def create_collection(self, owner: str, collection: str, readers: Sequence[str] = DEFAULT_READERS) -> None:
        self._fail("create_collection", collection)
        self._collections.setdefault((self._named(owner), collection), {})
        self.readers[self._named(owner), collection] = tuple(readers)

    def set_readers(self, owner: str, collection: str, readers: Sequence[str]) -> None:
        self._fail("set_readers", collection)
        self._collection(self._named(owner), collection)
        self.readers[self._named(owner), collection] = tuple(readers)
        self.given.append((collection, tuple(readers)))

    def delete(self, owner: str, collection: str, name: str) -> None:
        self._fail("delete", collection)
        found = self._collection(self._named(owner), collection)
        if name not in found:
            raise NotFound(f"{owner}/{collection}/{name} does not exist")
        del found[name]

    def delete_collection(self, owner: str, collection: str) -> None:
        self._fail("delete_collection", collection)
        if self._collection(self._named(owner), collection):
            raise Unexpected("the collection is not empty")
        self.remove(self._named(owner), collection)

    def write(self, owner: str, collection: str, name: str, data: bytes) -> str:
        """Puts a file into a collection, which is created if it is missing. Returns the URI with `.my`."""
        self._collections.setdefault((owner, collection), {})[name] = data
        self._stamps[owner, collection, name] = f"{len(data)}@{next(self._numbers)}"
        self._young[owner, collection, name] = self.young
        return f"data://.my/{collection}/{name}"

    def set_stamp(self, owner: str, collection: str, name: str, stamp: str) -> None:
        """Replaces the stamp of a file that is there."""
        self._stamps[owner, collection, name] = stamp

    def hide_stamp(self, owner: str, collection: str, name: str, listings: int) -> None:
        """A file has no stamp in the next listings, as if it was young."""
        self._young[owner, collection, name] = listings

    def remove(self, owner: str, collection: str) -> None:
        """Removes a collection with its files."""
        del self._collections[owner, collection]
        self.readers.pop((owner, collection), None)

    def digest(self, owner: str, collection: str, name: str) -> str:
        return hashlib.sha256(self._collections[owner, collection][name]).hexdigest()

    def _collection(self, owner: str, collection: str) -> dict[str, bytes]:
        try:
            return self._collections[owner, collection]
        except KeyError:
            raise NotFound(f"{owner}/{collection} does not exist") from None

    def _stamp(self, owner: str, collection: str, name: str) -> str | None:
        self._young[owner, collection, name] -= 1
        return self._stamps[owner, collection, name] if self._young[owner, collection, name] < 0 else None

    def _named(self, owner: str) -> str:
        return (self.owner or "") if owner == ".my" else owner

    def _fail(self, operation: str, collection: str) -> None:
        if error := self.failures.get(f"{operation} {collection}"):
            raise error
