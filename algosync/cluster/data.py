"""Client for a cluster's Data API, used as a flat store of files: owner / collection / file (PLATFORM.md §2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import datetime, timedelta
from typing import Protocol

from algosync.cluster.md5_etags import Md5Etags
from algosync.cluster.wire import Download, JsonReply, Wire, idempotent, path_of
from algosync.core.address import OWNER_NAME
from algosync.core.error import Conflict, NotFound, Unexpected
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.core.timestamp import read_http_date, read_iso_time

__all__ = ["DEFAULT_READERS", "CollectionListing", "DataClient", "DataStore", "FileStat", "Stored", "WritableStore", "split"]

DEFAULT_READERS = ("algo://.my/*",)  # the owner's algorithms, whoever calls them
_APART = timedelta(seconds=3)  # how far the clock behind `Date` may be ahead of the one behind `last_modified`
_SETTLED = timedelta(seconds=1) + _APART  # `last_modified` has whole seconds: a younger stamp may hide a second write
_MD5 = r'"?([0-9a-f]{32})"?'
_MAX_PAGES = 10_000
_LISTING = frozenset(("files", "folders", "marker", "acl"))  # the members that a listing may have (PLATFORM.md §2.3)
_MAX_ENTRIES = 500_000
_MARKER_LIMIT = 4096  # characters: it becomes part of a URL
_TIME_LIMIT = 64  # characters of a time, which becomes part of a recorded stamp
_MAX_READERS = 100  # patterns of an ACL
_READER_LIMIT = 500  # characters of one pattern


@dataclass(frozen=True, slots=True)
class FileStat:
    """`size` in bytes. `stamp` is None for a young file: a write of the same size in the same second could not be noticed.

    `modified`: the time of the last write as it is listed; empty: the store does not tell. `written`: the same; None: it is not
    told, or of an unknown form. `mark`: the stamp at any age. Two files are compared without these three.

    A stamp that was recorded proves the recorded content at any age: it is recorded only when no later write can get it. So it is
    compared with the mark.
    """

    size: int
    stamp: str | None
    modified: str = field(default="", compare=False)
    mark: str | None = field(default=None, compare=False)
    written: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """The reply to a write.

    `etag_md5`: an ETag that has the form of an MD5 (hex). Whether it is one, is for the reader to find out. Empty: there is none.
    `date`: the server's time as it wrote it. None: it did not tell.
    """

    etag_md5: str = ""
    date: str | None = None


@dataclass(frozen=True, slots=True)
class CollectionListing:
    """The files of a collection by name, and its ACL: the patterns of those who can read it besides the owner (PLATFORM.md §2.4).

    `readers` is None if the store does not tell them.
    """

    files: Mapping[str, FileStat]
    readers: tuple[str, ...] | None


class DataStore(Protocol):
    """A source of data files and source archives: a cluster, or a directory with the same layout."""

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        """Return the files of a collection by name. Raises NotFound if the collection does not exist."""

    def open(self, owner: str, collection: str, name: str) -> AbstractContextManager[Download]:
        """Open a file for reading. Raises NotFound if it does not exist."""

    def key_owner(self) -> str | None:
        """Return the owner that `.my` refers to, or None."""


class WritableStore(DataStore, Protocol):
    """A store that files can be written to: the data of a destination cluster."""

    @property
    def etags(self) -> Md5Etags:
        """What is known of the ETags in its replies."""

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        """Creates or overwrites a file. NotFound: the collection does not exist."""

    def listing(self, owner: str, collection: str) -> CollectionListing:
        """Returns the files and the ACL of a collection. Raises NotFound if the collection does not exist."""

    def create_collection(self, owner: str, collection: str, readers: Sequence[str] = DEFAULT_READERS) -> None:
        """Creates a collection with this ACL. If it exists already, it keeps its files and gets the ACL."""

    def set_readers(self, owner: str, collection: str, readers: Sequence[str]) -> None:
        """Replaces the ACL of a collection. Raises NotFound if the collection does not exist."""

    def delete(self, owner: str, collection: str, name: str) -> None:
        """Deletes a file. Raises NotFound if it does not exist."""

    def delete_collection(self, owner: str, collection: str) -> None:
        """Deletes an empty collection. Raises NotFound if it does not exist, and another ClusterError if it has files."""


def split(uri: str) -> tuple[str, str, str]:
    """Split `data://OWNER/COLLECTION/FILE` into its three names. Raises ValueError for any other form."""
    scheme, separator, rest = uri.partition("://")
    parts = tuple(rest.split("/"))
    if scheme != "data" or not separator or len(parts) != 3 or not all(parts):
        raise ValueError(f"not a data file: {uri!r}")
    return parts[0], parts[1], parts[2]


class DataClient:
    """The Data API over one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.etags = Md5Etags()

    def owners(self) -> tuple[str, ...]:
        """Return the owner of the key, then the organizations that the key can access (PLATFORM.md §1.4)."""
        listed = [entry.get("name") for entry, _ in self._entries("/v1/data/", "folders")]
        names = [name if isinstance(name, str) else "" for name in listed]
        # The names become parts of paths, of git URLs and of git's user name. Skip organizations that no workflow could refer to.
        if not names or not OWNER_NAME.fullmatch(names[0]):
            raise Unexpected("GET /v1/data/: the reply does not name the key's owner")
        return tuple(filter(OWNER_NAME.fullmatch, names))

    def key_owner(self) -> str:
        return self.owners()[0]

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        files: dict[str, FileStat] = {}
        for page, reply in self._pages(path_of("v1", "data", owner, collection), "files", {}):
            files.update(_stats(page, reply.date))
        return files

    def listing(self, owner: str, collection: str) -> CollectionListing:
        """Only the owner is told the ACL, in the first page of the listing."""
        files: dict[str, FileStat] = {}
        readers = None
        pages = self._pages(path_of("v1", "data", owner, collection), "files", {"acl": "true"})
        for number, (page, reply) in enumerate(pages):
            readers = readers if number else _readers(reply.body)
            files.update(_stats(page, reply.date))
        return CollectionListing(files, readers)

    def open(self, owner: str, collection: str, name: str) -> AbstractContextManager[Download]:
        return self.wire.download(path_of("v1", "data", owner, collection, name))

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> Stored:
        """Create or overwrite a file. The collection must exist."""
        headers = self.wire.upload(path_of("v1", "data", owner, collection, name), blocks, length)
        etag = re.fullmatch(_MD5, headers.get("ETag", ""))
        return Stored(etag[1] if etag else "", headers.get("Date"))

    def create_collection(self, owner: str, collection: str, readers: Sequence[str] = DEFAULT_READERS) -> None:
        """Create a collection with this ACL. A collection that exists already gets the ACL.

        The platform's reply to a duplicate is not documented, so its existence is checked.
        """
        body = {"name": collection, "acl": {"read": list(readers)}}

        def look() -> bool | None:
            try:
                found = self.listing(owner, collection)
            except NotFound:
                return None
            if found.readers not in (None, tuple(readers)):
                self.set_readers(owner, collection, readers)
            return True

        def create() -> bool:
            self.wire.json("POST", path_of("v1", "data", owner), body=body)
            return True

        try:
            self.wire.retry.run_once(create, look)
        except Conflict:
            if not look():
                raise

    @idempotent
    def set_readers(self, owner: str, collection: str, readers: Sequence[str]) -> None:
        """Replace the ACL of a collection (PLATFORM.md §2.2)."""
        self.wire.json("PATCH", path_of("v1", "data", owner, collection), body={"acl": {"read": list(readers)}})

    @idempotent
    def delete(self, owner: str, collection: str, name: str) -> None:
        """Delete a file. After a lost reply the repeated request raises NotFound."""
        self._delete(path_of("v1", "data", owner, collection, name))

    @idempotent
    def delete_collection(self, owner: str, collection: str) -> None:
        """Delete an empty collection. `force`, which deletes the files too, is never sent (PLATFORM.md §2.2)."""
        self._delete(path_of("v1", "data", owner, collection))

    def _delete(self, path: str) -> None:
        """Raises Unexpected if the reply is not one of the Data API (PLATFORM.md §2.2): then perhaps nothing was deleted."""
        reply = self.wire.json("DELETE", path)
        if not isinstance(reply.body, dict) or not isinstance(reply.body.get("result"), dict):
            raise Unexpected(f"DELETE {path}: the reply does not tell a result", status=reply.status)

    def _entries(self, path: str, member: str) -> Iterator[tuple[Mapping[str, object], JsonReply]]:
        """Yield all entries of a listing, each with its reply. Raises Unexpected if the listing does not end."""
        for page, reply in self._pages(path, member, {}):
            yield from ((entry, reply) for entry in page)

    def _pages(
        self, path: str, member: str, query: Mapping[str, str]
    ) -> Iterator[tuple[Sequence[Mapping[str, object]], JsonReply]]:
        """Yield the pages of a listing, each with its reply. `query` is sent with the first request."""
        seen, count = set[str](), 0
        while len(seen) < _MAX_PAGES:
            page, marker, reply = self._page(path, member, query)
            count += len(page)
            if count > _MAX_ENTRIES:
                raise Unexpected(f"GET {path}: the listing has more than {_MAX_ENTRIES} entries")
            yield page, reply
            if not marker:
                return
            if marker in seen:
                break
            seen.add(marker)
            query = {"marker": marker}
        raise Unexpected(f"GET {path}: the listing does not end")

    @idempotent
    def _page(self, path: str, member: str, query: Mapping[str, str]) -> tuple[list[Mapping[str, object]], str, JsonReply]:
        """Return the entries of one page, the marker of the next page (empty at the end), and the reply."""
        reply = self.wire.json("GET", path, query=query)
        page = reply.body.get(member) or [] if isinstance(reply.body, dict) else None
        if not isinstance(reply.body, dict) or not isinstance(page, list) or not all(isinstance(entry, dict) for entry in page):
            raise Unexpected(f"GET {path}: the reply is not a listing")
        # Empty members are left out, but a reply without any known member is not a listing.
        if reply.body and _LISTING.isdisjoint(reply.body):
            raise Unexpected(f"GET {path}: the reply is not a listing")
        next_marker = reply.body.get("marker")
        if next_marker is None:
            next_marker = ""
        if not isinstance(next_marker, str) or len(next_marker) > _MARKER_LIMIT or not _is_text(next_marker):
            raise Unexpected(f"GET {path}: the listing's marker cannot be sent back")
        return page, next_marker, reply


