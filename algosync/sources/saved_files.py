"""Saved files: the files of a `file://` source, as a saved plan lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from algosync.cluster.data import FileStat, split
from algosync.cluster.wire import Download
from algosync.core.error import NotFound, SourceError
from algosync.core.planning.plan_inputs import LocalFile
from algosync.core.text import printable
from algosync.net.host import BLOCK

__all__ = ["SavedFiles"]


class SavedFiles:
    """A DataStore over the listing of a saved plan. `contents`: of its files, by SHA-256; the others are in the folder `top`."""

    def __init__(self, files: Iterable[LocalFile], contents: Mapping[str, bytes], owner: str | None, top: Path) -> None:
        self._owner, self._contents, self._top = owner, contents, top
        self._files: dict[tuple[str, str], dict[str, LocalFile]] = defaultdict(dict)
        for file in files:
            named, collection, name = split(file.uri)
            self._files[named, collection][name] = file

    def key_owner(self) -> str | None:
        return self._owner

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        if (owner, collection) not in self._files:
            raise NotFound(f"the saved plan has no data://{printable(owner)}/{printable(collection)}")
        return {name: FileStat(file.size, file.stamp) for name, file in self._files[owner, collection].items()}

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        file = self._files.get((owner, collection), {}).get(name)
        if file is None:
            raise NotFound(f"the saved plan has no data://{printable(owner)}/{printable(collection)}/{printable(name)}")
        content = self._contents.get(file.sha256 or "")
        if content is not None:
            yield Download(len(content), (content[at : at + BLOCK] for at in range(0, len(content), BLOCK)))
            return
        path = self._top / file.path
        try:
            with path.open("rb", buffering=0) as opened:
                yield Download(path.stat().st_size, iter(lambda: opened.read(BLOCK), b""))
        except OSError as error:
            raise SourceError(f"{printable(file.path)} cannot be read: {error.strerror}") from None
