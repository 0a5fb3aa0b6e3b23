"""How the bytes of data files travel: in blocks, whatever the size."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import BinaryIO

from starlette.requests import Request

from algosync.emulator.errors import ApiError
from algosync.emulator.records.blobs import BLOCK, IncomingBlob


def content_type(accepted: str, body: bytes | None) -> str:
    """Some clients parse by this header: it follows what they ask for, and text says its charset."""
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
    """A file's content, which is closed behind it."""
    with content:
        while block := await asyncio.to_thread(content.read, BLOCK):
            yield block


def md5(content: BinaryIO) -> str:
    """The checksum of a file's content in hex, as some storage tells it; the content is closed behind it."""
    digest = hashlib.md5(usedforsecurity=False)
    with content:
        while block := content.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


async def receive(request: Request, content: IncomingBlob, largest: int | None) -> None:
    """The request's body, in blocks: memory stays at one block whatever the size.

    Raises `ApiError` 413 above the `largest` size; the gate takes the rest.
    """
    block, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if largest is not None and size > largest:
            raise ApiError(413, f"A data file has at most {largest} bytes here")
        block += chunk
        if len(block) >= BLOCK:
            await asyncio.to_thread(content.write, block)
            block = bytearray()
    await asyncio.to_thread(content.write, block)
