"""The archives and data files of a source cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property

from algosync.cluster.data import DataStore, FileStat, split
from algosync.cluster.once import OncePerKey
from algosync.cluster.transfer import File, Name
from algosync.cluster.transfers import LocalTransfers, Transfers
from algosync.core.error import NotFound, SourceError
from algosync.core.text import clauses, printable
from algosync.net import Retry

__all__ = ["SourceStore"]

_GUESSES = 10  # missing files for which the nearest path is looked up: each is compared with a whole collection


class SourceStore:
    """The files of one source cluster. Each collection is listed once, and each file is read for its checksums once.

    `name` identifies the cluster in messages. `store` is None if the workflow has no source cluster. `identity` asks a local
    cluster for the name that it keeps at every address. None: it has no such name. `transfers`: where files are read; None: here.
    """

    def __init__(
        self,
        store: DataStore | None,
        name: str,
        retry: Retry,
        identity: Callable[[], str | None] = lambda: None,
        transfers: Transfers | None = None,
    ) -> None:
        self.name = name
        self.retry = retry
        self._ask_identity = identity
        self._run = os.urandom(16).hex()
        self._store = store
        self._transfers = transfers or LocalTransfers()
        self._listings: OncePerKey[str, Mapping[str, FileStat]] = OncePerKey()  # by the URI of a collection
        self._checksums: OncePerKey[str, tuple[str, str]] = OncePerKey()
        self._owner: OncePerKey[None, str | None] = OncePerKey()
        self._identity: OncePerKey[None, str | None] = OncePerKey()

    @property
    def is_read(self) -> bool:
        """Whether the command reads from a source."""
        return self._store is not None

    def store(self) -> DataStore:
        """SourceError: the workflow has no source cluster."""
        if self._store is None:
            raise SourceError(
                "`data://` paths need a source cluster",
                hint="name it in the workflow's source_info.cluster_address, or in SOURCE_API_ADDRESS",
            )
        return self._store

    def key_owner(self) -> str | None:
        """The owner that `.my` stands for. None: there is no source cluster, or it has no single owner."""
        store = self._store
        return None if store is None else self._owner.get(None, store.key_owner)

    def identity(self) -> str | None:
        """The name of a local cluster, equal at every address. None: there is no source cluster, or it has no such name."""
        return None if self._store is None else self._identity.get(None, self._ask_identity)

    def stat(self, uri: str) -> FileStat:
        """Size and stamp of a file. NotFound: it does not exist.

        The stamp contains the URI and the cluster, because two files may have the same size and time.
        """
        stat = self.listed(uri)
        return stat if stat.stamp is None else FileStat(stat.size, f"{self._cluster} {uri} {stat.stamp}", stat.modified)

    @cached_property
    def _cluster(self) -> str:
        """Equal at every address of the cluster."""
        identity = self.identity()
        return self.name if identity is None else f"local-{identity}"

    def content_key(self, name: Name, *, trusts_stamps: bool = True) -> str:
        """What stands for the content of a file: the cluster, the owner of the key, the path and the stamp. NotFound: it does not
        exist.

        A file without a stamp, or with one that is not trusted, may be another one in the next run: its key is of this run only.
        """
        owner = self.key_owner()
        place = (owner or name[0], *name[1:]) if name[0] == ".my" else name
        stamp = self.listed("data://" + "/".join(name)).stamp if trusts_stamps else None
        return "\n".join((self._cluster, owner or "", *place, stamp or f"run {self._run}"))

    def listed(self, uri: str) -> FileStat:
        """Size and stamp of a file as its collection lists them. NotFound: it does not exist."""
        place, _, name = uri.rpartition("/")
        try:
            return self._listings.get(place, lambda: self._list(*split(uri)[:2]))[name]
        except (NotFound, KeyError):
            raise NotFound(f"the source has no {printable(uri)}") from None

    def _list(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        return self.store().files(owner, collection)

    def hint_for(self, missing: Sequence[str], used: Iterable[str] = ()) -> str:
        """Where files that do not exist may be: the nearest paths, the source, and the owner that `.my` stands for there.

        `used`: other URIs of the workflow. A missing collection may be a misspelt one of theirs.
        """
        used = tuple(used)
        near = dict.fromkeys(printable(uri) for each in missing[:_GUESSES] if (uri := self._nearest(each, used)))
        guess = f"did you mean {', '.join(near)}?" if near else None
        layout = None if guess else self._layout(missing)
        return clauses(guess, f"the source is {printable(self.name, 200)}{self._owner_there(missing)}", layout)

    def _layout(self, missing: Sequence[str]) -> str | None:
        """The path of the first missing file, if the source is a folder: the folder may be laid out in another way."""
        if not self.name.startswith("file://") or not missing:
            return None
        owner, collection, name = split(missing[0])
        owner = (self.key_owner() or owner) if owner == ".my" else owner
        return f"it has no file {printable(f'{owner}/{collection}/{name}', 200)}, which is OWNER/COLLECTION/FILE"

    def _owner_there(self, missing: Iterable[str]) -> str:
        owner = self.key_owner() if any(uri.startswith("data://.my/") for uri in missing) else None
        if owner is None:
            return ""
        named = f", where `.my` is {printable(owner, 80)}"
        uses_variable = self.name.startswith(("http://", "https://"))  # folders and local clusters do not use the variable
        return f"{named}, the owner of SOURCE_API_KEY" if uses_variable else named

    def _nearest(self, uri: str, used: Iterable[str]) -> str | None:
        """The URI of the existing file that is most like this one: in its collection, or in a used one of a similar name."""
        owner, collection, name = split(uri)
        names = self._names(owner, collection)
        if names is None:
            collections = {other[1] for other in map(split, used) if other[0] == owner and other[1] != collection}
            similar = get_close_matches(collection, collections, 1)
            collection = similar[0] if similar else collection
            names = self._names(owner, collection)
        near = get_close_matches(name, names or (), 1)
        return f"data://{owner}/{collection}/{near[0]}" if near else None

    def _names(self, owner: str, collection: str) -> Collection[str] | None:
        """The files of a collection. None: the collection does not exist."""
        try:
            return self._listings.get(f"data://{owner}/{collection}", lambda: self._list(owner, collection)).keys()
        except NotFound:
            return None

    def file(self, uri: str) -> File:
        """The file with the size that its listing gives. NotFound: it does not exist."""
        return File(self.store(), split(uri), self.stat(uri).size)

    def checksums(self, uri: str) -> tuple[str, str]:
        """SHA-256 and MD5 (hex) of a file, which is read for them. NotFound: it does not exist."""
        return self._checksums.get(uri, lambda: self._transfers.fingerprint(self.file(uri), self.retry))
