"""One connection, one floor below HTTP: what a fault does to bytes, and to the connection itself.

uvicorn is held to h11 here: the protocol class is the place where a request can be told its connection.
"""

import asyncio
import socket
import struct
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl

from algosync.emulator.http.limited_protocol import LimitedProtocol

LINGER_SECONDS = 5
"""How long a client may take to close, after we have."""


class Left(Exception):
    """The client has left, or this server is about to."""


class RawConnection:
    """A connection. Who waits here is woken by its end, with `Left`."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self._flow = flow
        self._lost = asyncio.Event()
        self._held = False
        self.stopping = False
        """Whether the server is about to stop: what would take long is to end of itself."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """While a fault is at work: a server that stops does not wait for it."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def stop(self) -> None:
        """The server stops."""
        self.stopping = True
        if self._held:
            self._transport.abort()

    def lose(self) -> None:
        """The connection is gone."""
        self._lost.set()

    async def write(self, data: bytes) -> None:
        """Send raw bytes; returns when the kernel has them all, so that an end that follows cuts exactly here."""
        self._check()
        self._transport.set_write_buffer_limits(0)
        self._transport.write(data)
        await self._flow.drain()
        self._check()

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        try:
            await asyncio.wait_for(self._lost.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise Left

    async def wait(self, doing: Coroutine[object, object, None]) -> None:
        """Wait for something, though not longer than the client does."""
        waiting = [asyncio.ensure_future(doing), asyncio.ensure_future(self._lost.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        self._check()

    async def turn(self) -> None:
        """Let others have their turn."""
        await asyncio.sleep(0)
        self._check()

    async def reset(self) -> None:
        """End the connection by a TCP RST."""
        linger: socket.socket = self._transport.get_extra_info("socket")
        linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        await self._lost.wait()

    async def finish(self) -> None:
        """End the connection by a TCP FIN, over TLS with its closing alert before that."""
        self._check()
        try:
            if self._transport.can_write_eof():
                # The write side alone: closing with unread bytes would make a RST of it.
                self._transport.write_eof()
            else:
                self._transport.close()
            await asyncio.wait_for(self.stay(), LINGER_SECONDS)
        except (OSError, RuntimeError, asyncio.TimeoutError):
            # The client was first, with a reset; or it takes too long to close.
            pass
        finally:
            self._transport.abort()
        await self._lost.wait()

    async def stay(self) -> None:
        """Keep the connection open and silent until the client closes it."""
        self._transport.set_protocol(_Deaf(self._transport.get_protocol()))
        self._flow.resume_reading()
        await self._lost.wait()

    def _check(self) -> None:
        if self._lost.is_set():
            raise Left


class _Deaf(asyncio.Protocol):
    """Takes what a client still sends, as its end stands behind it. uvicorn would tell it to go on, in the middle of an answer."""

    def __init__(self, before: asyncio.BaseProtocol) -> None:
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        self._before.connection_lost(exc)


class RawAccessProtocol(LimitedProtocol):
    """HTTP, whose requests have their connection in `scope["raw_connection"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own class
        super().connection_made(transport)
        self._wire = RawConnection(transport, self.flow)
        self.app = _around(self.app, self._wire)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wire.lose()

    def shutdown(self) -> None:
        """The server begins to stop."""
        super().shutdown()
        self._wire.stop()


def _around(app: ASGIApp, connection: RawConnection) -> ASGIApp:
    async def wired(scope: Scope, receive: Receive, send: Send) -> None:
        scope["raw_connection"] = wire
        await app(scope, receive, send)

    return wired
