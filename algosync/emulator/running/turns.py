"""Limits on concurrent calls that cannot deadlock when algorithms call each other.

A running call holds turns: one of its build, one of all builds, and during its import one of the imports. While it waits for calls
that it has made itself, it lends its turns to others. When the last of those calls ends, it resumes at once, even if the limit is
then exceeded. So a waiting call only ever waits for calls that make progress, and recursion and fan-out end with any limit.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator


class Turns:
    """A semaphore that serves in the order of requests. Call its methods in the event loop's thread only."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn."""
        if self._free > 0:
            self._free -= 1
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            # The turn may have been granted just before the cancellation.
            if not granted.cancelled():
                self.give()
            raise

    def resume(self) -> None:
        """Take a turn at once, even if none is free."""
        self._free -= 1

    def give(self) -> None:
        """Return a turn. The longest waiting task gets it, unless the limit is exceeded."""
        self._free += 1
        while self._free > 0 and self._waiting:
            granted = self._waiting.popleft()
            if not granted.done():
                self._free -= 1
                granted.set_result(None)


class Turn:
    """The turns of one call, which it lends to others while it waits for calls that it has made."""

    def __init__(self) -> None:
        self._held: list[Turns] = []
        self._waits = 0

    @contextlib.asynccontextmanager
    async def of(self, turns: Turns) -> AsyncIterator[None]:
        """Hold a turn while the body runs."""
        await turns.take()
        self._held.append(turns)
        if self._waits:
            turns.give()
        try:
            yield
        finally:
            self._held.remove(turns)
            if not self._waits:
                turns.give()

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Lend all turns while the body runs, which waits for another call. Blocks may overlap."""
        self._waits += 1
        if self._waits == 1:
            for turns in self._held:
                turns.give()
        try:
            yield
        finally:
            self._waits -= 1
            if not self._waits:
                for turns in self._held:
                    turns.resume()