def _stats(page: Sequence[Mapping[str, object]], date: str | None) -> Iterator[tuple[str, FileStat]]:
    """The files of one page, which the server sent at `date` by its own clock."""
    now = read_http_date(date or "")
    return (_stat(entry, now) for entry in page)


def _stat(entry: Mapping[str, object], now: datetime | None) -> tuple[str, FileStat]:
    """`now`: the server's time in whole seconds. None: it is not known, so no file has a stamp."""
    name, size, modified = entry.get("filename"), entry.get("size"), entry.get("last_modified")
    if not isinstance(name, str) or type(size) is not int or not isinstance(modified, str):
        raise Unexpected("a listing names a file without a name, size or last_modified")
    if not 0 <= size < 1 << 63 or len(modified) > _TIME_LIMIT or not _is_text(modified):
        raise Unexpected(f"a listing gives {printable(name, 100)} an invalid size or time")
    written, mark = read_iso_time(modified), f"{size}@{modified}"
    old = now is not None and written is not None and now - written >= _SETTLED
    return name, FileStat(size, mark if old else None, modified, mark, written)


def _readers(body: object) -> tuple[str, ...] | None:
    """The ACL in a listing. None: it has none, or one of an unknown form, which cannot be compared."""
    acl = body.get("acl") if isinstance(body, dict) else None
    read = acl.get("read") if isinstance(acl, dict) else None
    if not isinstance(read, list) or len(read) > _MAX_READERS:
        return None
    readers = tuple(pattern for pattern in read if isinstance(pattern, str) and len(pattern) <= _READER_LIMIT and _is_text(pattern))
    return readers if len(readers) == len(read) else None


def _is_text(text: str) -> bool:
    """Whether the text has no lone surrogates, which JSON can contain but UTF-8 cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
