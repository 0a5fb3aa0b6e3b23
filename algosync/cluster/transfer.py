"""Transfers: bytes from a store to a cluster, or only past the digest. One block is held at a time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from algosync.cluster.data import DataApi, DataStore
from algosync.cluster.wire import BLOCK, Download
from algosync.core.error import TransferError
from algosync.core.text import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["digest_file", "relay", "stream"]

Name = tuple[str, str, str]  # owner, collection, file
Advance = Callable[[int], None]  # told how many bytes have passed so far


def relay(source: DataStore, origin: Name, destination: DataApi, target: Name, advance: Advance) -> tuple[str, int]:
    """Copies one file; returns the SHA-256 (hex) of what was sent and its length in bytes.

    TransferError: the source sent more or less than it announced; the destination then refuses the cut body by its length.
    """
    with source.open(*origin) as download:
        digest = hashlib.sha256()
        destination.put(*target, _watched(download, digest.update, advance, origin), download.length)
        return digest.hexdigest(), download.length


def digest_file(store: DataStore, name: Name, advance: Advance) -> tuple[str, int]:
    """Reads one file for its SHA-256 (hex) and length in bytes."""
    with store.open(*name) as download:
        digest = hashlib.sha256()
        for _ in _watched(download, digest.update, advance, name):
            pass
        return digest.hexdigest(), download.length


@contextmanager
def stream(store: DataStore, name: Name) -> Iterator[BinaryIO]:
    """A file as a stream to read from, without a seek; a short one raises TransferError where it ends."""
    with store.open(*name) as download:
        yield cast("BinaryIO", io.BufferedReader(_BlockReader(_watched(download, lambda _: None, lambda _: None, name)), BLOCK))


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


def _shown(name: Name) -> str:
    return printable("data://" + "/".join(name))
