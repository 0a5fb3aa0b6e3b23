"""A directory with the layout of the Data API: OWNER/COLLECTION/FILE. `.my` is the owner if there is exactly one."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from algosync.cluster.data import FileStat
from algosync.cluster.data_links import link_boundary, link_target
from algosync.cluster.wire import Download
from algosync.core.error import NotFound, SourceError, TransferError
from algosync.core.text import printable
from algosync.net.host import BLOCK

__all__ = ["Directory"]

_MAX_NAME = 255  # bytes of a name that file systems accept
_SETTLED = 2.0  # seconds: the time resolution of some file systems


class _Listing(dict[str, FileStat]):
    """The files of a collection. `[name]` raises SourceError for a link that is refused; the listing does not contain it."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[str, SourceError] = {}

    def __missing__(self, name: str) -> FileStat:
        if name in self.refused:
            raise self.refused[name]
        raise KeyError(name)


class Directory:
    """A DataStore over a directory.

    Files may be links if they lead to a file in the directory, or in the git working tree around it. Folders may not be links.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise SourceError(f"the source directory {printable(str(root))} does not exist")
        self._root = root
        self._boundary = link_boundary(root)
        self._my = ""  # the owner that `.my` is, once it is known

    def key_owner(self) -> str | None:
        owners = self._owners()
        return owners[0] if len(owners) == 1 else None

    def files(self, owner: str, collection: str) -> Mapping[str, FileStat]:
        folder = self._folder(owner, collection)
        try:
            with os.scandir(folder) as entries:
                return self._listing(entries)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{printable(folder)} does not exist") from None
        except OSError as error:
            raise SourceError(f"cannot list {printable(folder)}: {error.strerror}") from None

    def _listing(self, entries: Iterable[os.DirEntry[str]]) -> _Listing:
        found = _Listing()
        for entry in entries:
            if entry.is_symlink():
                try:
                    target = os.stat(link_target(Path(entry.path), self._boundary), follow_symlinks=False)
                except SourceError as error:
                    found.refused[entry.name] = error
                    continue
                found[entry.name] = FileStat(target.st_size, _stamp(target, entry.stat(follow_symlinks=False)))
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[entry.name] = FileStat(status.st_size, _stamp(status))
        return found

    @contextmanager
    def open(self, owner: str, collection: str, name: str) -> Iterator[Download]:
        path = Path(self._folder(owner, collection), _checked_name(name))
        if path.is_symlink():
            path = link_target(path, self._boundary)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(f"{printable(str(path))} does not exist") from None
        except OSError as error:
            raise SourceError(f"cannot read {printable(str(path))}: {error.strerror}") from None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise SourceError(f"{printable(str(path))} is not a plain file")
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            yield Download(status.st_size, _blocks(file, path))

    def _folder(self, owner: str, collection: str) -> str:
        account = os.path.join(self._root, self._owner(owner))
        folder = os.path.join(account, _checked_name(collection))
        for path in (account, folder):
            if os.path.islink(path):
                raise SourceError(f"{printable(path)} is a link, and links are not followed")
        return folder

    def _owner(self, owner: str) -> str:
        if owner != ".my":
            return _checked_name(owner)
        self._my = self._my or self._only_owner()
        return self._my

    def _only_owner(self) -> str:
        owners = self._owners()
        if len(owners) != 1:
            named = f"{len(owners)}: {printable(', '.join(owners), 100)}" if owners else "none"
            raise SourceError(
                f"`.my` needs exactly one folder OWNER in {printable(str(self._root))}, which has {named}",
                hint="a source that is a folder is laid out as OWNER/COLLECTION/FILE; "
                + ("name the owner instead of `.my`" if owners else "create the folder of an owner"),
            )
        return owners[0]

    def _owners(self) -> list[str]:
        try:
            return sorted(entry.name for entry in self._root.iterdir() if entry.is_dir() and not entry.is_symlink())
        except OSError as error:
            raise SourceError(f"cannot list {printable(str(self._root))}: {error.strerror}") from None


def _checked_name(name: str) -> str:
    if name in (".", "..", "") or "/" in name or "\0" in name or not _fits(name):
        raise SourceError(f"'{printable(name, 200)}' cannot be the name of a file")
    return name


def _fits(name: str) -> bool:
    try:
        return len(os.fsencode(name)) <= _MAX_NAME
    except UnicodeEncodeError:
        return False


def _stamp(status: os.stat_result, link: os.stat_result | None = None) -> str | None:
    """Return a stamp. The change time reveals a write even if the modification time was set back.

    `link`: of the link that leads to the file. It may come to lead to another file.
    """
    changed = max(status.st_ctime, link.st_ctime) if link else status.st_ctime
    if time.time() - changed < _SETTLED:
        return None
    stamp = f"{status.st_size}@{status.st_mtime_ns}@{status.st_ctime_ns}"
    return f"{stamp}@{link.st_ctime_ns}" if link else stamp


def _blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    try:
        while block := file.read(BLOCK):
            yield block
    except OSError as error:
        raise TransferError(f"cannot read {printable(str(path))}: {error.strerror}") from None
