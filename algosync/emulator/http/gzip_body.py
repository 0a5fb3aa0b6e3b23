"""Reads the body of a git request into a file, and decompresses it. A push can be larger than memory."""

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from starlette.requests import Request

from algosync.emulator.errors import ApiError
from algosync.emulator.records.blobs import BLOCK

MAX_PACK = 1024 * 1024 * 1024
"""Maximum size of a decompressed body in bytes."""


@asynccontextmanager
async def body_of(request: Request, service: str, body: BinaryIO) -> AsyncIterator[BinaryIO]:
    """Write the whole body of a request to the new file `body`, which is closed at the end.

    Raises `ApiError` 415 for the content type of another service, 413 above `MAX_PACK`, 400 for invalid gzip.
    """
    with body:
        if request.headers.get("content-type") != f"application/x-{service}-request":
            raise ApiError(415, f"A body of type application/x-{service}-request is expected")
        zipped = request.headers.get("content-encoding") in ("gzip", "x-gzip")
        async for block in _inflate(request.stream()) if zipped else request.stream():
            if body.tell() + len(block) > MAX_PACK:
                raise ApiError(413, f"A push may have at most {MAX_PACK} bytes")
            body.write(block)
        body.seek(0)
        yield body


async def _inflate(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Decompress into blocks of bounded size."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        async for chunk in chunks:
            yield inflater.decompress(chunk, BLOCK)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, BLOCK)
        while block := inflater.decompress(b"", BLOCK):
            yield block
    except zlib.error as error:
        raise ApiError(400, f"The body is not gzip: {error}") from None
