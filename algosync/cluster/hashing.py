"""Hashing: digests of a transfer, which a thread computes while the bytes are on their way if there are many."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

__all__ = ["Hasher", "hasher"]

_IN_LINE = 4 << 20  # bytes: below that a thread costs more than it saves
_AT_ONCE = 1 << 20  # bytes that are handed to the thread together
_WAITING = 2  # times as many


class Hasher:
    """SHA-256 and, if asked for, MD5 of blocks, in the order in which they come."""

    def __init__(self, *, md5: bool = False) -> None:
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None

    def update(self, block: bytes) -> None:
        self._sha256.update(block)
        if self._md5 is not None:
            self._md5.update(block)

    def finish(self) -> None:
        """Returns when all blocks are hashed."""

    def sha256(self) -> str:
        """In hex, of all blocks so far."""
        self.finish()
        return self._sha256.hexdigest()

    def md5(self) -> str | None:
        """In hex, of all blocks so far. None: it was not asked for."""
        self.finish()
        return None if self._md5 is None else self._md5.hexdigest()


class _ThreadedHasher(Hasher):
    """At most two MiB wait for the thread. hashlib lets other threads run while it hashes a block."""

    def __init__(self, *, md5: bool = False) -> None:
        super().__init__(md5=md5)
        self._held: list[bytes] = []
        self._size = 0
        self._blocks: Queue[list[bytes] | None] = Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="hashing", daemon=True)
        self._thread.start()

    def update(self, block: bytes) -> None:
        self._held.append(block)
        self._size += len(block)
        if self._size >= _AT_ONCE:
            self._hand_over()

    def finish(self) -> None:
        self._hand_over()
        self._blocks.join()

    def close(self) -> None:
        self._blocks.put(None)

    def _hand_over(self) -> None:
        self._blocks.put(self._held)
        self._held, self._size = [], 0

    def _run(self) -> None:
        while (blocks := self._blocks.get()) is not None:
            for block in blocks:
                super().update(block)
            self._blocks.task_done()


@contextmanager
def hasher(length: int, *, md5: bool = False) -> Iterator[Hasher]:
    """The digests of `length` bytes."""
    if length < _IN_LINE:
        yield Hasher(md5=md5)
        return
    threaded = _ThreadedHasher(md5=md5)
    try:
        yield threaded
    finally:
        threaded.close()
