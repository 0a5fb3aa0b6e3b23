"""Turns: how many may be at something at once, without anybody waiting for who waits for it.

A call of an algorithm has turns while it runs: one of its build, one of all builds, and for a while one of the imports. As
long as it waits for calls that it has made itself, it lends them to others; when the last of those ends it goes on at
once, even if that makes one more at work than there are turns. So whoever waits for a turn waits for calls that are at
work, never for one that waits in turn: recursion and fan-out end, however few turns there are.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator


class Turns:
    """A number of turns, given in the order in which they were asked for. All methods belong to the event loop's thread."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn."""
        if self._free > 0:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            # It may have been given the turn just before.
            if not place.cancelled():
                self.give()
            raise

    def resume(self) -> None:
        """Take a turn at once, whether there is one or not."""
        self._free -= 1

    def give(self) -> None:
        """Give a turn back: to who has waited longest, unless there are too many at work."""
        self._free += 1
        while self._free > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                self._free -= 1
                place.set_result(None)


class Turn:
    """The turns that one call has, and lends while it waits for calls that it has made."""

    def __init__(self) -> None:
        self._held: list[Turns] = []
        self._waits = 0

    @contextlib.asynccontextmanager
    async def of(self, turns: Turns) -> AsyncIterator[None]:
        """Have a turn for the length of a block."""
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
        """Have none while a call that this one has made goes on. Blocks may overlap."""
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
