"""Limits on the sizes of a request's head and body. Bodies are passed on in chunks, and not stored here."""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from algosync.emulator.errors import ApiError
from algosync.emulator.http.gzip_body import MAX_PACK
from algosync.emulator.http.replies import MAX_JSON, too_large

KIB, MIB = 1024, 1024 * 1024

MAX_HEAD = 32 * KIB
"""Maximum size of request line and headers in bytes. Names of data files are the longest part of them."""

MAX_CALL = 10 * MIB + 64 * KIB
"""A little more than the limit of an input, so that a slightly larger one gets the error message of calls."""

SMALL = 64 * KIB
"""Limit for routes that ignore the body."""

FILES = re.compile(r"/v1/(connector/)?data(/|$)")

DRAINED_BYTES = 256 * MIB
DRAINED_SECONDS = 30.0
"""How much of a refused body is read. A client that is still sending would else see a reset instead of the reply."""


def largest_body(method: str, path: str, largest_file: int | None) -> int | None:
    """The maximum size of a request's body in bytes; None for no limit. `largest_file` is the limit of data files."""
    if method == "PUT" and FILES.match(path):
        return largest_file
    if path.startswith("/git/"):
        return MAX_PACK
    if path.startswith("/v1/algo/"):
        return MAX_CALL
    return MAX_JSON if path.startswith(("/v1/", "/webapi/")) else SMALL


def check_head(scope: Scope) -> None:
    """Raises `ApiError` 431 for a head above `MAX_HEAD`. The parser's own limit holds for incomplete heads only.

    Raises `ApiError` 400 for two contradictory lengths of the body, since a proxy may have read it by the other one.
    """
    if _ambiguous(Headers(scope=scope)):
        raise ApiError(400, "Content-Length and Transfer-Encoding exclude each other")
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MAX_HEAD:
        raise ApiError(431, f"The head of the request is larger than {MAX_HEAD} bytes")


def _ambiguous(headers: Headers) -> bool:
    return "content-length" in headers and "transfer-encoding" in headers


class RequestBody:
    """The body of a request, counted while it is received."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._receive = receive
        self._declared = int(headers.get("content-length", "0"))
        self._complete = "content-length" not in headers and "transfer-encoding" not in headers
        self._waited_for = headers.get("expect", "").lower() == "100-continue"
        self._ambiguous = _ambiguous(headers)
        self._limit: int | None = None
        self._size = 0

    def limit(self, most: int | None) -> None:
        """Set the limit in bytes. Raises `ApiError` 413 if Content-Length is above it."""
        self._limit = most
        self._check(self._declared)

    async def receive(self) -> Message:
        """ASGI's `receive`. Raises `ApiError` 413 when the body exceeds the limit."""
        message = await self._next()
        self._check(self._size)
        return message

    async def drained(self) -> bool:
        """Read the rest of the body, within bounds. Returns whether it was complete.

        A client that waits for `100 Continue` is not told to send its body.
        """
        if self._ambiguous:
            return False
        if not self._complete and not self._waited_for and self._declared - self._size <= DRAINED_BYTES:
            try:
                await asyncio.wait_for(self._drain(self._size + DRAINED_BYTES), DRAINED_SECONDS)
            except asyncio.TimeoutError:
                return False
        return self._complete

    async def _drain(self, most: int) -> None:
        while not self._complete and self._size <= most:
            await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._waited_for = False
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    def _check(self, size: int) -> None:
        if self._limit is not None and size > self._limit:
            raise too_large(self._limit)
