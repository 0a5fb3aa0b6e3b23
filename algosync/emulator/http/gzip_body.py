"""What git sends: unzipped where git has zipped it, in a file, as a push can be larger than memory."""

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from starlette.requests import Request

from algosync.emulator.errors import ApiError
from algosync.emulator.records.blobs import BLOCK

MAX_PACK = 1024 * 1024 * 1024
"""Bytes of a push, unzipped."""


@asynccontextmanager
async def body_of(request: Request, service: str, body: BinaryIO) -> AsyncIterator[BinaryIO]:
    """The whole body of a request to this service, in the new file `body`, which is closed afterwards.

    Raises `ApiError` 415 for one to another service, 413 above `MAX_PACK`, 400 for what is no gzip and says that it is.
    """
    with body:
        if request.headers.get("content-type") != f"application/x-{service}-request":
            raise ApiError(415, f"A body of type application/x-{service}-request is expected")
        inflate = _inflate if request.headers.get("content-encoding") in ("gzip", "x-gzip") else _as_it_is
        async for block in inflate(request.stream()):
            if body.tell() + len(block) > MAX_PACK:
                raise ApiError(413, f"A push of more than {MAX_PACK} bytes is not taken")
            body.write(block)
        body.seek(0)
        yield body


async def _as_it_is(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk


async def _inflate(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unzip in blocks of bounded size, whatever a block grows to."""
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
