"""The code of an algorithm: found where its spec says, and read as it is."""

from __future__ import annotations

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

__all__ = ["archive_uri", "local_code", "local_files", "read_code", "read_local_code", "source_uris"]


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
