"""Caching transfers: a file of the source is read once, and from then on from a cache of its content."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from algosync.cluster.blob_cache import BlobCache, BlobWriter
from algosync.cluster.data import DataStore, FileStat, WritableStore
from algosync.cluster.once import OncePerKey
from algosync.cluster.transfer import Advance, File, Name
from algosync.cluster.transfers import Transfers
from algosync.cluster.wire import Download
from algosync.core.error import NotFound, SourceError, TransferError
from algosync.core.lean import dataclass
from algosync.net import Retry

__all__ = ["CachedSource", "CachingTransfers"]

T = TypeVar("T", tuple[str, int], tuple[str, str])


@dataclass(frozen=True, slots=True)
class CachedSource:
    """Which files are cached. `keeps`: whether a file of the store is. `key_of`: what stands for its content in the index."""

    store: DataStore
    keeps: Callable[[Name], bool]
    key_of: Callable[[Name], str]


class CachingTransfers:
    """`Transfers` over others. A file of the source that is cached is not read there again; all others are.

    Two transfers of one file do not run at the same time, so that the second one finds what the first one has read. Whatever is
    wrong with the cache, the file is read at the source.
    """

    def __init__(self, transfers: Transfers, source: CachedSource, cache: BlobCache) -> None:
        self._transfers = transfers
        self._source = source
        self._cache = cache
        self._locks: OncePerKey[str, threading.Lock] = OncePerKey()

    def relay(self, file: File, destination: WritableStore, target: Name, advance: Advance, retry: Retry) -> tuple[str, int]:
        return self._once(file, lambda found: self._transfers.relay(found, destination, target, advance, retry))

    def digest(self, file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
        return self._once(file, lambda found: self._transfers.digest(found, advance, retry))

    def fingerprint(self, file: File, retry: Retry) -> tuple[str, str]:
        return self._once(file, lambda found: self._transfers.fingerprint(found, retry))

    def _once(self, file: File, read: Callable[[File], T]) -> T:
        """`read` returns the digest first."""
        if file.store is not self._source.store or file.size is None or not self._source.keeps(file.name):
            return read(file)
        key, size = self._source.key_of(file.name), file.size
        found = self._cached(key, file)
        if found is None:
            with self._reading(key):
                found = self._cached(key, file)
                if found is None:
                    return self._kept(key, file, size, read)
        if (result := self._of_cache(found, read)) is not None:
            return result
        with self._reading(key):
            return self._kept(key, file, size, read)

    def _reading(self, key: str) -> threading.Lock:
        return self._locks.get(key, threading.Lock)

    def _cached(self, key: str, file: File) -> File | None:
        found = self._cache.find(key, file.digest)
        return found if found is not None and found.size == file.size else None

    def _of_cache(self, found: File, read: Callable[[File], T]) -> T | None:
        """None: what the cache has is damaged, or has just vanished."""
        try:
            result = read(found)
            if result[0] == found.digest:
                return result
        except (NotFound, SourceError, TransferError):  # if the destination is to blame, reading the source tells it
            pass
        self._cache.drop(found.digest or "")
        return None

    def _kept(self, key: str, file: File, size: int, read: Callable[[File], T]) -> T:
        with self._cache.writer(size) as writer:
            if writer is None:
                return read(file)
            found = read(replace(file, store=_CopiedStore(file.store, writer)))
            writer.commit(key, found[0])
            return found


class _CopiedStore:
    """A DataStore for one file, whose bytes are also written to the cache."""

    def __init__(self, store: DataStore, writer: BlobWriter) -> None:
        self._store = store
        self._writer = writer

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        with self._store.open(owner, collection, name) as download:
            yield replace(download, blocks=self._writer.copied(download.blocks))

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        return self._store.files(owner, collection)

    def key_owner(self) -> str | None:
        return self._store.key_owner()
