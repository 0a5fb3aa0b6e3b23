"""Hashing: digests of a transfer, which a thread computes while the bytes are on their way if there are many."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

__all__ = ["Hasher", "hasher"]

_IN_LINE = 4 << 20  # bytes: below that a thread costs more than it saves
_AT_ONCE = 1 << 20  # bytes that are handed to the thread together
_WAITING = 2  # times as many, in addition to those that are being hashed


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
        """Returns when all blocks are hashed. Raises the error for which one could not be hashed."""

    def sha256(self) -> str:
        """In hex, of all blocks so far."""
        self.finish()
        return self._sha256.hexdigest()

    def md5(self) -> str | None:
        """In hex, of all blocks so far. None: it was not asked for."""
        self.finish()
        return None if self._md5 is None else self._md5.hexdigest()


class _ThreadedHasher(Hasher):
    """At most three MiB wait for the thread. hashlib lets other threads run while it hashes a block.

    `_free` holds a token for each batch that may still be handed over. Two queues in C cost a fraction of a `Queue` with a limit.
    """

    def __init__(self, *, md5: bool = False) -> None:
        super().__init__(md5=md5)
        self._error: BaseException | None = None
        self._held: list[bytes] = []
        self._size = 0
        self._work: SimpleQueue[list[bytes] | None] = SimpleQueue()
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(_WAITING + 1):
            self._free.put(None)
        threading.Thread(target=self._run, name="hashing", daemon=True).start()

    def update(self, block: bytes) -> None:
        self._held.append(block)
        self._size += len(block)
        if self._size >= _AT_ONCE:
            self._hand_over()

    def finish(self) -> None:
        self._hand_over()
        for _ in range(_WAITING + 1):
            self._free.get()
        for _ in range(_WAITING + 1):
            self._free.put(None)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._work.put(None)

    def _hand_over(self) -> None:
        self._free.get()
        self._work.put(self._held)
        self._held, self._size = [], 0

    def _run(self) -> None:
        """Takes batches to the end, also after an error: the transfer would wait for a thread that has died."""
        while (blocks := self._work.get()) is not None:
            try:
                for block in blocks:
                    super().update(block)
            except BaseException as error:  # noqa: BLE001  # raised in the thread that asks for a digest
                self._error = error
            del blocks[:]
            self._free.put(None)


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
