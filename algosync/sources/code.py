"""The code of an algorithm: found where its spec says, and read as it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import AlgosyncError, SourceError
from algosync.core.text import printable
from algosync.core.tree import Tree
from algosync.core.workflow import AlgorithmSpec
from algosync.sources.archive import SourceFiles, read_archive, read_folder

if TYPE_CHECKING:
    from algosync.sources.store import SourceStore

__all__ = ["archive_uri", "has_nowhere", "local_code", "local_files", "read_code", "read_local_code", "source_uris"]

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # non-blocking: a path may become a FIFO while we read
_MOST = 4 << 20  # bytes in all; each file or folder counts as at least 1 KiB
_LEAST = 1 << 10


def archive_uri(spec: AlgorithmSpec) -> str | None:
    """The URI of the archive on the source cluster. None: the code is a local archive or folder."""
    return spec.code if spec.code is not None and spec.code.startswith("data://") else None


def source_uris(spec: AlgorithmSpec) -> Iterator[str]:
    """The URIs of everything that the algorithm takes from the source cluster: its archive, and its data files."""
    yield from filter(None, [archive_uri(spec)])
    yield from (file.source for file in spec.data_files)


def local_code(name: str, code: str | None, folder: Path) -> Path:
    """The path of an algorithm's local code. `code`: as in the workflow, relative to `folder`; None: `algorithms/NAME`."""
    return folder / (code or f"file://algorithms/{name}").removeprefix("file://")


def read_code(spec: AlgorithmSpec, folder: Path, store: SourceStore, within: Path | None = None) -> SourceFiles:
    """The files of an archive on the source cluster, or of a local archive or folder.

    Paths of local code are as of `local_code`. `within`: a folder that local code may not be outside of. SourceError: the code
    cannot be read.
    """
    uri = archive_uri(spec)
    if uri is not None:
        return _read_remote_archive(uri, store)
    path = local_code(spec.name, spec.code, folder)
    if within is not None:
        from algosync.cluster.data_links import require_inside

        require_inside(path, within)
    return read_local_code(path)


def local_files(spec: AlgorithmSpec, folder: Path) -> Tree:
    """The files of the algorithm's local code. Empty if its code is in an archive on a cluster, or cannot be read."""
    if archive_uri(spec) is None:
        with suppress(AlgosyncError):
            return read_local_code(local_code(spec.name, spec.code, folder)).files
    return {}


def read_local_code(path: Path) -> SourceFiles:
    """The files of a folder or of an archive. SourceError: it cannot be read."""
    if path.is_dir():
        return read_folder(path)
    try:
        with path.open("rb") as file:
            return read_archive(file)
    except OSError as error:
        raise SourceError(f"its code cannot be read: {printable(str(path))}: {error.strerror}") from None


def _read_remote_archive(uri: str, store: SourceStore) -> SourceFiles:
    from algosync.cluster.transfer import stream

    def read() -> SourceFiles:
        with stream(store.file(uri)) as file:
            return read_archive(file)

    return store.retry.run(read)


def has_nowhere(part: bytes, folder: str) -> bool:
    """Whether no file in the folder, or below it, has these bytes. Files that sources ignore count, too.

    It saves reading the folder by the rules of sources, which takes much longer.
    False if that is not known: there is a link or something that cannot be read, or there is too much to look at.
    """
    folders, left = [folder], _MOST
    try:
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    data = b"" if is_folder else _content(entry, left)
                    left -= max(len(data), _LEAST)
                    if left < 0 or part in data:
                        return False
                    folders += [entry.path] if is_folder else []
    except (OSError, ValueError):
        return False
    return True


def _content(entry: os.DirEntry[str], limit: int) -> bytes:
    """The bytes of a file, or one more than `limit` of a larger one.

    Raises OSError if it is not a regular file, or does not have the size that the system tells.
    """
    file = os.open(entry.path, _OPEN)
    try:
        status = os.fstat(file)
        data = os.read(file, min(status.st_size, limit) + 1) if stat.S_ISREG(status.st_mode) else None
    finally:
        os.close(file)
    if data is None or len(data) != min(status.st_size, limit + 1):
        raise OSError(f"{entry.path} cannot be read at once")
    return data
