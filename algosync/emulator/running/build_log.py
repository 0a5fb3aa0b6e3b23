"""The log of a build while it is being written: what a push shows of the build that it has started."""

import asyncio
from collections.abc import AsyncIterator, Callable

from algosync.emulator.git.side_band import KEEP_ALIVE, Remarks
from algosync.emulator.records.blobs import BLOCK
from algosync.emulator.records.builds import BuildRecord
from algosync.emulator.running.builder import Builder

POLL_SECONDS = 0.1
"""How often the log is looked at: an installer writes into it by itself."""

SILENCE_SECONDS = 5.0
"""After how long without a word a packet without words is sent: as often as git's own server does."""

STOPPED = b"\nThe local cluster stops; it will build this again when it is started\n"


async def remarks(builder: Builder, build: BuildRecord, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The log as packets for the user of git, as it grows, until the build has ended, or this server is about to.

    Whoever stops reading stops nothing else.
    """
    lines, clock = Remarks(), asyncio.get_running_loop().time
    last = clock()
    async for block in _growing(builder, build, stopping):
        said = lines.packets(block)
        if not said and clock() - last >= SILENCE_SECONDS:
            said = KEEP_ALIVE
        if said:
            yield said
            last = clock()
    if said := lines.packets(STOPPED if stopping() else b"", final=True):
        yield said


async def _growing(builder: Builder, build: BuildRecord, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Blocks of the log; an empty one now and then while there is nothing new."""
    place, ended = 0, False
    while not ended:
        # Asked before the log is read to its end: its last words are written before the build ends.
        ended = await builder.ends(build, POLL_SECONDS)
        while not stopping() and (block := await asyncio.to_thread(_read, builder, build, place)):
            place += len(block)
            yield block
        if stopping():
            return
        yield b""


def _read(builder: Builder, build: BuildRecord, place: int) -> bytes:
    """The next block; nothing where there is no log yet, or none any more."""
    try:
        with builder.log_file(build).open("rb") as log:
            log.seek(place)
            return log.read(BLOCK)
    except FileNotFoundError:
        return b""
