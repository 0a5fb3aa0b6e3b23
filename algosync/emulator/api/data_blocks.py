"""Transfer of data files in blocks. Memory stays at one block for each transfer, whatever the size of the file."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import BinaryIO

from starlette.requests import Request

from algosync.emulator.errors import ApiError
from algosync.emulator.records.blobs import BLOCK, IncomingBlob

SMALL = 64 * 1024
"""Contents up to this size in bytes are read and written on the event loop: a change of threads takes longer."""


def content_type(accepted: str, body: bytes | None) -> str:
    """The media type of a file for a client that sent the header `Accept: accepted`.

    Some clients parse the body by this header. It follows what they accept, and text has its charset. `body` is None for a file
    that is too large to look at.
    """
    if accepted.startswith(("text/plain", "application/json")):
        return accepted.partition(",")[0]
    if body is None or "*/*" not in accepted:
        return "application/octet-stream"
    try:
        body.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain; charset=utf-8"


async def blocks(content: BinaryIO) -> AsyncIterator[bytes]:
    """The content of a file, block by block. Closes it at the end."""
    with content:
        while block := await asyncio.to_thread(content.read, BLOCK):
            yield block


def md5(content: BinaryIO) -> str:
    """The MD5 of a file's content in hex, as some storages report it. Closes the content."""
    digest = hashlib.md5(usedforsecurity=False)
    with content:
        while block := content.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


async def receive(request: Request, content: IncomingBlob, largest: int | None) -> None:
    """Write the request's body to `content`. Raises `ApiError` 413 if it has more than `largest` bytes."""
    block, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if largest is not None and size > largest:
            raise ApiError(413, f"A data file has at most {largest} bytes here")
        block += chunk
        if len(block) >= BLOCK:
            await asyncio.to_thread(content.write, block)
            block = bytearray()
    if len(block) <= SMALL:
        content.write(block)  # no wait for the disk: `keep` syncs
    else:
        await asyncio.to_thread(content.write, block)
