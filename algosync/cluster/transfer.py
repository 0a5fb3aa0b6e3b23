"""Transfers: copy files from a store to a cluster, or read them for their digest. Holds one block at a time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from algosync.cluster.data import DataStore, WritableStore
from algosync.cluster.hashing import hasher
from algosync.cluster.wire import Download
from algosync.core.error import AlgosyncError, SourceError, TransferError, Unexpected
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.net import Retry
from algosync.net.host import BLOCK

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Advance", "File", "Name", "Opened", "digest_file", "fingerprint", "relay", "stream"]

Name = tuple[str, str, str]  # owner, collection, file
Advance = Callable[[int], None]  # called with the number of bytes transferred so far


@dataclass(frozen=True, slots=True)
class File:
    """A file of a store. `size` (bytes) is the one in the store's listing, `digest` its SHA-256 (hex); None if unknown."""

    store: DataStore
    name: Name
    size: int | None = None
    digest: str | None = None

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Open the file for reading. Raises SourceError if its length differs from the listing, also at a second attempt.

        Raises Unexpected if its length is unknown, or if it was compressed on its way. A store may keep a Content-Encoding with the
        bytes that were uploaded, and return these bytes. Their length is the one in the listing then.
        """
        with self.store.open(*self.name) as download:
            if not self._differs(download):
                yield self._opened(download)
                return
        with self.store.open(*self.name) as download:  # the first one may have been the reply to another request
            if self._differs(download):
                raise SourceError(
                    f"{_display_name(self.name)}: {download.length} bytes are announced, its listing says {self.size}",
                    hint="the file has just changed, or the server lies; run the same command again",
                )
            yield self._opened(download)

    def _opened(self, download: Download) -> Opened:
        if download.codings and (self.size is None or download.length is None):
            raise Unexpected(f"{_display_name(self.name)}: the reply is compressed, which was not requested", status=200)
        length = self.size if download.length is None else download.length
        if length is None:
            raise Unexpected(f"{_display_name(self.name)}: the reply does not state its length", status=200)
        return Opened(length, download.blocks)

    def _differs(self, download: Download) -> bool:
        return None not in (self.size, download.length) and self.size != download.length


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file: its length in bytes, as the reply or the listing says, and its blocks."""

    length: int
    blocks: Iterator[bytes]


def relay(file: File, destination: WritableStore, target: Name, advance: Advance, retry: Retry) -> tuple[str, int]:
    """Copy one file. Return the SHA-256 (hex) and length in bytes of the sent data. A retry starts again with the source.

    Raises TransferError if the source sent more or less than it announced, or the destination tells the MD5 of other bytes, and
    SourceError if the digest is known and differs. If the source is to blame, the last block is not sent, so the destination
    refuses the short body and keeps its file.
    """

    def attempt() -> tuple[str, int]:
        with ExitStack() as stack:
            with _NOTHING_SENT:
                download = stack.enter_context(file.open())
                content = _whole(download, advance, file) if download.length <= BLOCK else None
            if content is not None:
                stack.close()  # another transfer can use the connection
                return _put_whole(content, file, destination, target)
            return _put_blocks(download, file, destination, target, advance)

    return retry.run(attempt)


def _whole(download: Opened, advance: Advance, file: File) -> bytes:
    return b"".join(_counted(download, lambda _: None, advance, file.name))


def _put_whole(content: bytes, file: File, destination: WritableStore, target: Name) -> tuple[str, int]:
    """Sends a file that is held in memory."""
    digest = hashlib.sha256(content).hexdigest()
    with _NOTHING_SENT:
        _require_digest(file, digest)
    stored = destination.put(*target, [content], len(content))
    if stored.etag_md5:
        destination.etags.judge(stored.etag_md5, content, _display_name(target))
    return digest, len(content)


def _put_blocks(download: Opened, file: File, destination: WritableStore, target: Name, advance: Advance) -> tuple[str, int]:
    """Sends a file as it arrives."""
    with hasher(download.length, md5=destination.etags.possible) as hashes:
        blocks = _hold_last_block(
            lambda: _require_digest(file, hashes.sha256() if file.digest else None),
            _counted(download, hashes.update, advance, file.name),
            download.length,
        )
        stored = destination.put(*target, blocks, download.length)
        destination.etags.judge(stored.etag_md5, hashes.md5(), _display_name(target))
        return hashes.sha256(), download.length


def digest_file(file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
    """Read one file. Return its SHA-256 (hex) and length in bytes."""

    def attempt() -> tuple[str, int]:
        with file.open() as download, hasher(download.length) as hashes:
            for _ in _counted(download, hashes.update, advance, file.name):
                pass
            return hashes.sha256(), download.length

    return retry.run(attempt)


def fingerprint(file: File, retry: Retry) -> tuple[str, str]:
    """Read one file once. Return its SHA-256 and its MD5, which model manifests contain; both in hex."""

    def attempt() -> tuple[str, str]:
        digest, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with file.open() as download:
            for block in _counted(download, digest.update, lambda _: None, file.name):
                md5.update(block)
        return digest.hexdigest(), md5.hexdigest()

    return retry.run(attempt)


class _NothingSent:
    """Marks errors in the body of a `with` as raised before anything was sent to the destination."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AlgosyncError):
            error.sent = False


_NOTHING_SENT = _NothingSent()


@contextmanager
def stream(file: File) -> Iterator[BinaryIO]:
    """Open a file as a stream without seek. Raises TransferError at the end of a file that is too short."""
    with file.open() as download:
        yield cast(
            "BinaryIO", io.BufferedReader(_BlockReader(_counted(download, lambda _: None, lambda _: None, file.name)), BLOCK)
        )


class _BlockReader(io.RawIOBase):
    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _counted(download: Opened, update: Callable[[bytes], None], advance: Advance, name: Name) -> Iterator[bytes]:
    done = 0
    for block in download.blocks:
        done += len(block)
        if done > download.length:
            break
        update(block)
        yield block
        advance(done)
    if done != download.length:
        raise TransferError(f"{_display_name(name)}: {done} bytes were received, {download.length} were announced")


def _hold_last_block(check: Callable[[], None], blocks: Iterator[bytes], length: int) -> Iterator[bytes]:
    """Yield blocks of `length` bytes in all, the last one only after the iterator has ended and the check has passed."""
    done, last = 0, b""
    for block in blocks:
        done += len(block)
        if done < length:
            yield block
        else:
            last = block
    check()
    yield last


def _require_digest(file: File, found: str | None) -> None:
    if file.digest not in (None, found):
        raise SourceError(f"{_display_name(file.name)} changed since the plan was made", hint="run the same command again")


def _display_name(name: Name) -> str:
    return printable("data://" + "/".join(name))
