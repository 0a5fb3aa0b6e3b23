"""Saved files: the files of a `file://` source, as a saved plan lists them.

A saved plan may come from somebody else. So it names no paths of these files: a file that is not in the plan is opened as the
source's folder has it, with the rules of `Directory`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from algosync.cluster.data import FileStat, split
from algosync.cluster.wire import Download
from algosync.core.error import NotFound
from algosync.core.planning.plan_inputs import LocalFile
from algosync.core.text import printable
from algosync.net.host import BLOCK

__all__ = ["OpenFile", "SavedFiles"]

OpenFile: TypeAlias = Callable[[str, str, str], AbstractContextManager[Download]]
"""Opens a file of an owner's collection, as of `DataStore.open`."""


class SavedFiles:
    """A DataStore over the listing of a saved plan. `contents`: of its files, by SHA-256. `local` opens the others."""

    def __init__(self, files: Iterable[LocalFile], contents: Mapping[str, bytes], owner: str | None, local: OpenFile) -> None:
        self._owner, self._contents, self._local = owner, contents, local
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
        with self._local((self._owner or owner) if owner == ".my" else owner, collection, name) as download:
            yield download
