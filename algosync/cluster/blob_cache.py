"""Blob cache: contents of files on this machine's disk, by their SHA-256, and an index of where each was read.

The cache is a short cut. Nothing trusts its bytes: the reader hashes them, and drops a file that is damaged. A cache that cannot be
written says so once, and then does nothing. Folders and files are for their owner only. Several processes may share a cache: files
appear whole, and may vanish at any time.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from algosync.cluster.directory import Directory
from algosync.cluster.transfer import File
from algosync.core.error import SourceError
from algosync.core.text import printable

__all__ = ["BlobCache", "BlobWriter", "user_cache"]

_DIGEST = "[0-9a-f]{64}"
_INDEX = "index"
_MOST_ENTRIES = 20_000  # of the index
_INCOMING = "incoming-"
_STALE = 86_400.0  # seconds after which an incoming file was left by a process that was killed
_SPARE = 512 << 20  # bytes of the disk that stay free


def user_cache() -> Path:
    """The folder of algosync in the user's cache."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "algosync"


class BlobCache:
    """At most `limit` bytes of contents in a folder; those that were not used for the longest time leave. Safe for threads.

    The folder is created when the first content is written. `tell` gets one message if that is not possible.
    """

    def __init__(self, folder: Path, limit: int, tell: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._limit = limit
        self._tell = tell
        self._guard = threading.RLock()
        self._size: int | None = None  # bytes in the folder and on their way to it; None: not known yet
        self._entries = 0
        self._failed = False

    def find(self, key: str, digest: str | None = None) -> File | None:
        """The content with this digest (hex), or the one that was noted for this key. The bytes are not looked at."""
        wanted = digest or self._noted(key)
        if wanted is None or not re.fullmatch(_DIGEST, wanted):
            return None
        path = self._folder / wanted
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                return None
            now = time.time_ns()
            os.utime(path, ns=(now, now))  # the system's own time for a file is coarse: two uses could get the same
            return File(
                Directory(self._folder.parent.parent), (self._folder.parent.name, self._folder.name, wanted), status.st_size, wanted
            )
        except (OSError, SourceError):
            return None

    def drop(self, digest: str) -> None:
        """Removes a damaged content."""
        with suppress(OSError):
            (self._folder / digest).unlink()

    @contextmanager
    def writer(self, size: int) -> Iterator[BlobWriter | None]:
        """For a content of `size` bytes, which is kept if it is committed. None: it cannot be kept."""
        writer = self._incoming(size)
        try:
            yield writer
        finally:
            kept = writer is not None and self._keep(writer)
            with self._guard:
                self._size = (self._size or 0) - (0 if writer is None or kept else size)

    def _incoming(self, size: int) -> BlobWriter | None:
        """A writer to an empty file. Its size is taken off the room in the cache."""
        if self._failed or size > self._limit:
            return None
        try:
            with self._guard:
                self._make_room(size)
            return BlobWriter(self._folder, size, self._fail)
        except OSError as error:
            self._fail(error)
            return None

    def _keep(self, writer: BlobWriter) -> bool:
        """Gives a committed content its name, and notes its key."""
        try:
            writer.close()
            if writer.digest is None:
                writer.path.unlink(missing_ok=True)
                return False
            os.replace(writer.path, self._folder / writer.digest)
            self._note(writer.key, writer.digest)
        except OSError as error:
            self._fail(error)
            return False
        return True

    def _make_room(self, size: int) -> None:
        """Raises OSError if the folder cannot be used, or the disk has little room."""
        if self._size is None:
            for folder in (self._folder.parent, self._folder, self._folder / _INDEX):
                _make_private(folder)
            self._entries = len(os.listdir(self._folder / _INDEX))
        if self._size is None or self._size + size > self._limit:
            self._size = _remove_oldest(self._folder, self._limit - size)
        if shutil.disk_usage(self._folder).free < size + _SPARE:
            raise OSError("the disk has little room left")
        self._size += size

    def _note(self, key: str, digest: str) -> None:
        index = self._folder / _INDEX
        descriptor, name = tempfile.mkstemp(prefix=_INCOMING, dir=index)
        with os.fdopen(descriptor, "w") as entry:
            entry.write(digest)
        os.replace(name, index / _name_of(key))
        with self._guard:
            self._entries += 1
            if self._entries > _MOST_ENTRIES:
                self._entries = _remove_oldest_half(index)

    def _noted(self, key: str) -> str | None:
        try:
            return (self._folder / _INDEX / _name_of(key)).read_text("ascii")
        except (OSError, ValueError):
            return None

    def _fail(self, error: OSError) -> None:
        with self._guard:
            if not self._failed:
                self._failed = True
                reason = error.strerror or error
                self._tell(f"The cache {printable(str(self._folder), 200)} is not used: {reason}. The transfers go on without it.")


class BlobWriter:
    """Writes one content to a new file in `folder`, beside its transfer. A failure to write ends the writing, not the transfer."""

    def __init__(self, folder: Path, size: int, fail: Callable[[OSError], None]) -> None:
        descriptor, name = tempfile.mkstemp(prefix=_INCOMING, dir=folder)  # mode 0600
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self.path = Path(name)
        self._size = size
        self._written = 0
        self._fail = fail
        self._failed = False
        self.key = ""
        self.digest: str | None = None

    def copied(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks, each of which is written before it is yielded. Begins the file again."""
        self._attempt(self._begin)
        for block in blocks:
            self._attempt(partial(self._write, block))
            yield block

    def commit(self, key: str, digest: str) -> None:
        """The content was transferred as a whole, and has this digest. A content of another length is not kept."""
        if not self._failed and self._written == self._size:
            self.key, self.digest = key, digest

    def close(self) -> None:
        self._file.close()

    def _attempt(self, write: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            write()
        except OSError as error:
            self._failed = True
            self._fail(error)

    def _begin(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._written = 0

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[self._file.write(view) :]
        self._written += len(block)


def _name_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _make_private(folder: Path) -> None:
    """Creates a folder for its owner only. Raises OSError if it is a link, or somebody else's."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise OSError("it is not a folder of this user")
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def _remove_oldest(folder: Path, limit: int) -> int:
    """Removes contents until at most `limit` bytes are left. Returns how many are left."""
    found = []
    for path in folder.iterdir():
        with suppress(OSError):
            status = path.stat()
            if re.fullmatch(_DIGEST, path.name):
                found.append((status.st_mtime_ns, status.st_size, path))
            elif path.name.startswith(_INCOMING) and time.time() - status.st_mtime > _STALE:
                path.unlink()
    left = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if left <= limit:
            break
        with suppress(FileNotFoundError):
            path.unlink()
        left -= size
    return left


def _remove_oldest_half(index: Path) -> int:
    """Removes the older half of the entries. Returns how many are left."""
    dated = []
    for path in index.iterdir():
        with suppress(OSError):
            dated.append((path.stat().st_mtime_ns, path))
    dated.sort()
    for _, path in dated[: len(dated) // 2]:
        with suppress(OSError):
            path.unlink()
    return len(dated) - len(dated) // 2
