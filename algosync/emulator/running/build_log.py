"""Streams the log of a running build to the git client whose push started it."""

import asyncio
from collections.abc import AsyncIterator, Callable

from algosync.emulator.git.side_band import KEEP_ALIVE, Remarks
from algosync.emulator.records.blobs import BLOCK
from algosync.emulator.records.builds import BuildRecord
from algosync.emulator.running.builder import Builder

POLL_SECONDS = 0.1
"""How often the log is read. The installer writes to the file directly, so there is no event to wait for."""

KEEP_ALIVE_SECONDS = 5.0
"""After this time without output an empty packet is sent, as git's own server does."""

STOPPED = b"\nThe local cluster is stopping. It will build this commit again when it starts.\n"


async def log_packets(builder: Builder, build: BuildRecord, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The log as side-band packets while it grows, until the build ends or the server is `stopping`.

    The build goes on if the reader stops.
    """
    lines, clock = Remarks(), asyncio.get_running_loop().time
    last = clock()
    async for block in _blocks(builder, build, stopping):
        packets = lines.packets(block)
        if not packets and clock() - last >= KEEP_ALIVE_SECONDS:
            packets = KEEP_ALIVE
        if packets:
            yield packets
            last = clock()
    if packets := lines.packets(STOPPED if stopping() else b"", final=True):
        yield packets


async def _blocks(builder: Builder, build: BuildRecord, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Blocks of the log. Yields an empty block regularly while nothing is written."""
    offset, ended = 0, False
    while not ended:
        # Look before reading: everything is written before the build ends.
        ended = await builder.ends(build, POLL_SECONDS)
        while not stopping() and (block := await asyncio.to_thread(_read, builder, build, offset)):
            offset += len(block)
            yield block
        if stopping():
            return
        yield b""


def _read(builder: Builder, build: BuildRecord, offset: int) -> bytes:
    """The next block; empty if the log does not exist yet, or was deleted."""
    try:
        with builder.log_file(build).open("rb") as log:
            log.seek(offset)
            return log.read(BLOCK)
    except FileNotFoundError:
        return b""
