"""The code of an algorithm: found where its spec says, and read as it is."""

from __future__ import annotations

from pathlib import Path

from algosync.cluster.transfer import stream
from algosync.core.error import SourceError
from algosync.core.text import printable
from algosync.core.workflow import AlgorithmSpec
from algosync.sources.archive import SourceFiles, read_archive, read_folder
from algosync.sources.store import SourceStore

__all__ = ["archive_uri", "read_code"]


def archive_uri(spec: AlgorithmSpec) -> str | None:
    """The URI of the archive on the source cluster. None: the code is a local archive or folder."""
    return spec.code if spec.code is not None and spec.code.startswith("data://") else None


def read_code(spec: AlgorithmSpec, folder: Path, store: SourceStore) -> SourceFiles:
    """The files of an archive on the source cluster, or of a local archive or folder.

    Paths of local code are relative to `folder`; the default is `algorithms/NAME`. SourceError: the code cannot be read.
    """
    uri = archive_uri(spec)
    if uri is not None:
        return _read_remote_archive(uri, store)
    path = folder / (spec.code or f"file://algorithms/{spec.name}").removeprefix("file://")
    if path.is_dir():
        return read_folder(path)
    try:
        with path.open("rb") as file:
            return read_archive(file)
    except OSError as error:
        raise SourceError(f"its code cannot be read: {printable(str(path))}: {error.strerror}") from None


def _read_remote_archive(uri: str, store: SourceStore) -> SourceFiles:
    def read() -> SourceFiles:
        with stream(store.file(uri)) as file:
            return read_archive(file)

    return store.retry.run(read)
