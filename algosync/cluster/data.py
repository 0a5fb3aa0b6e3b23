"""The Data API of a cluster, as one store of files: owner / collection / file, flat (platform.md §2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Protocol

from algosync.cluster.wire import Download, Reply, Wire, idempotent, path_of
from algosync.core.error import Conflict, NotFound, Unexpected
from algosync.core.names import OWNER_NAME
from algosync.core.text import printable

__all__ = ["DataApi", "DataStore", "FileStat", "WritableStore", "split"]

DEFAULT_ACL = ("algo://.my/*",)  # the owner's algorithms may read, whoever calls them
_SETTLED = timedelta(seconds=2)  # `last_modified` has whole seconds: a younger stamp may hide a second write
_MAX_PAGES = 10_000
_LISTING = frozenset(("files", "folders", "marker", "acl"))  # the members that a listing may have (platform.md §2.3)
_MAX_ENTRIES = 500_000
_MARKER_LIMIT = 4096  # characters: it becomes part of a URL
_TIME_LIMIT = 64  # characters of a time, which becomes part of a stamp and is recorded


@dataclass(frozen=True, slots=True)
class FileStat:
    """`size` in bytes; `stamp` is None while the file is so young that an equal-sized write in its second could hide."""

    size: int
    stamp: str | None


class DataStore(Protocol):
    """Where data files and source archives come from: a cluster, or a directory laid out as one."""

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        """The files of a collection by name. NotFound: there is no such collection."""

    def open(self, owner: str, collection: str, name: str) -> AbstractContextManager[Download]:
        """One file's bytes. NotFound: there is none."""

    def key_owner(self) -> str | None:
        """Whom `.my` means. None: nobody."""


class WritableStore(DataStore, Protocol):
    """A store that files can be written to: the data of a destination cluster."""

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> None:
        """Creates or overwrites a file. NotFound: the collection does not exist."""

    def create_collection(self, owner: str, collection: str) -> None:
        """Creates a collection. It may exist already."""


def split(uri: str) -> tuple[str, str, str]:
    """`data://OWNER/COLLECTION/FILE` as its three names. ValueError: it has another shape."""
    scheme, separator, rest = uri.partition("://")
    parts = tuple(rest.split("/"))
    if scheme != "data" or not separator or len(parts) != 3 or not all(parts):
        raise ValueError(f"not a data file: {uri!r}")
    return parts[0], parts[1], parts[2]


class DataApi:
    """The Data API over one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def owners(self) -> tuple[str, ...]:
        """The owner of the key first, then the organizations it reaches (platform.md §1.4)."""
        given = [entry.get("name") for entry, _ in self._entries("/v1/data/", "folders")]
        names = [name if isinstance(name, str) else "" for name in given]
        # They become part of paths, of git's URL and of its user name. An organization that no workflow could name is left out.
        if not names or not OWNER_NAME.fullmatch(names[0]):
            raise Unexpected("GET /v1/data/: the answer does not name the key's owner")
        return tuple(filter(OWNER_NAME.fullmatch, names))

    def key_owner(self) -> str:
        return self.owners()[0]

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        listed = self._entries(path_of("v1", "data", owner, collection), "files")
        return dict(_stat(entry, reply.date) for entry, reply in listed)

    def open(self, owner: str, collection: str, name: str) -> AbstractContextManager[Download]:
        return self.wire.download(path_of("v1", "data", owner, collection, name))

    def put(self, owner: str, collection: str, name: str, blocks: Iterable[bytes], length: int) -> None:
        """Creates or overwrites; the collection has to exist."""
        self.wire.upload(path_of("v1", "data", owner, collection, name), blocks, length)

    def create_collection(self, owner: str, collection: str) -> None:
        """Readable by the owner's algorithms. It exists afterwards, or this raises: what a duplicate answers is not documented."""
        body = {"name": collection, "acl": {"read": list(DEFAULT_ACL)}}

        def look() -> bool | None:
            try:
                self.files(owner, collection)
            except NotFound:
                return None
            return True

        def create() -> bool:
            self.wire.json("POST", path_of("v1", "data", owner), body=body)
            return True

        try:
            self.wire.retry.settle(create, look)
        except Conflict:
            if not look():
                raise

    def _entries(self, path: str, member: str) -> Iterator[tuple[Mapping[str, object], Reply]]:
        """All entries of a listing with the reply each came in. Unexpected: the listing does not end."""
        marker, seen, count = "", set[str](), 0
        while len(seen) < _MAX_PAGES:
            page, following, reply = self._page(path, member, marker)
            count += len(page)
            if count > _MAX_ENTRIES:
                raise Unexpected(f"GET {path}: the listing has more than {_MAX_ENTRIES} entries")
            yield from ((entry, reply) for entry in page)
            if not following:
                return
            if following in seen:
                break
            marker = following
            seen.add(marker)
        raise Unexpected(f"GET {path}: the listing does not end")

    @idempotent
    def _page(self, path: str, member: str, marker: str) -> tuple[list[Mapping[str, object]], str, Reply]:
        """The entries of one page, and the marker of the next; empty at the end."""
        reply = self.wire.json("GET", path, query={"marker": marker} if marker else None)
        page = reply.body.get(member) or [] if isinstance(reply.body, dict) else None
        if not isinstance(reply.body, dict) or not isinstance(page, list) or not all(isinstance(entry, dict) for entry in page):
            raise Unexpected(f"GET {path}: the answer is not a listing")
        if reply.body and _LISTING.isdisjoint(reply.body):  # a member that is empty is left out, but something else is no listing
            raise Unexpected(f"GET {path}: the answer is not a listing")
        following = reply.body.get("marker")
        if following is None:
            following = ""
        if not isinstance(following, str) or len(following) > _MARKER_LIMIT or not _is_text(following):
            raise Unexpected(f"GET {path}: the listing's marker cannot be sent back")
        return page, following, reply


def _stat(entry: Mapping[str, object], date: str | None) -> tuple[str, FileStat]:
    name, size, modified = entry.get("filename"), entry.get("size"), entry.get("last_modified")
    if not isinstance(name, str) or type(size) is not int or not isinstance(modified, str):
        raise Unexpected("a listing names a file without a name, size or last_modified")
    if not 0 <= size < 1 << 63 or len(modified) > _TIME_LIMIT or not _is_text(modified):
        raise Unexpected(f"a listing gives {printable(name, 100)} a size or time that no file has")
    settled = _is_settled(modified, date)
    return name, FileStat(size, f"{size}@{modified}" if settled else None)


def _is_text(text: str) -> bool:
    """JSON can hold half characters, which nothing else can."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_settled(modified: str, date: str | None) -> bool:
    """Against the server's own clock; without one, or with a time that makes no sense, nothing is settled."""
    try:
        written = datetime.fromisoformat(modified.replace("Z", "+00:00"))
        now = parsedate_to_datetime(date or "")
        if written.tzinfo is None or now.tzinfo is None:  # this machine's zone has nothing to do with it
            return False
        return now.astimezone(timezone.utc) - written.astimezone(timezone.utc) >= _SETTLED
    except (ValueError, TypeError, OverflowError):
        return False
