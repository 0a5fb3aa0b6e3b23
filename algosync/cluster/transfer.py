"""Transfers: bytes from a store to a cluster, or only past the digest. One block is held at a time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from algosync.cluster.data import DataStore, WritableStore
from algosync.cluster.wire import Download
from algosync.core.error import AlgosyncError, SourceError, TransferError
from algosync.core.text import printable
from algosync.net import Retry
from algosync.net.host import BLOCK

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["File", "digest_file", "fingerprint", "relay", "stream"]

Name = tuple[str, str, str]  # owner, collection, file
Advance = Callable[[int], None]  # told how many bytes have passed so far


@dataclass(frozen=True, slots=True)
class File:
    """A file of a store. `size` in bytes is what the store's listing gave, `digest` its SHA-256 (hex), where these are known."""

    store: DataStore
    name: Name
    size: int | None = None
    digest: str | None = None

    @contextmanager
    def open(self) -> Iterator[Download]:
        """SourceError: it announces another length than its listing, asked twice. One of them is wrong, or it has just changed."""
        with ExitStack() as stack:
            download = stack.enter_context(self.store.open(*self.name))
            if self.size not in (None, download.length):  # it may be another's answer in its place
                stack.close()
                download = stack.enter_context(self.store.open(*self.name))
            if self.size not in (None, download.length):
                raise SourceError(
                    f"{_shown(self.name)}: {download.length} bytes are announced, its listing says {self.size}",
                    hint="the file has just changed, or the server lies; run the same command again",
                )
            yield download


def relay(file: File, destination: WritableStore, target: Name, advance: Advance, retry: Retry) -> tuple[str, int]:
    """Copies one file; returns the SHA-256 (hex) of what was sent and its length in bytes. Tried again from the source on.

    TransferError: the source sent more or less than it announced; SourceError: its digest is known, and what it sent has another.
    Then the last block is never sent, and the destination refuses the cut body by its length: it keeps what it has.
    """

    def once() -> tuple[str, int]:
        with ExitStack() as stack:
            with _nothing_sent():
                download = stack.enter_context(file.open())
            digest = hashlib.sha256()
            blocks = _watched(download, digest.update, advance, file.name)
            destination.put(*target, _held_until(lambda: _require_digest(file, digest.hexdigest()), blocks), download.length)
            return digest.hexdigest(), download.length

    return retry.run(once)


def digest_file(file: File, advance: Advance, retry: Retry) -> tuple[str, int]:
    """Reads one file for its SHA-256 (hex) and length in bytes."""

    def once() -> tuple[str, int]:
        with file.open() as download:
            digest = hashlib.sha256()
            for _ in _watched(download, digest.update, advance, file.name):
                pass
            return digest.hexdigest(), download.length

    return retry.run(once)


def fingerprint(file: File, retry: Retry) -> tuple[str, str]:
    """Reads one file for its SHA-256 and, in the same pass, its MD5, which is what model manifests hold; both are hex."""

    def once() -> tuple[str, str]:
        digest, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with file.open() as download:
            for block in _watched(download, digest.update, lambda _: None, file.name):
                md5.update(block)
        return digest.hexdigest(), md5.hexdigest()

    return retry.run(once)


@contextmanager
def _nothing_sent() -> Iterator[None]:
    """What fails in here fails before anything went to the destination."""
    try:
        yield
    except AlgosyncError as error:
        error.sent = False
        raise


@contextmanager
def stream(file: File) -> Iterator[BinaryIO]:
    """A file as a stream to read from, without a seek; a short one raises TransferError where it ends."""
    with file.open() as download:
        yield cast(
            "BinaryIO", io.BufferedReader(_BlockReader(_watched(download, lambda _: None, lambda _: None, file.name)), BLOCK)
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


def _watched(download: Download, update: Callable[[bytes], None], advance: Advance, name: Name) -> Iterator[bytes]:
    done = 0
    for block in download.blocks:
        done += len(block)
        if done > download.length:
            break
        update(block)
        yield block
        advance(done)
    if done != download.length:
        raise TransferError(f"{_shown(name)}: {done} bytes came, {download.length} were announced")


def _held_until(check: Callable[[], None], blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The last block leaves only when all are known and the check has passed."""
    held = b""
    for block in blocks:
        if held:
            yield held
        held = block
    check()
    yield held


def _require_digest(file: File, found: str) -> None:
    if file.digest not in (None, found):
        raise SourceError(f"{_shown(file.name)} changed since the plan was made", hint="run the same command again")


def _shown(name: Name) -> str:
    return printable("data://" + "/".join(name))
